"""A model that a server gives: the same questions, a real server; and servers that are elsewhere, gone or hostile."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from closeread.commands import application
from closeread.model import endpoint, librarian, serving
from closeread.model.address import WrongAddress, parse
from closeread.model.assistant import Assistant
from closeread.model.librarian import Api
from closeread.model.process import Cancelled, ModelProcess
from closeread.model.question import Choice, Chosen, Prompt, Writing, Written
from closeread.model.shelf import ModelProblem, Served, Shelf
from model.served import NAME, server
from model.smollm2 import smollm2
from model.test_process import JSON, SHARED, SYSTEM, choice, prompt
from model.test_server import TEXT, command, shelf
from server.lsp.conftest import Start
from server.lsp.test_whole import COMMAND

PLAIN = "2: Yes\n3: No\n4: Yes\n7:"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with server() as port:
        yield port


@pytest.fixture(scope="module")
def served(port: int) -> Served:
    return serving.look(f"http://localhost:{port}", "")


@pytest.fixture(scope="module")
def running(served: Served) -> Iterator[ModelProcess]:
    made = ModelProcess(served)
    yield made
    made.close()


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of a user who has nothing yet."""
    for name in ("DATA", "CACHE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "machine"))
    return tmp_path


def invoke(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(application(), ["model", *arguments])
    return result.exit_code, " ".join(result.output.split())


# --- The same questions ----------------------------------------------------------------------------


def test_options_weigh_what_they_weigh_in_a_process_of_our_own(running: ModelProcess) -> None:
    here = ModelProcess(smollm2())
    questions = [Choice(Prompt("", PLAIN, f" {word}\n8:"), (" Yes", " No")) for word in ("Yes", "No")]
    questions.append(Choice(Prompt(SYSTEM, SHARED, "4:"), ("Yes", "No")))
    try:
        for question in questions:
            ours, theirs = (process.ask(question).result() for process in (here, running))

            assert isinstance(ours, Chosen) and isinstance(theirs, Chosen)
            assert theirs.logs == pytest.approx(ours.logs, abs=0.5)
    finally:
        here.close()


def test_a_text_comes_in_pieces_that_make_it_up(running: ModelProcess) -> None:
    pieces: list[str] = []
    told = running.ask(Writing(prompt("Count to ten."), 12), piece=pieces.append).result()

    assert isinstance(told, Written)
    assert len(pieces) > 3
    assert told.text.startswith("".join(pieces))


def test_a_grammar_holds_a_stop_ends_and_a_text_that_babbles_is_cut(running: ModelProcess) -> None:
    held = running.ask(Writing(prompt("4:"), 20, grammar=JSON)).result()
    stopped = running.ask(Writing(prompt("Count to ten."), 40, stops=("e",))).result()
    cut = running.ask(Writing(prompt("Write a long story."), 5)).result()

    assert isinstance(held, Written) and isinstance(stopped, Written) and isinstance(cut, Written)
    assert held.text in ('{"even": true}', '{"even": false}')
    assert ("e" in stopped.text, stopped.whole) == (False, True)
    assert (False, 5) == (cut.whole, cut.tokens)


def test_how_an_answer_begins_is_found_in_it(running: ModelProcess) -> None:
    question = Writing(Prompt("You repeat code.", "", "Repeat this:\n```\nx = 1\n```", "```\n"), 40, "", ("```",))

    told = running.ask(question).result()

    assert isinstance(told, Written)
    assert "```" not in told.text
    assert "x = 1" in told.text


def test_many_are_asked_at_once_and_remembered_when_the_server_is_gone(served: Served, tmp_path: Path) -> None:
    first = Assistant(served, tmp_path)
    apis = [Api("python", f"acme{number}.run", "0") for number in range(6)]
    verdicts = librarian.judge(apis, first)
    first.close()
    gone = Assistant(Served(served.name, served.address, served.says, served.chosen), tmp_path)
    again = librarian.judge(apis, gone)
    gone.close()

    assert apis == [verdict.api for verdict in verdicts]
    assert verdicts == again
    assert not gone.process.running
    assert 0 == gone.asked


def test_what_is_chosen_anew_is_asked_anew(served: Served) -> None:
    later = Served(served.name, served.address, served.says, served.chosen + 1)

    assert served.identity != later.identity


def test_a_long_text_is_cancelled_within_200_ms_and_the_server_goes_on(running: ModelProcess) -> None:
    running.ask(choice(1)).result()
    taken = []
    for number in range(3):  # the process has the lowest priority: on a busy machine the shortest time tells
        long = running.ask(Writing(prompt(f"Write a very long story of {number} wolves."), 800))
        time.sleep(0.2)  # begun, and not at its end: the model may tell little
        began = time.monotonic()
        long.cancel()
        with pytest.raises(Cancelled):
            long.result(30)
        taken.append(time.monotonic() - began)

    assert min(taken) < 0.2
    assert isinstance(running.ask(choice(2)).result(60), Chosen)


def test_what_cannot_fit_is_not_sent(running: ModelProcess) -> None:
    with pytest.raises(ModelProblem, match=r"comes to \d,\d+ tokens; there is room for 4,096"):
        running.ask(Choice(prompt("word " * 5_000), ("Yes", "No"))).result()


def test_signs_of_control_are_parted_and_whole_again_in_the_answer() -> None:
    text = "a < b; '<|im_end|>', <s>, </think>, <<SYS>>, [INST], <div>, x[INSTANCE]"
    parted = endpoint._CONTROL.sub(rf"\g<0>{endpoint._MARK}", text)

    assert not any(sign in parted for sign in ("<|im_end|>", "<s>", "</think>", "<<SYS>>", "[INST]"))
    assert "<div>, x[INSTANCE]" in parted
    assert text == parted.replace(endpoint._MARK, "")


# --- As a user sees it -----------------------------------------------------------------------------


def test_a_server_is_taken_into_use_and_explains(port: int, user: Path) -> None:
    (user / "app.py").write_text(
        "import os, flask\n\n\ndef ping():\n    os.system('ping ' + flask.request.args['host'])\n"
    )

    used = invoke("use", f"http://127.0.0.1:{port}")
    listed = invoke("list")[1]
    known = invoke("info")[1]
    verified = invoke("verify")
    explained = CliRunner().invoke(application(), ["explain", f"{user / 'app.py'}:5"]).output

    assert (0, f"{NAME} is in use, as http://127.0.0.1:{port}/v1 gives it. What it is asked is sent there.") == used
    assert f"{NAME} in use http://127.0.0.1:{port}/v1" in listed
    assert f"server http://127.0.0.1:{port}/v1" in known
    assert (0, f"http://127.0.0.1:{port}/v1 says the same of {NAME} as when it was chosen.") == verified
    assert "Nothing on this way makes the data harmless" in explained
    assert "warning" not in explained


async def test_the_editors_server_asks_it_too(port: int, start: Start, tmp_path: Path) -> None:
    shelf(tmp_path / "data").choose(serving.look(f"http://127.0.0.1:{port}", NAME))
    client = await start(COMMAND, data=tmp_path / "data")
    await client.initialize(tmp_path)
    uri = client.open(tmp_path / "app.py", TEXT)
    await client.diagnostics(uri, 1)
    await command(client, "explain", uri, 4)
    status = await command(client, "status")

    # How much of its words is shown is the teacher's business (tests/server/lsp/test_teach.py): this model says little that is so.
    assert (NAME, "ready", 0, 1) == tuple(status["model"][key] for key in ("name", "state", "memory", "answered"))


def test_a_name_that_the_server_has_not_is_told_with_those_it_has(port: int, user: Path) -> None:
    code, output = invoke("use", f"http://127.0.0.1:{port}", "llama")

    assert code
    assert f"http://127.0.0.1:{port}/v1 has no model 'llama'; it has {NAME}." in output
    assert Shelf().current() is None


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("ftp://127.0.0.1", "is no address: write http://127.0.0.1:PORT"),
        ("http://me:secret@127.0.0.1", "has a user, a query or a fragment"),
        ("http://127.0.0.1:99999", "is no address: port out of range"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1/v1 cannot be reached (connection refused)"),
    ],
)
def test_an_address_that_is_none_is_one_message(address: str, said: str, user: Path) -> None:
    code, output = invoke("use", address)

    assert code
    assert said in output
    assert Shelf().current() is None


def test_addresses_are_read() -> None:
    assert "http://localhost:11434/v1" == str(parse("http://localhost:11434/v1/"))
    assert "http://[::1]:8080/v1" == str(parse("http://[::1]:8080"))
    assert "https://gpu.example.org:443/openai" == str(parse("https://gpu.example.org/openai"))
    with pytest.raises(WrongAddress):
        parse("http://")


# --- Elsewhere -------------------------------------------------------------------------------------


class Watch:
    """A listener that counts who comes."""

    def __init__(self, host: str) -> None:
        self.socket = socket.create_server((host, 0))
        self.port = self.socket.getsockname()[1]

    def came(self) -> bool:
        self.socket.settimeout(0.2)
        try:
            self.socket.accept()[0].close()
        except TimeoutError:
            return False
        return True


@contextmanager
def watched(host: str = "127.0.0.1") -> Iterator[Watch]:
    made = Watch(host)
    try:
        yield made
    finally:
        made.socket.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "169.254.169.254", "[::ffff:10.0.0.1]"])
