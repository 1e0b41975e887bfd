"""The edit that suppresses a finding: `# closeread: ignore[rule] reason`, in the language's own comment.

At the end of the line where it can be, else on a line above it. Where neither would be a comment (the
inside of a text that runs over many lines), there is no edit: the changed text is parsed to find out.
"""

from __future__ import annotations

import re

from closeread_analyzers.languages import Tree, language_of

REASON = "TODO: say why"
"""Stands where the user's own words belong."""

_IGNORED = re.compile(rb"closeread:[ \t]*ignore\[([^\]\r\n]*)\]")
_LINE_END = re.compile(rb"\r\n|\r|\n|$")


def edit(text: bytes, name: str, line_start: int, rule: str) -> tuple[int, int, str] | None:
    """Start byte, end byte and new text of the edit for a finding of `rule` on the line at `line_start`."""
    language = language_of(name)
    if language is None or not language.comment:
        return None
    end = _LINE_END.search(text, line_start)
    assert end is not None  # every text has an end
    line = text[line_start : end.start()]
    present = _IGNORED.search(line)
    if present and _is_comment(language.parse(text), line_start + present.start()):
        rules = [known.strip() for known in present[1].decode("utf-8", "replace").split(",")]
        at = line_start + present.end(1)
        return None if rule in rules else (at, at, f", {rule}")
    comment = f"{language.comment} closeread: ignore[{rule}] {REASON}"
    stop = line_start + len(line.rstrip())
    newline = (end[0] or b"\n").decode()
    indent = line[: len(line) - len(line.lstrip())].decode("utf-8", "replace")
    for start, stop_, inserted in (
        (stop, end.start(), f"  {comment}"),
        (line_start, line_start, f"{indent}{comment}{newline}"),
    ):
        changed = text[:start] + inserted.encode() + text[stop_:]
        if _is_comment(language.parse(changed), start + len(inserted[: inserted.index(comment)].encode()) + 1):
            return start, stop_, inserted
    return None


def _is_comment(tree: Tree, at: int) -> bool:
    node = tree.root_node.descendant_for_byte_range(at, at)
    return node is not None and "comment" in node.type
