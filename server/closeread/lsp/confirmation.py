"""The edit that makes an entry of one's own of what a model inferred: a `[[sink]]` or `[[source]]` at a settings file's end.

At the end another table can always stand, whatever is before. What is confirmed is read as an entry before it is offered.
"""

from __future__ import annotations

from pathlib import Path

from closeread_analyzers.catalogue import CatalogueError, check_user
from closeread_analyzers.finding import InferredApi


def entry(api: InferredApi, name: str) -> str | None:
    """The text of the entry for a settings file of that name; None where it would be none."""
    word = "sink" if api.argument else "source"
    row = {"call": api.call, "kind": api.kind}
    if api.argument:
        row["argument"] = api.argument
    try:
        check_user(Path(name), "", {word: [row]})
    except CatalogueError:
        return None
    header = f"[[tool.closeread.{word}]]" if name == "pyproject.toml" else f"[[{word}]]"
    return "\n".join([header, *(f'{key} = "{value}"' for key, value in row.items())]) + "\n"


def addition(text: bytes, api: InferredApi, name: str) -> tuple[int, int, str] | None:
    """Start byte, end byte and new text of the edit of a settings file."""
    made = entry(api, name)
    if made is None:
        return None
    before = "" if not text else "\n" if text.endswith(b"\n") else "\n\n"
    return len(text), len(text), before + made