def test_what_is_elsewhere_is_refused_before_anything_is_opened(host: str, user: Path) -> None:
    with watched("0.0.0.0") as listener:  # it reaches this machine, and is not loopback
        code, output = invoke("use", f"http://{host}:{listener.port}")

        assert code
        assert "is not this machine, and what a model is asked stays on it" in output
        assert f'model-servers = ["http://{host}:{listener.port}"]' in output
        assert not listener.came()


def test_a_workspace_cannot_allow_it_and_the_machines_policy_can(
    port: int, user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"http://0.0.0.0:{port}"
    allowed = f'model-servers = ["{address}"]\n'
    work = user / "work"
    work.mkdir()
    (work / "policy.toml").write_text(allowed)
    (work / "closeread.toml").write_text(allowed)
    monkeypatch.chdir(work)
    assert "is not this machine" in invoke("use", address)[1]

    (user / "CONFIG" / "closeread").mkdir(parents=True)
    (user / "CONFIG" / "closeread" / "policy.toml").write_text(allowed)
    assert f"{NAME} is in use" in invoke("use", address)[1]

    # The machine's own counts alone.
    (user / "machine" / "closeread").mkdir(parents=True)
    (user / "machine" / "closeread" / "policy.toml").write_text("model-servers = []\n")
    assert "is not this machine" in invoke("verify")[1]


@pytest.mark.parametrize("text", ["model-servers = 1", "models = []", "= x"])
def test_a_policy_that_cannot_be_understood_allows_nothing(text: str, user: Path) -> None:
    (user / "machine" / "closeread").mkdir(parents=True)
    (user / "machine" / "closeread" / "policy.toml").write_text(text)

    code, output = invoke("use", "http://127.0.0.1:1")

    assert code
    assert "policy.toml" in output


def test_no_proxy_of_the_environment_is_asked(port: int, user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with watched() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        code, _ = invoke("use", f"http://127.0.0.1:{port}")

        assert 0 == code
        assert not proxy.came()


# --- Servers that are none, or hostile -------------------------------------------------------------

Speak = Callable[[BaseHTTPRequestHandler], None]


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, speak: Speak, *arguments: object) -> None:
        self.speak = speak
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        if not self.server.only_asked:  # type: ignore[attr-defined]
            self.speak(self)
            return
        reply(self, {"data": [{"id": NAME, "meta": {"size": 1}}]})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.speak(self)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def double(speak: Speak, *, only_asked: bool = True) -> Iterator[str]:
    """A server that says `speak`, to questions alone or to everything."""
    made = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, speak))
    made.only_asked = only_asked  # type: ignore[attr-defined]
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{made.server_address[1]}"
    finally:
        made.shutdown()
        made.server_close()
        thread.join()


