"""The states of an entry, as functions over an open transaction.

    held ----> ready <---> leased ---> done ---> completed
    (another    ^  \\          \
     is before  |   \\----------\\----> cancelled
     it)        |               \\---> dead   (`closeread queue retry` makes it ready again)

- *held*: accepted; another entry of its lane is open before it. One entry of a lane at most is ready or leased, which is all of the order.
- *ready*: may be taken once it is due. A failed attempt leaves it here with a later `due`: what comes after it waits.
- *leased*: somebody is at it, until `expires`. Each lease has its own name, so that whoever lost it cannot settle the entry.
- *done*: a task was handled and its answer is kept, but not everybody has it yet; *completed* when they all have.
- *dead*: it failed too often, or for good. The lane goes on without it; nothing deletes it but the user.

`now` is always seconds since 1970, handed in. Deliberately absent: what entries mean, and who is told.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

OPEN = ("held", "ready", "leased")
SETTLED = ("completed", "cancelled")


@dataclass(frozen=True, slots=True)
class New:
    """An entry to be made."""

    key: str
    kind: str
    lane: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it stands in the table."""

    id: int
    key: str
    kind: str
    lane: str
    parent: int | None
    body: dict[str, Any]
    state: str
    attempts: int
    due: float
    lease: str | None
    result: dict[str, Any] | None
    error: str
    created: float
    changed: float


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept. Beyond it new tasks are refused; what was accepted always has room to be settled."""

    waiting: int = 10_000
    """Open tasks."""

    size: int = 256 * 1024 * 1024
    """Bytes of the database."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often, and with which pauses, something is tried again."""

    attempts: int = 8
    first: float = 1.0
    """Seconds before the second attempt; each further one waits twice as long."""

    longest: float = 300.0

    def pause(self, attempts: int) -> float:
        """Seconds to wait after that many attempts."""
        return float(min(self.longest, self.first * 2 ** max(0, min(attempts, 30) - 1)))


class Busy(Exception):
    """No more is accepted now; says what is full."""


class LeaseLost(Exception):
    """Whoever settles the entry does not have it any more."""


def accept(db: sqlite3.Connection, now: float, new: New, bounds: Bounds) -> tuple[Entry | None, bool]:
    """Take in a task. Gives the entry (None if it was purged since) and whether it is new. Raises Busy."""
    known = db.execute("SELECT * FROM entry WHERE key = ?", (new.key,)).fetchone()
    if known is not None:
        return _entry(known), False
    if db.execute("SELECT 1 FROM seen WHERE key = ?", (new.key,)).fetchone():
        return None, False
    if sum(count(db, new.kind, state) for state in OPEN) >= bounds.waiting:
        raise Busy(f"{bounds.waiting:,} tasks are waiting")
    if size(db) >= bounds.size:
        raise Busy(f"the queue has its {bounds.size // 1_000_000:,} MB on disk")
    return get(db, _insert(db, now, new, None)), True


def take(db: sqlite3.Connection, now: float, kind: str, lasting: float, id_: int | None = None) -> Entry | None:
    """Lease the next entry of that kind that is due, or the one of that number, for `lasting` seconds."""
    if id_ is None:
        query = "SELECT * FROM entry WHERE kind = ? AND state = 'ready' AND due <= ? ORDER BY due, id LIMIT 1"
        row = db.execute(query, (kind, now)).fetchone()
    else:
        query = "SELECT * FROM entry WHERE id = ? AND kind = ? AND state = 'ready' AND due <= ?"
        row = db.execute(query, (id_, kind, now)).fetchone()
    return None if row is None else _lease(db, now, row["id"], lasting, secrets.token_hex(8))


