"""What goes wrong for reasons that the user can put right."""


class Mistake(Exception):
    """The message says what is wrong, where, and what to do; no traceback would add to it."""