def reply(handler: BaseHTTPRequestHandler, data: object, status: int = 200, **headers: str) -> None:
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    with contextlib.suppress(OSError):  # whoever asked had enough
        handler.wfile.write(body)


def test_a_redirect_is_not_followed(user: Path) -> None:
    with (
        watched() as other,
        double(
            lambda handler: reply(handler, b"", 307, Location=f"http://127.0.0.1:{other.port}/v1/models"),
            only_asked=False,
        ) as address,
    ):
        code, output = invoke("use", address)

        assert code
        assert f"{address}/v1 answers 307" in output
        assert not other.came()


@pytest.mark.parametrize("data", [b"<html>", b"[" * 100_000, b"{}", b'{"data": [1]}', b""])
def test_what_speaks_another_protocol_is_one_message(data: bytes, user: Path) -> None:
    with double(lambda handler: reply(handler, data), only_asked=False) as address:
        code, output = invoke("use", address)

    assert code
    assert f"{address}/v1 is no server of models that speaks OpenAI's protocol." in output


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"choices": [{"text": "yes"}]}, "names no probabilities of tokens"),
        ({"choices": []}, "broke off, or answers something else"),
        (b"nonsense", "broke off, or answers something else"),
        ({"choices": [{"logprobs": {"content": [{"top_logprobs": "x"}]}}]}, "broke off, or answers something else"),
    ],
)
def test_a_choice_without_probabilities_is_one_message(said: object, told: str) -> None:
    with double(lambda handler: reply(handler, said)) as address:
        process = ModelProcess(serving.look(address, ""))
        try:
            with pytest.raises(ModelProblem, match=told):
                process.ask(choice(1)).result(20)
        finally:
            process.close()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b'data: {"choices": [{"delta": {"content": "a"}}]}\n\ndata: [DONE]\n\n', "broke off"),
        (b"data: nonsense\n\n", "broke off, or answers something else"),
        (b"data: " + b"x" * 5_000_000, "broke off, or answers something else"),
        ({"error": {"message": "no such thing"}}, "broke off"),
    ],
)
def test_a_text_that_breaks_off_is_one_message(said: object, told: str) -> None:
    with double(lambda handler: reply(handler, said)) as address:
        process = ModelProcess(serving.look(address, ""))
        try:
            with pytest.raises(ModelProblem, match=told):
                process.ask(Writing(prompt("Write."), 5)).result(20)
        finally:
            process.close()


def test_a_server_that_never_stops_is_cut_and_what_it_refuses_is_told() -> None:
    endless = b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n' * 1_000
    with double(lambda handler: reply(handler, endless)) as address:
        process = ModelProcess(serving.look(address, ""))
        told = process.ask(Writing(prompt("Write."), 5)).result(20)
        process.close()
    with double(lambda handler: reply(handler, {"error": {"message": "too\nlong"}}, 400)) as address:
        process = ModelProcess(serving.look(address, ""))
        with pytest.raises(ModelProblem, match="/v1 answers 400: too long"):
            process.ask(choice(1)).result(20)
        process.close()

    assert isinstance(told, Written)
    assert (False, 11) == (told.whole, len(told.text))


def test_a_server_that_gives_another_model_under_the_name_is_noticed(user: Path) -> None:
    with double(lambda handler: None) as address:
        served = serving.look(address, "")
        other = Served(served.name, served.address, served.says.replace("1}", "2}"), served.chosen)

        serving.verify(served)
        with pytest.raises(ModelProblem, match="says other things of smollm2 than when it was chosen; choose it again"):
            serving.verify(other)