def take_run(db: sqlite3.Connection, now: float, lane: str, most: int, lasting: float) -> list[Entry]:
    """Lease the next entries of a lane, in order, under one lease."""
    head = db.execute("SELECT id FROM entry WHERE lane = ? AND state = 'ready' AND due <= ?", (lane, now)).fetchone()
    if head is None:
        return []
    query = "SELECT id FROM entry WHERE lane = ? AND state = 'held' AND id > ? ORDER BY id LIMIT ?"
    rest = db.execute(query, (lane, head["id"], most - 1)).fetchall()
    lease = secrets.token_hex(8)
    return [_lease(db, now, row["id"], lasting, lease) for row in (head, *rest)]


def extend(db: sqlite3.Connection, now: float, entry: Entry, lasting: float) -> bool:
    """Keep a lease. False if it is lost (or the entry was cancelled)."""
    changed = db.execute(
        "UPDATE entry SET expires = ? WHERE id = ? AND state = 'leased' AND lease = ?",
        (now + lasting, entry.id, entry.lease),
    )
    return changed.rowcount == 1


def settle(
    db: sqlite3.Connection, now: float, entry: Entry, result: dict[str, Any], follow: Sequence[New] = ()
) -> None:
    """It is done, with `result`; `follow` is what comes of it. All in this transaction. Raises LeaseLost."""
    _own(db, entry)
    made = [_insert(db, now, new, entry.id) for new in follow]
    _move(db, now, entry.id, "done" if made else "completed", result=json.dumps(result))
    _promote(db, now, entry.lane)
    if entry.parent is not None:
        _complete_parent(db, now, entry.parent)


def fail(
    db: sqlite3.Connection, now: float, entry: Entry, error: str, patience: Patience, after: float | None = None
) -> str:
    """An attempt failed; gives the new state. `after` is how long the other side wants to be left alone. Raises LeaseLost."""
    _own(db, entry)
    if entry.attempts >= patience.attempts:
        _bury(db, now, entry, error)
        return "dead"
    _again(db, now, entry.id, now + (patience.pause(entry.attempts) if after is None else after), error)
    return "ready"


def refuse(db: sqlite3.Connection, now: float, entry: Entry, error: str) -> None:
    """It can never succeed: dead at once. Raises LeaseLost."""
    _own(db, entry)
    _bury(db, now, entry, error)


def give_back(db: sqlite3.Connection, now: float, entry: Entry, error: str, pause: float) -> None:
    """The other side could not be reached: that is no attempt of the entry's. Raises LeaseLost."""
    _own(db, entry)
    _again(db, now, entry.id, now + pause, error, attempts=-1)


def cancel(db: sqlite3.Connection, now: float, key: str) -> Entry | None:
    """Nobody wants it any more. Gives the entry as it was if it was open, leased ones included; None otherwise."""
    row = db.execute("SELECT * FROM entry WHERE key = ?", (key,)).fetchone()
    if row is None or row["state"] not in OPEN:
        return None
    _move(db, now, row["id"], "cancelled")
    _promote(db, now, row["lane"])
    if row["parent"] is not None:
        _complete_parent(db, now, row["parent"])
    return _entry(row)


def release(db: sqlite3.Connection, now: float, everything: bool = False, patience: Patience | None = None) -> int:
    """Make ready what was leased by somebody who is gone: the expired, or all of them after a start. Gives how many.

    An entry that takes its process down with it every time is buried in the end, like one that fails.
    """
    patience = patience or Patience()
    rows = db.execute(
        "SELECT * FROM entry WHERE state = 'leased' AND (? OR expires <= ?) ORDER BY id", (everything, now)
    ).fetchall()
    for row in rows:
        entry = _entry(row)
        if entry.attempts >= 2 * patience.attempts:
            _bury(db, now, entry, "interrupted too often: the sidecar ended each time while this was handled")
        else:
            head = db.execute(
                "SELECT 1 FROM entry WHERE lane = ? AND state IN ('ready', 'leased') AND id < ?", (entry.lane, entry.id)
            )
            _move(db, now, entry.id, "held" if head.fetchone() else "ready")
            db.execute("UPDATE entry SET due = ? WHERE id = ?", (now, entry.id))
    return len(rows)


