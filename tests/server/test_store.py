from __future__ import annotations

import os
import pickle
import sqlite3
import stat
import sys
from pathlib import Path

import pytest

from closeread import store as store_
from closeread.store import WANTED, Statistics, Store, grown


class Bomb:
    """Unpickling it makes a folder."""

    def __init__(self, crater: Path) -> None:
        self.crater = str(crater)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.crater,)


def plant(folder: Path, statement: str, *values: object) -> None:
    with sqlite3.connect(folder / "cache.db") as connection:
        connection.execute(statement, values)
    connection.close()


def test_what_was_put_is_there_for_the_next_one(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put_many({b"a": b"1", b"b": b"x" * 100_000})
    store.close()
    again = Store(tmp_path)

    assert again.get_many([b"a", b"b", b"c"]) == {b"a": b"1", b"b": b"x" * 100_000}
    assert again.count() == 2
    assert again.size() > 100_000
    again.clear()
    assert Store(tmp_path).get_many([b"a"]) == {}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_only_the_user_can_read_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "new")
    store.put_many({b"a": b"1"})

    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new" / "results").iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE((tmp_path / "new" / "results").stat().st_mode) == 0o700
    store.close()


@pytest.mark.parametrize("in_file", [False, True])
def test_a_planted_pickle_is_a_miss_and_nothing_runs(tmp_path: Path, in_file: bool) -> None:
    store = Store(tmp_path)
    store.put_many({b"a": b"1", b"b": b"2"})
    store.close()
    bomb = pickle.dumps(Bomb(tmp_path / "crater"))
    if in_file:
        (store.folder / "bomb.val").write_bytes(bomb)
        plant(store.folder, "UPDATE Cache SET mode = 4, filename = 'bomb.val', value = NULL WHERE key = ?", b"a")
    else:
        plant(store.folder, "UPDATE Cache SET mode = 4, value = ? WHERE key = ?", bomb, b"a")
    again = Store(tmp_path)

    assert again.get_many([b"a", b"b"]) == {b"b": b"2"}
    assert again.warning == ""
    assert not (tmp_path / "crater").exists()
    again.close()


def test_the_plant_would_go_off_in_the_librarys_own_disk(tmp_path: Path) -> None:
    """So that the test above cannot pass for a wrong reason."""
    import diskcache

    store = Store(tmp_path)
    store.put_many({b"a": b"1"})
    store.close()
    plant(
        store.folder,
        "UPDATE Cache SET mode = 4, value = ? WHERE key = ?",
        pickle.dumps(Bomb(tmp_path / "crater")),
        b"a",
    )
    with diskcache.Cache(str(store.folder)) as cache:
        cache.get(b"a")

    assert (tmp_path / "crater").is_dir()


def test_a_planted_row_cannot_name_a_file_to_read_or_remove(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("mine")
    store = Store(tmp_path / "c")
    store.put_many({b"a": b"1"})
    store.close()
    plant(store.folder, "UPDATE Cache SET mode = 2, filename = '../../secret', value = NULL WHERE key = ?", b"a")
    again = Store(tmp_path / "c")

    assert again.get_many([b"a"]) == {}
    again.put_many({b"a": b"2"})
    assert secret.read_text() == "mine"
    assert again.get_many([b"a"]) == {b"a": b"2"}
    again.close()


def test_a_corrupt_database_gives_one_warning_and_misses(tmp_path: Path) -> None:
    folder = Store(tmp_path).folder
    for file in folder.iterdir():
        file.unlink()
    (folder / "cache.db").write_bytes(b"this is no database" * 100)
    store = Store(tmp_path)

    assert store.get_many([b"a"]) == {}
    store.put_many({b"a": b"1"})
    assert "cannot be used" in store.warning
    store.clear()
    mended = Store(tmp_path)
    mended.put_many({b"a": b"1"})
    assert (mended.get_many([b"a"]), mended.warning) == ({b"a": b"1"}, "")
    mended.close()


def test_where_no_folder_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = Store(tmp_path / "file" / "below")

    assert store.get_many([b"a"]) == {}
    assert "cannot be used" in store.warning


def test_a_full_disk(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store._cache is not None
    store._cache._sql("PRAGMA max_page_count = 1")
    store.put_many({b"a": b"1" * 1_000_000})

    assert "full" in store.warning
    # What is in memory is still there, until the process ends.
    assert store.get_many([b"a", b"b"]) == {b"a": b"1" * 1_000_000}
    assert Store(tmp_path).get_many([b"a"]) == {}


def test_questions_are_counted_over_all_runs(tmp_path: Path) -> None:
    for _ in range(2):
        store = Store(tmp_path)
        store.put_many({b"a": b"1"})
        store.get_many([b"a", b"b"])
        store.close()
    store = Store(tmp_path)

    assert (2, 2, 0.5) == (store.statistics().hits, store.statistics().misses, store.statistics().rate)
    assert store.count() == 1


def test_memory_answers_without_the_database(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put_many({b"a": b"1"})
    assert store._cache is not None
    store._cache.delete(b"a")

    assert store.get_many([b"a"]) == {b"a": b"1"}


def test_a_full_store_that_misses_too_much_grows_up_to_its_largest() -> None:
    mebibyte = 1024 * 1024

    assert grown(10, 990, 127 * mebibyte, 128 * mebibyte) == 256 * mebibyte
    assert grown(10, 990, 60 * mebibyte, 128 * mebibyte) == 128 * mebibyte  # there is room: more would not help
    assert grown(800, 200, 127 * mebibyte, 128 * mebibyte) == 128 * mebibyte
    assert grown(1, 9, 127 * mebibyte, 128 * mebibyte) == 128 * mebibyte  # too few to tell
    assert grown(0, 1000, 2048 * mebibyte, 2048 * mebibyte) == 2048 * mebibyte


def test_a_store_stays_as_large_as_it_grew(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put_many({b"\0statistics": Statistics(0, 0, 256 * 1024 * 1024).written()})
    store.close()
    store = Store(tmp_path)
    assert store._cache is not None

    assert store._cache.size_limit == 256 * 1024 * 1024


def test_the_store_grows_until_what_is_asked_again_and_again_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs that all look at the same files, four times as many as there is room for at first."""
    monkeypatch.setattr(store_, "_SMALLEST", 1_000_000)
    monkeypatch.setattr(store_, "_IN_MEMORY", 0)
    first = Store(tmp_path)
    first.put_many({b"\0statistics": Statistics(0, 0, 1_000_000).written()})
    first.close()
    values = {b"file %d" % number: os.urandom(10_000) for number in range(400)}
    rates, limits = [], []
    for _ in range(5):
        store = Store(tmp_path)
        known = store.get_many(values)
        store.put_many({key: value for key, value in values.items() if key not in known})
        rates.append(len(known) / len(values))
        store.close()
        limits.append(Store(tmp_path).statistics().limit)

    assert rates[0] == 0
    assert rates[1] < WANTED < rates[-1]
    assert limits[0] > 1_000_000
    assert limits[-1] == limits[-2] < 10_000_000  # enough is enough
