"""The edits that suppress a finding: `# closeread: ignore[rule] reason`, in the language's own comment, or a setting.

At the end of the line where it can be, else on a line above it. Where neither would be a comment (the
inside of a text that runs over many lines), there is no edit: the changed text is parsed to find out.
"""

from __future__ import annotations

import re
from copy import copy

import tomli

from closeread_analyzers.languages import Language, Tree, language_of

REASON = "TODO: say why"
"""Stands where the user's own words belong."""

_IGNORED = re.compile(rb"closeread:[ \t]*ignore\[([^\]\r\n]*)\]")
_CODING = re.compile(rb"#[^\n]*coding[:=]")
_TABLE = re.compile(rb"^\[", re.MULTILINE)
_DISABLE = re.compile(rb"^disable\s*=\s*\[([^\]#]*)\]", re.MULTILINE)
_LINE_END = re.compile(rb"\r\n|\r|\n|$")


def tree_of(text: bytes, name: str) -> Tree | None:
    """The tree of a text, for who asks for many edits of it; None where nobody reads such a file."""
    language = language_of(name)
    return language.parse(text) if language is not None and language.comment else None


def edit(text: bytes, name: str, line_start: int, rule: str, tree: Tree | None = None) -> tuple[int, int, str] | None:
    """Start byte, end byte and new text of the edit for a finding of `rule` on the line at `line_start`.

    `tree` is the text's.
    """
    language = language_of(name)
    if language is None or not language.comment:
        return None
    tree = tree or language.parse(text)
    end = _LINE_END.search(text, line_start)
    assert end is not None  # every text has an end
    line = text[line_start : end.start()]
    present = _IGNORED.search(line)
    if present and _is_comment(tree, line_start + present.start()):
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
        at = start + len(inserted[: inserted.index(comment)].encode()) + 1
        if _is_comment(_edited(language, tree, text, (start, stop_, inserted)), at):
            return start, stop_, inserted
    return None


def whole_file(text: bytes, name: str, rule: str, tree: Tree | None = None) -> tuple[int, int, str] | None:
    """The edit that suppresses a rule in a file: a comment at its top, below a line that must stay first.

    `tree` is the text's.
    """
    language = language_of(name)
    if language is None or not language.comment:
        return None
    at = 0
    while text.startswith(b"#!", at) or _CODING.match(text, at):
        newline = text.find(b"\n", at)
        if newline < 0:
            return None
        at = newline + 1
    inserted = f"{language.comment} closeread: ignore-file[{rule}] {REASON}\n"
    changed = _edited(language, tree or language.parse(text), text, (at, at, inserted))
    return (at, at, inserted) if _is_comment(changed, at + len(language.comment)) else None


def in_settings(text: bytes, rule: str, *, own: bool) -> tuple[int, int, str] | None:
    """The edit of a settings file that switches a rule off; `own` tells closeread.toml from pyproject.toml.

    None where the file is not plain enough to be edited without reading it as TOML does: the changed text is read.
    """
    start = 0 if own else _after_header(text)
    if start is None:
        return None
    following = _TABLE.search(text, start)
    present = _DISABLE.search(text, start, following.start() if following else len(text))
    if present is not None:
        items = present[1].strip().rstrip(b",")
        edit = (present.start(1), present.end(1), f'{items.decode("utf-8", "replace")}{", " if items else ""}"{rule}"')
    else:
        edit = (start, start, f'disable = ["{rule}"]  # {REASON}\n')
    try:
        settings = tomli.loads((text[: edit[0]] + edit[2].encode() + text[edit[1] :]).decode())
        here = settings if own else settings["tool"]["closeread"]
        return edit if rule in here["disable"] else None
    except (ValueError, KeyError, TypeError):
        return None


def _after_header(text: bytes) -> int | None:
    found = re.search(rb"^\[tool\.closeread\][^\n]*\n", text, re.MULTILINE)
    return found.end() if found else None


def _edited(language: Language, tree: Tree, text: bytes, edit: tuple[int, int, str]) -> Tree:
    """The tree of the edited text: what is the same in it is not parsed again."""
    start, stop, inserted = edit[0], edit[1], edit[2].encode()
    end = start + len(inserted)
    before = copy(tree)
    before.edit(start, stop, end, (0, start), (0, stop), (0, end))
    return language.parse(text[:start] + inserted + text[stop:], before)


def _is_comment(tree: Tree, at: int) -> bool:
    node = tree.root_node.descendant_for_byte_range(at, at)
    return node is not None and "comment" in node.type
