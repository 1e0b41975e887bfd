"""Closeread: the language server and the command line."""

__version__ = "0.1.0"
"""The one place that says it: the packaging reads it here, for asking what is installed takes longer than most of a hook."""


def version() -> str:
    """The version of this package."""
    return __version__
