"""The audit log: any edit, cut or reorder is found, and nothing deletes from it by accident."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from closeread_sidecar import audit
from closeread_sidecar.queue.ledger import connect, transaction
from sidecar.running import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    connection = connect(home.state / "queue.db")
    with transaction(connection) as db:
        for number in range(20):
            audit.append(db, 1_700_000_000 + number, "asked", entry=number, name="\u00e9\u4e2d")
    audit.write_anchor(connection, home.state / "audit.anchor")
    connection.close()
    return home


def tampered(home: Home, *statements: str) -> str:
    """What `closeread audit verify` says after somebody has edited the file, without our triggers."""
    db = sqlite3.connect(home.state / "queue.db")
    db.execute("DROP TRIGGER audit_unchanged")
    db.execute("DROP TRIGGER audit_kept")
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()
    done = home.command("audit", "verify")
    assert done.exit_code == (1 if "does not hold" in done.stdout else 0), done.stderr
    return done.stdout.splitlines()[0]


def test_an_untouched_log_holds(home: Home) -> None:
    assert tampered(home) == "The audit log holds: 20 lines."


SWAP = [
    "UPDATE audit SET sequence = 99 WHERE sequence = 5",
    "UPDATE audit SET sequence = 5 WHERE sequence = 6",
    "UPDATE audit SET sequence = 6 WHERE sequence = 99",
]


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (["UPDATE audit SET facts = replace(facts, '7', '8') WHERE sequence = 8"], "line 8 is not what was written"),
        (["UPDATE audit SET event = 'denied' WHERE sequence = 1"], "line 1 is not what was written"),
        (["UPDATE audit SET time = '2020' WHERE sequence = 20"], "line 20 is not what was written"),
        (["DELETE FROM audit WHERE sequence = 10"], "line 10 is missing"),
        (["DELETE FROM audit WHERE sequence = 1"], "line 1 is missing"),
        (["DELETE FROM audit WHERE sequence > 15"], "the log ends with line 15, but line 20 was written"),
        (["DELETE FROM audit"], "the log ends with line 0, but line 20 was written"),
        (SWAP, "line 5 is not what was written, or not where"),
        # Somebody who knows how the database counts is still found out by the anchor.
        (
            ["DELETE FROM audit WHERE sequence > 15", "UPDATE sqlite_sequence SET seq = 15 WHERE name = 'audit'"],
            "the log ends with line 15, but line 20 was written",
        ),
    ],
)
def test_tampering_is_found(home: Home, statements: list[str], said: str) -> None:
    assert said in tampered(home, *statements)


def test_a_new_chain_is_found_by_an_anchor(home: Home) -> None:
    kept = home.command("audit", "verify").stdout.splitlines()[1]
    home_path = home.state / "queue.db"
    home_path.unlink()
    for rest in home.state.glob("queue.db-*"):
        rest.unlink()
    connection = connect(home_path)
    with transaction(connection) as db:
        for number in range(30):
            audit.append(db, 1_700_000_000 + number, "asked", entry=number, name="forged")
    connection.close()
    assert "the anchor has seen" in home.command("audit", "verify").stdout
    (home.state / "audit.anchor").unlink()

    assert "the anchor has seen" in home.command("audit", "verify", "--anchor", kept).stdout


@pytest.mark.parametrize("statement", ["DELETE FROM audit WHERE sequence = 20", "UPDATE audit SET event = 'x'"])
def test_the_database_itself_refuses(home: Home, statement: str) -> None:
    db = sqlite3.connect(home.state / "queue.db")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute(statement)
    db.close()


def test_the_anchor_stays_as_evidence(home: Home) -> None:
    tampered(home, "DELETE FROM audit WHERE sequence > 15")
    before = (home.state / "audit.anchor").read_bytes()
    db = connect(home.state / "queue.db")
    audit.write_anchor(db, home.state / "audit.anchor")
    db.close()

    assert before == (home.state / "audit.anchor").read_bytes()


def test_the_log_is_exported_line_by_line(home: Home) -> None:
    lines = [json.loads(line) for line in home.command("audit", "export", "--after", "18").stdout.splitlines()]

    assert [19, 20] == [line["sequence"] for line in lines]


def test_a_deed_and_its_line_are_one(home: Home) -> None:
    """An operation that fails after its line was written leaves no line."""
    connection = connect(home.state / "queue.db")
    deed: Callable[[], None]
    with pytest.raises(ZeroDivisionError), transaction(connection) as db:
        audit.append(db, 0.0, "asked")
        deed = lambda: 1 / 0  # type: ignore[assignment, return-value]  # noqa: E731
        deed()
    connection.close()

    assert "holds: 20 lines" in home.command("audit", "verify").stdout
