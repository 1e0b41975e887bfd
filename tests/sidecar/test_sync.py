"""The collector: in order, once, through every kind of trouble."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sidecar.doubles.collector import Collector
from sidecar.running import Home, connected, eventually, running


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    collector = Collector()
    await collector.start()
    yield collector
    await collector.stop()


def home(tmp_path: Path, collector: Collector, key: str = "collector-key") -> Home:
    return Home(tmp_path / "home", f"gateway: {{port: 0}}\ncollector: {{url: '{collector.url}', key: {key}}}\n")


async def asked(home: Home, count: int) -> None:
    async with connected(home) as client:
        for number in range(count):
            await client.ask("status", f"t{number}", conversation="c")


async def test_it_waits_while_nobody_is_there_and_shows_exactly_what_it_would_send(
    tmp_path: Path, collector: Collector
) -> None:
    place = home(tmp_path, collector)
    await collector.stop()
    with running(place):
        await asked(place, 5)
        shown = place.command("queue", "show")
        assert 5 == shown.stdout.count('"key":"gateway:t')
        assert "collector-key" not in shown.stdout
        await collector.start()
        await eventually(lambda: len(collector.results) == 5, 20)
        await eventually(lambda: "completed" in place.command("queue", "list", "--all").stdout)

    assert [f"gateway:t{number}:record" for number in range(5)] == list(collector.results)
    assert (collector.chain_holds(), []) == (True, collector.disorder)


async def test_trouble_costs_nothing_and_one_refused_result_stands_alone(tmp_path: Path, collector: Collector) -> None:
    place = home(tmp_path, collector)
    collector.fail, collector.refuse = [500, 429], {"gateway:t1:record"}
    with running(place):
        await asked(place, 4)
        await eventually(lambda: len(collector.results) == 3, 30)
        listed = place.command("queue", "list").stdout

    assert {"gateway:t0:record", "gateway:t2:record", "gateway:t3:record"} == set(collector.results)
    assert "record  dead" in listed and "the collector answered 422" in listed


async def test_a_wrong_key_loses_nothing(tmp_path: Path, collector: Collector) -> None:
    place = home(tmp_path, collector, "wrong-key")
    with running(place):
        await asked(place, 2)
        await eventually(lambda: collector.requests > 0)
        listed = place.command("queue", "list").stdout

    assert (0, 0) == (len(collector.results), listed.count("dead"))
