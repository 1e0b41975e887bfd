"""The audit log: every request, decision and delivery, each line chained to the one before it by a digest.

    digest = SHA-256(digest before, "\\n", canonical JSON of [sequence, time, event, facts]); before the first: 64 zeros

A line is appended in the transaction whose deed it tells: there is no deed without its line and no line without its deed, whatever is
killed when. `verify` finds an edit, a gap, a reorder (the chain breaks), and a cut at the end: the database remembers the highest
number it ever gave, and the anchor, a small file beside it, the last lines it has seen. Somebody who can write all of the user's files can
make a new chain from the start; only an anchor kept elsewhere (the collector has one in every batch) tells then.

Deliberately absent from lines: what was said, and any secret. They say who, where, which handler, which entry, and the decision.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import platform_

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log."""

    sequence: int
    time: str
    event: str
    facts: str
    digest: str

    def as_json(self) -> dict[str, Any]:
        """For people and the collector."""
        return {
            "sequence": self.sequence,
            "time": self.time,
            "event": self.event,
            "facts": json.loads(self.facts),
            "digest": self.digest,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found: how many lines hold, the last digest, and the first break in words ("" if there is none)."""

    lines: int
    digest: str
    broken: str = ""


def append(db: sqlite3.Connection, now: float, event: str, **facts: Any) -> None:
    """Write a line, in the caller's transaction."""
    last = db.execute("SELECT sequence, digest FROM audit ORDER BY sequence DESC LIMIT 1").fetchone()
    sequence, before = (last["sequence"], last["digest"]) if last else (_highest(db), GENESIS)
    time = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
    text = canonical(facts)
    digest = digest_of(before, sequence + 1, time, event, text)
    db.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?)", (sequence + 1, time, event, text, digest))


def after(db: sqlite3.Connection, sequence: int, most: int) -> list[Line]:
    """The lines that follow a number, in order."""
    rows = db.execute("SELECT * FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?", (sequence, most))
    return [Line(*row) for row in rows]


def verify(db: sqlite3.Connection, anchor: tuple[int, str] | None = None) -> Verdict:
    """Go through the whole chain. `anchor` is a number and the digest that its line had."""
    digest, expected = GENESIS, 1
    for row in db.execute("SELECT * FROM audit ORDER BY sequence"):
        line = Line(*row)
        if line.sequence != expected:
            return Verdict(
                expected - 1, digest, f"line {expected} is missing; line {line.sequence} follows line {expected - 1}"
            )
        if digest_of(digest, line.sequence, line.time, line.event, line.facts) != line.digest:
            return Verdict(
                expected - 1, digest, f"line {line.sequence} is not what was written, or not where it was written"
            )
        digest = line.digest
        if anchor is not None and anchor[0] == line.sequence and anchor[1] != digest:
            return Verdict(expected, digest, f"line {line.sequence} is not the one that the anchor has seen")
        expected += 1
    highest = max(_highest(db), anchor[0] if anchor else 0)
    if highest >= expected:
        return Verdict(expected - 1, digest, f"the log ends with line {expected - 1}, but line {highest} was written")
    return Verdict(expected - 1, digest)


def read_anchor(path: Path) -> tuple[int, str] | None:
    """What the anchor has seen last; None if there is no anchor yet. Raises ValueError if it makes no sense."""
    try:
        data = json.loads(path.read_bytes())
        return int(data["lines"]), str(data["digest"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not an anchor") from error


def write_anchor(db: sqlite3.Connection, path: Path) -> None:
    """Let the anchor see the last line, unless the chain does not hold what it saw before: then it stays as evidence."""
    last = db.execute("SELECT sequence, digest FROM audit ORDER BY sequence DESC LIMIT 1").fetchone()
    if last is None:
        return
    seen = read_anchor(path)
    if seen is not None:
        row = db.execute("SELECT digest FROM audit WHERE sequence = ?", (seen[0],)).fetchone()
        if row is None or row["digest"] != seen[1] or seen[0] == last["sequence"]:
            return
    platform_.write_private(path, json.dumps({"lines": last["sequence"], "digest": last["digest"]}).encode())


def canonical(facts: dict[str, Any]) -> str:
    """Facts as the one text that the digest is over."""
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest_of(before: str, sequence: int, time: str, event: str, facts: str) -> str:
    """The digest of a line, given that of the line before it. See the module."""
    line = json.dumps([sequence, time, event, facts], separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(f"{before}\n{line}".encode()).hexdigest()


def _highest(db: sqlite3.Connection) -> int:
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'audit'").fetchone()
    return int(row[0]) if row else 0
