"""The states of an entry: order in a lane, leases, back-off, dead letters, duplicates, bounds; and many operations in one commit."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from closeread_sidecar.queue import entries
from closeread_sidecar.queue.entries import Bounds, Busy, Entry, LeaseLost, New, Patience
from closeread_sidecar.queue.ledger import Ledger, connect, transaction

BOUNDS = Bounds()
PATIENCE = Patience(attempts=3, first=1.0, longest=8.0)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect(tmp_path / "state" / "queue.db")
    with transaction(connection):
        yield connection
    connection.close()


def ask(db: sqlite3.Connection, key: str, lane: str = "a", now: float = 0.0, bounds: Bounds = BOUNDS) -> bool:
    return entries.accept(db, now, New(key, "task", lane, {"text": key}), bounds)[1]


def take(db: sqlite3.Connection, now: float = 1.0) -> Entry:
    entry = entries.take(db, now, "task", 60)
    assert entry is not None
    return entry


def states(db: sqlite3.Connection) -> dict[str, str]:
    return {row["key"]: row["state"] for row in db.execute("SELECT key, state FROM entry ORDER BY id")}


def test_the_truth_waits_for_the_disk(db: sqlite3.Connection) -> None:
    assert ("wal", 2) == (
        db.execute("PRAGMA journal_mode").fetchone()[0],
        db.execute("PRAGMA synchronous").fetchone()[0],
    )


def test_one_of_a_lane_at_a_time_and_lanes_beside_each_other(db: sqlite3.Connection) -> None:
    for key, lane in [("1", "a"), ("2", "a"), ("3", "b")]:
        ask(db, key, lane)
    first, other = take(db), take(db)
    assert entries.take(db, 1.0, "task", 60) is None
    entries.settle(db, 2.0, first, {})

    assert ["1", "3", "2"] == [first.key, other.key, take(db).key]


def test_the_same_key_is_the_same_entry_even_after_purging(db: sqlite3.Connection) -> None:
    assert ask(db, "1")
    assert not ask(db, "1")
    entries.settle(db, 2.0, take(db), {})
    assert not ask(db, "1")
    assert entries.purge(db, 3.0) == 1
    assert not ask(db, "1")
    entries.forget(db, 4.0)

    assert ask(db, "1")


def test_a_failure_waits_longer_each_time_holds_its_lane_and_is_dead_in_the_end(db: sqlite3.Connection) -> None:
    ask(db, "1")
    ask(db, "2")
    assert entries.fail(db, 1.0, take(db), "no", PATIENCE) == "ready"
    assert entries.take(db, 1.9, "task", 60) is None
    assert entries.fail(db, 2.0, take(db, 2.0), "no", PATIENCE) == "ready"
    assert entries.take(db, 3.9, "task", 60) is None
    assert entries.fail(db, 4.0, take(db, 4.0), "no", PATIENCE) == "dead"

    assert {"1": "dead", "2": "ready"} == states(db)


def test_what_is_dead_can_be_tried_again_in_its_place(db: sqlite3.Connection) -> None:
    ask(db, "1")
    ask(db, "2")
    entries.refuse(db, 1.0, take(db), "never")
    ask(db, "3")
    second = take(db)
    assert entries.retry(db, 2.0) == 1
    assert {"1": "held", "2": "leased", "3": "held"} == states(db)
    entries.settle(db, 3.0, second, {})

    assert take(db, 3.0).key == "1"


def test_unreachable_is_no_attempt(db: sqlite3.Connection) -> None:
    ask(db, "1")
    for _ in range(50):
        entries.give_back(db, 1.0, take(db), "away", 0.0)

    assert take(db).attempts == 1


def test_a_lease_that_ended_settles_nothing(db: sqlite3.Connection) -> None:
    ask(db, "1")
    slow = entries.take(db, 0.0, "task", 10)
    assert slow is not None
    assert entries.release(db, 9.0) == 0
    assert entries.release(db, 10.0) == 1
    quick = take(db, 10.0)
    with pytest.raises(LeaseLost):
        entries.settle(db, 11.0, slow, {"by": "slow"})
    assert not entries.extend(db, 11.0, slow, 10)
    entries.settle(db, 11.0, quick, {"by": "quick"})
    with pytest.raises(LeaseLost):
        entries.settle(db, 12.0, quick, {"by": "twice"})

    assert entries.get(db, quick.id).result == {"by": "quick"}


def test_what_takes_its_process_down_every_time_is_buried(db: sqlite3.Connection) -> None:
    ask(db, "poison")
    for _ in range(2 * PATIENCE.attempts):
        take(db)
        entries.release(db, 1.0, everything=True, patience=PATIENCE)

    assert {"poison": "dead"} == states(db)


def test_a_task_is_completed_when_everybody_has_what_came_of_it(db: sqlite3.Connection) -> None:
    ask(db, "1")
    follow = [New("1:answer", "answer", "x", {}), New("1:record", "record", "collector", {})]
    entries.settle(db, 1.0, take(db), {}, follow)
    for kind, expected in [("answer", "done"), ("record", "completed")]:
        entry = entries.take(db, 1.0, kind, 60)
        assert entry is not None
        entries.settle(db, 1.0, entry, {})

        assert states(db)["1"] == expected


def test_a_run_of_a_lane_goes_and_comes_back_in_order(db: sqlite3.Connection) -> None:
    for key in "12345":
        ask(db, key)
    run = entries.take_run(db, 1.0, "a", 3, 60)
    assert ["1", "2", "3"] == [entry.key for entry in run]
    for entry in run:
        entries.give_back(db, 1.0, entry, "away", 0.0)
    assert ["ready", "held", "held", "held", "held"] == list(states(db).values())
    for entry in entries.take_run(db, 1.0, "a", 3, 60):
        entries.settle(db, 1.0, entry, {})

    assert take(db).key == "4"


def test_full_is_said_and_costs_nothing_that_was_accepted(db: sqlite3.Connection) -> None:
    ask(db, "1", bounds=Bounds(waiting=1))
    with pytest.raises(Busy, match="1 tasks are waiting"):
        ask(db, "2", bounds=Bounds(waiting=1))
    with pytest.raises(Busy, match="on disk"):
        ask(db, "3", bounds=Bounds(size=1))
    entries.settle(db, 1.0, take(db), {}, [New("1:record", "record", "collector", {})])

    assert {"1": "done", "1:record": "ready"} == states(db)


def test_the_tally_is_the_count_and_a_lane_has_one_head_whatever_happens(db: sqlite3.Connection) -> None:
    """A thousand random steps, and the two invariants after each."""
    chance, leased = random.Random(5), dict[int, Entry]()
    for step in range(1000):
        now = float(step)
        match chance.randrange(8):
            case 0 | 1 | 2:
                ask(db, f"k{chance.randrange(400)}", chance.choice("abc"), now)
            case 3 | 4:
                entry = entries.take(db, now, "task", chance.choice([2, 50]))
                if entry is not None:
                    leased[entry.id] = entry
            case 5 if leased:
                entry = leased.pop(chance.choice(list(leased)))
                end = chance.randrange(4)
                try:
                    if end == 0:
                        entries.fail(db, now, entry, "no", PATIENCE)
                    elif end == 1:
                        entries.give_back(db, now, entry, "away", 1.0)
                    else:
                        entries.settle(db, now, entry, {})
                except LeaseLost:
                    pass
            case 6 if chance.random() < 0.5:
                entries.release(db, now)
            case 6:
                entries.cancel(db, now, f"k{chance.randrange(400)}")
            case 7 if chance.random() < 0.5:
                entries.retry(db, now)
            case 7:
                entries.purge(db, now - 100)
        counted = {
            (row[0], row[1]): row[2] for row in db.execute("SELECT kind, state, count(*) FROM entry GROUP BY 1, 2")
        }
        assert counted == {
            (kind, state): count for kind, of in entries.tally(db).items() for state, count in of.items()
        }
        heads = db.execute(
            "SELECT lane, sum(state <> 'held') FROM entry WHERE state IN ('held', 'ready', 'leased') GROUP BY lane"
        )

        assert all(count == 1 for _, count in heads)


async def test_operations_share_a_commit_and_fail_alone(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "state" / "queue.db")
    rang = []
    ledger.listen(lambda: rang.append(1))

    def wrong(db: sqlite3.Connection) -> None:
        ask(db, "half")
        raise ValueError("wrong")

    jobs = [ledger.run(lambda db, n=n: ask(db, f"k{n}", f"lane{n}")) for n in range(100)]
    outcomes = await asyncio.gather(*jobs, ledger.run(wrong), return_exceptions=True)
    count = await ledger.run(lambda db: entries.count(db, "task", "ready"))
    await ledger.close()

    assert (100, True) == (count, isinstance(outcomes[-1], ValueError))
    assert 0 < len(rang) < 50


async def test_a_full_disk_accepts_nothing_and_is_said(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "state" / "queue.db")
    await ledger.run(lambda db: db.execute("PRAGMA max_page_count = 60"))  # as a disk that is full then: SQLITE_FULL
    with pytest.raises(sqlite3.OperationalError, match="full"):
        for number in range(100):
            await ledger.run(
                lambda db, n=number: entries.accept(db, 0, New(f"k{n}", "task", "a", {"x": "y" * 5000}), Bounds())
            )
    kept = await ledger.run(lambda db: db.execute("SELECT count(*) FROM entry").fetchone()[0])
    accepted = number
    await ledger.close()

    assert accepted == kept