def retry(db: sqlite3.Connection, now: float, ids: Sequence[int] | None = None) -> int:
    """Make dead entries open again, those of `ids` or all; and let waiting ones go at once. Gives how many."""
    chosen = "1" if ids is None else f"id IN ({','.join('?' * len(ids))})"
    rows = db.execute(f"SELECT * FROM entry WHERE state = 'dead' AND {chosen} ORDER BY id", tuple(ids or ())).fetchall()
    for row in rows:
        _move(db, now, row["id"], "held")
        db.execute("UPDATE entry SET attempts = 0, error = '', due = ? WHERE id = ?", (now, row["id"]))
        _promote(db, now, row["lane"])
    waiting = db.execute(
        f"UPDATE entry SET due = ? WHERE state = 'ready' AND due > ? AND {chosen}", (now, now, *(ids or ()))
    )
    return len(rows) + waiting.rowcount


def purge(db: sqlite3.Connection, before: float, states: Sequence[str] = SETTLED) -> int:
    """Delete entries that were settled before then; their keys stay known, so that a late duplicate is one. Gives how many."""
    marks = ",".join("?" * len(states))
    chosen = f"FROM entry WHERE state IN ({marks}) AND changed < ?"
    db.execute(f"INSERT OR IGNORE INTO seen SELECT key, changed {chosen} AND kind = 'task'", (*states, before))
    gone = db.execute(f"DELETE {chosen}", (*states, before)).rowcount
    left = (
        "SELECT 1 FROM entry AS child WHERE child.parent = entry.id AND child.state NOT IN ('completed', 'cancelled')"
    )
    db.execute(f"UPDATE entry SET state = 'completed' WHERE state = 'done' AND NOT EXISTS ({left})")
    return gone


def forget(db: sqlite3.Connection, before: float) -> int:
    """Drop the keys of entries purged before then."""
    return db.execute("DELETE FROM seen WHERE time < ?", (before,)).rowcount


def get(db: sqlite3.Connection, id_: int) -> Entry:
    """The entry of that number. Raises LookupError."""
    row = db.execute("SELECT * FROM entry WHERE id = ?", (id_,)).fetchone()
    if row is None:
        raise LookupError(f"there is no entry {id_}")
    return _entry(row)


def find(db: sqlite3.Connection, key: str) -> Entry | None:
    """The entry of that key."""
    row = db.execute("SELECT * FROM entry WHERE key = ?", (key,)).fetchone()
    return None if row is None else _entry(row)


def listed(db: sqlite3.Connection, states: Sequence[str], most: int) -> list[Entry]:
    """The oldest entries in one of those states."""
    query = f"SELECT * FROM entry WHERE state IN ({','.join('?' * len(states))}) ORDER BY id LIMIT ?"
    return [_entry(row) for row in db.execute(query, (*states, most))]


def count(db: sqlite3.Connection, kind: str, state: str) -> int:
    """How many there are of them."""
    row = db.execute("SELECT count FROM tally WHERE kind = ? AND state = ?", (kind, state)).fetchone()
    return int(row[0]) if row else 0


def tally(db: sqlite3.Connection) -> dict[str, dict[str, int]]:
    """How many there are, by kind and state."""
    found: dict[str, dict[str, int]] = {}
    for row in db.execute("SELECT * FROM tally WHERE count > 0"):
        found.setdefault(row["kind"], {})[row["state"]] = row["count"]
    return found


def size(db: sqlite3.Connection) -> int:
    """Bytes in use: what was freed by purging can be used again."""
    pages, free, page = (
        db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * page)


def next_due(db: sqlite3.Connection, kind: str) -> float | None:
    """When the next entry of that kind may be taken."""
    row = db.execute(
        "SELECT due FROM entry WHERE kind = ? AND state = 'ready' ORDER BY due LIMIT 1", (kind,)
    ).fetchone()
    return None if row is None else float(row[0])


