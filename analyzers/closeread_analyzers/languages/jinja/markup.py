"""Where in the HTML a template's output stands: just enough to know where escaping for HTML does not help.

That is so in an attribute without quotes, in an event handler's attribute, and in a script outside of its
strings. Deliberately absent: addresses (`href="{{ x }}"`: most are the application's own), style sheets,
and scripts whose strings run over several lines; where the text leaves doubt, escaping is believed to help.
"""

from __future__ import annotations

import re
from typing import Final

from ...pattern import later

_STEP: Final = re.compile(r"<!--|<(/?)([A-Za-z][A-Za-z0-9:-]*)")
_IN_TAG: Final = re.compile(r"""\s+|>|([^\s"'>/=]+)(\s*=\s*(?:(["'])|(?=[^\s>"'])|$))?|.""", re.DOTALL)
_COMMENT_END: Final = re.compile(r"-->")
_SCRIPT_END: Final = re.compile(r"</script", re.IGNORECASE)
_STRINGS: Final = later(r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\\n]|\\.)*`""")
_OPERAND: Final = re.compile(r"[=(,:?+\[]\s*$")
_OTHER_TYPE: Final = later(
    r"""\btype\s*=\s*["']?(?!text/javascript|application/javascript|module)[^"'\s>]""", re.IGNORECASE
)
_MAX_LINE: Final = 1_000


class Markup:
    """A walk through the text between outputs. `is_bare` and `skip` are called with rising offsets."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._state = "text"  # or "tag" (between attributes), "comment", "script", "plain script"
        self._tag = ""
        self._tag_start = 0
        self._attribute = ""
        self._quote = ""
        self._script_start = 0

    def is_bare(self, offset: int) -> bool:
        """Whether escaping for HTML does not help what stands at `offset`."""
        self._walk(offset)
        if self._state == "script":
            return self._is_bare_in_script(offset)
        if self._state != "tag" or not self._attribute:
            return False
        return not self._quote or self._attribute.lower().startswith("on")

    def skip(self, start: int, end: int) -> None:
        """A piece of the template's own is no markup."""
        self._walk(start)
        self._at = max(self._at, end)

    def _walk(self, until: int) -> None:
        while self._at < until:
            if self._state == "text":
                self._in_text(until)
            elif self._state == "tag":
                self._in_tag(until)
            else:
                closer = _COMMENT_END if self._state == "comment" else _SCRIPT_END
                end = closer.search(self._text, self._at, until)
                self._at = until if end is None else end.start()
                if end is not None:
                    self._state = "text"

    def _in_text(self, until: int) -> None:
        found = _STEP.search(self._text, self._at, until)
        if found is None:
            self._at = until
            return
        self._at = found.end()
        if not found[2]:
            self._state = "comment"
        else:
            self._state, self._tag = "tag", found[2].lower() if not found[1] else ""
            self._tag_start, self._attribute, self._quote = found.start(), "", ""

    def _in_tag(self, until: int) -> None:
        text = self._text
        if self._quote:
            end = text.find(self._quote, self._at, until)
            self._at = until if end < 0 else end + 1
            if end >= 0:
                self._attribute = self._quote = ""
            return
        if self._attribute:  # without quotes, it goes on to a space or the end of the tag
            while self._at < until and text[self._at] not in " \t\r\n>":
                self._at += 1
            if self._at < until:
                self._attribute = ""
            return
        found = _IN_TAG.match(text, self._at, until)
        self._at = until if found is None else found.end()
        if found is None:
            return
        if found[0] == ">":
            self._state = "text"
            if self._tag == "script":
                is_other = _OTHER_TYPE.search(text, self._tag_start, self._at)
                self._state = "plain script" if is_other else "script"
                self._script_start = self._at
        elif found[2] is not None:
            self._attribute, self._quote = found[1], found[3] or ""

    def _is_bare_in_script(self, offset: int) -> bool:
        """Behind an operator on its line, outside of strings and comments."""
        start = max(self._text.rfind("\n", 0, offset) + 1, self._script_start, offset - _MAX_LINE)
        line = _STRINGS.sub('""', self._text[start:offset])
        if any(mark in line for mark in ("//", "/*", "'", "`")) or line.replace('""', "").count('"'):
            return False
        return _OPERAND.search(line) is not None
