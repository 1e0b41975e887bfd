"""Who may ask, and how often: allow-lists of people and groups, pairing codes, rates. Each test tries to get in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from closeread_sidecar import policy
from closeread_sidecar.message import Message
from closeread_sidecar.policy import Policy, Rate
from closeread_sidecar.queue.ledger import connect, transaction
from closeread_sidecar.settings import Channel

ANN, EVE, GROUP = 7, 666, "-100"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect(tmp_path / "state" / "queue.db")
    with transaction(connection):
        yield connection
    connection.close()


def says(sender: int | str, content: str = "status", group: str = "", platform: str = "telegram") -> Message:
    return Message(platform, sender, content, conversation=group or str(sender), group=bool(group))


def of(*allow: int | str, groups: tuple[int | str, ...] = (), per_minute: int = 20) -> Policy:
    channel = Channel.model_validate({"allow": allow, "conversations": groups, "per-minute": per_minute})
    return Policy({"telegram": channel, "matrix": Channel()})


def log(db: sqlite3.Connection) -> list[str]:
    return [f"{row['event']} {row['facts']}" for row in db.execute("SELECT event, facts FROM audit ORDER BY sequence")]


@pytest.mark.parametrize("sender", [ANN, "", "*", "None", "@ann:example.org"])
def test_an_empty_list_is_nobody(db: sqlite3.Connection, sender: int | str) -> None:
    assert not of().decide(db, says(sender)).allowed
    assert not of().decide(db, says(sender, platform="matrix")).allowed
    assert not of(ANN).decide(db, says(ANN, platform="xmpp")).allowed  # is not set up


@pytest.mark.parametrize("sender", [70, "07", " 7", "7 ", "7/phone", "-7", "７"])
def test_a_list_is_exact(db: sqlite3.Connection, sender: int | str) -> None:
    assert of(ANN).decide(db, says(ANN)).allowed
    assert of("@ann:example.org").decide(db, says("@ann:example.org")).allowed
    assert not of("@ann:example.org").decide(db, says("@Ann:example.org")).allowed

    assert not of(ANN).decide(db, says(sender)).allowed


@pytest.mark.parametrize(
    ("sender", "group", "groups", "allowed"),
    [
        (ANN, GROUP, (), False),  # somebody who may ask, where others read the answer
        (ANN, GROUP, ("-1001",), False),
        (EVE, GROUP, (GROUP,), False),  # somebody in a group where others may ask
        (EVE, GROUP, (GROUP, EVE), False),
        (ANN, GROUP, (GROUP,), True),
        (ANN, GROUP, (-100,), True),
        (ANN, "", (GROUP,), True),
    ],
)
def test_in_a_group_both_must_be_listed(
    db: sqlite3.Connection, sender: int, group: str, groups: tuple[int | str, ...], allowed: bool
) -> None:
    assert allowed == of(ANN, groups=groups).decide(db, says(sender, group=group)).allowed


def test_a_denial_is_a_line_without_a_word_of_what_was_said(db: sqlite3.Connection) -> None:
    chosen = of(ANN)
    for _ in range(100):
        assert not chosen.decide(db, says(EVE, "my secret words")).allowed

    assert [True, False] == [len(log(db)) == 1, "secret words" in log(db)[0]]  # a flood of them is one line


def test_a_code_lets_one_in_once_where_it_was_made_for(db: sqlite3.Connection) -> None:
    chosen, code = of(), policy.new_code(db, "telegram")
    assert not chosen.decide(db, says(EVE, code, platform="matrix")).allowed
    assert not chosen.decide(db, says(EVE, code, group=GROUP)).allowed  # everybody could read it there
    assert not chosen.decide(db, says(EVE, f"{code} {code}")).allowed
    first = chosen.decide(db, says(EVE, f" {code.replace('-', '').lower()} "))
    assert (True, True) == (first.allowed, first.paired)
    assert not chosen.decide(db, says(667, code)).allowed
    assert chosen.decide(db, says(EVE)).allowed
    assert not chosen.decide(db, says(EVE, platform="matrix")).allowed
    assert not chosen.decide(db, says(EVE, group=GROUP)).allowed

    assert policy.forget(db, "telegram", str(EVE))
    assert not chosen.decide(db, says(EVE)).allowed


def test_a_code_expires(db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    now = policy.time.time()
    code = policy.new_code(db, "telegram")
    monkeypatch.setattr(policy.time, "time", lambda: now + policy.PAIRING_LASTS + 1)

    assert not of().decide(db, says(EVE, code)).allowed


def test_a_newer_code_ends_the_older(db: sqlite3.Connection) -> None:
    old, new = policy.new_code(db, "telegram"), policy.new_code(db, "telegram")

    assert [False, True] == [of().decide(db, says(EVE, code)).allowed for code in (old, new)]


def test_a_code_burns_when_it_is_guessed_at(db: sqlite3.Connection) -> None:
    code = policy.new_code(db, "telegram")
    for number in range(20):
        assert not of().decide(db, says(1000 + number, "AAAA-AAAA")).allowed

    assert not of().decide(db, says(EVE, code)).allowed


def test_a_code_is_nowhere_to_be_read(db: sqlite3.Connection) -> None:
    code = policy.new_code(db, "telegram")
    kept = " ".join(str(value) for row in db.execute("SELECT * FROM pairing") for value in row) + " ".join(log(db))

    assert code not in kept and code.replace("-", "") not in kept


def test_each_sender_has_a_rate_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(policy.time, "monotonic", lambda: now[0])
    chosen = of(ANN, EVE, per_minute=3)
    within = [chosen.pause(says(ANN)) for _ in range(3)]
    over = [chosen.pause(says(ANN)) for _ in range(3)]
    other = chosen.pause(says(EVE))
    now[0] += 20  # a third of a minute: one more
    later = [chosen.pause(says(ANN))[0] for _ in range(2)]

    assert [(0.0, False)] * 3 == within
    assert [(20.0, False), (20.0, True), (20.0, True)] == over  # told once, and not at every message of a flood
    assert (0.0, False) == other
    assert [0.0, 20.0] == later


def test_the_rate_remembers_many_senders_and_no_more() -> None:
    rate = Rate(1)
    for number in range(20_000):
        assert rate.spend(number, 0.0) == 0

    assert rate.spend(19_999, 0.0) > 0
    assert len(rate._buckets) <= 10_001
