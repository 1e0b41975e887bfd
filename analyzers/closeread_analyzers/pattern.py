"""A regular expression that is compiled when it is first asked.

There are hundreds of them, most for what a given program does not hold, and compiling them all took a tenth of the time
that a commit waits for its hook. One that is malformed is found late: a test compiles each.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


class _Later:
    """Stands for a `re.Pattern`; what is asked of it once is its own from then on."""

    def __init__(self, text: Any, flags: int) -> None:
        self._asked = text, flags

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        value = getattr(re.compile(*self._asked), name)
        setattr(self, name, value)
        return value


def later(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """What `re.compile` gives, to be called like one. Raises `re.error` where it is used, and not here."""
    return cast("re.Pattern[AnyStr]", _Later(text, flags))