# --- Steps -----------------------------------------------------------------------------------------


def _insert(db: sqlite3.Connection, now: float, new: New, parent: int | None) -> int:
    before = db.execute(
        "SELECT 1 FROM entry WHERE lane = ? AND state IN ('held', 'ready', 'leased') LIMIT 1", (new.lane,)
    ).fetchone()
    columns = (new.key, new.kind, new.lane, parent, json.dumps(new.body), "held" if before else "ready", now, now, now)
    made = db.execute(
        "INSERT INTO entry (key, kind, lane, parent, body, state, due, created, changed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        columns,
    )
    return int(made.lastrowid or 0)


def _lease(db: sqlite3.Connection, now: float, id_: int, lasting: float, lease: str) -> Entry:
    _move(db, now, id_, "leased")
    db.execute(
        "UPDATE entry SET attempts = attempts + 1, lease = ?, expires = ? WHERE id = ?", (lease, now + lasting, id_)
    )
    return get(db, id_)


def _own(db: sqlite3.Connection, entry: Entry) -> None:
    row = db.execute(
        "SELECT 1 FROM entry WHERE id = ? AND state = 'leased' AND lease = ?", (entry.id, entry.lease)
    ).fetchone()
    if row is None:
        raise LeaseLost(f"entry {entry.id} is not leased to its caller any more")


def _move(db: sqlite3.Connection, now: float, id_: int, state: str, result: str | None = None) -> None:
    query = "UPDATE entry SET state = ?, result = coalesce(?, result), lease = NULL, expires = NULL, changed = ? WHERE id = ?"
    db.execute(query, (state, result, now, id_))


def _promote(db: sqlite3.Connection, now: float, lane: str) -> None:
    if db.execute("SELECT 1 FROM entry WHERE lane = ? AND state IN ('ready', 'leased') LIMIT 1", (lane,)).fetchone():
        return
    row = db.execute("SELECT id FROM entry WHERE lane = ? AND state = 'held' ORDER BY id LIMIT 1", (lane,)).fetchone()
    if row is not None:
        _move(db, now, row["id"], "ready")


def _again(db: sqlite3.Connection, now: float, id_: int, due: float, error: str, attempts: int = 0) -> None:
    # Of a run that was leased together only its first may be ready.
    lane = db.execute("SELECT lane FROM entry WHERE id = ?", (id_,)).fetchone()["lane"]
    first = db.execute(
        "SELECT 1 FROM entry WHERE lane = ? AND state IN ('ready', 'leased') AND id < ? LIMIT 1", (lane, id_)
    ).fetchone()
    _move(db, now, id_, "held" if first else "ready")
    db.execute(
        "UPDATE entry SET due = ?, error = ?, attempts = max(0, attempts + ?) WHERE id = ?",
        (due, error[:2000], attempts, id_),
    )


def _bury(db: sqlite3.Connection, now: float, entry: Entry, error: str) -> None:
    _move(db, now, entry.id, "dead")
    db.execute("UPDATE entry SET error = ? WHERE id = ?", (error[:2000], entry.id))
    _promote(db, now, entry.lane)


def _complete_parent(db: sqlite3.Connection, now: float, parent: int) -> None:
    if not db.execute(
        "SELECT 1 FROM entry WHERE parent = ? AND state NOT IN ('completed', 'cancelled')", (parent,)
    ).fetchone():
        _move(db, now, parent, "completed")


def _entry(row: sqlite3.Row) -> Entry:
    return Entry(
        **{name: row[name] for name in ("id", "key", "kind", "lane", "parent", "state", "attempts", "due", "lease")},
        **{name: row[name] for name in ("error", "created", "changed")},
        body=json.loads(row["body"]),
        result=None if row["result"] is None else json.loads(row["result"]),
    )
