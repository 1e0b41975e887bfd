"""The comments of other tools that answer findings here too: the reader of suppressions.toml, which has the words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Literal

import tomli

TOOLS = Path(__file__).parent.parent / "suppressions.toml"

ANY_VULNERABILITY = "* vulnerability"
"""What a comment means that answers every vulnerability, and no remark; "*" is everything."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One table of suppressions.toml: another tool's comments."""

    name: str
    comment: re.Pattern[str]
    id: re.Pattern[str] | None
    bare: Literal["all", "vulnerability", "nothing"]
    rules: tuple[tuple[str, tuple[str, ...]], ...]
    """A pattern of ids; the rules' ids and "CWE-78" that it means."""

    def meaning(self, ids: str | None) -> tuple[str, ...]:
        """What a comment with these ids answers."""
        named = self.id.findall(ids) if ids and self.id is not None else []
        if named:
            meant = (means for one in named for pattern, means in self.rules if fnmatchcase(one, pattern))
            return tuple(dict.fromkeys(word for means in meant for word in means))
        return {"all": ("*",), "vulnerability": (ANY_VULNERABILITY,), "nothing": ()}[self.bare]


@cache
def tools() -> tuple[Tool, ...]:
    """The other tools whose comments are honoured."""
    data = tomli.loads(TOOLS.read_text("utf-8"))
    return tuple(
        Tool(
            name,
            re.compile(table["comment"]),
            re.compile(table["id"]) if "id" in table else None,
            table["bare"],
            tuple(
                (pattern, tuple(f"CWE-{word}" if isinstance(word, int) else word for word in means))
                for pattern, means in table.get("rules", {}).items()
            ),
        )
        for name, table in data.items()
    )
