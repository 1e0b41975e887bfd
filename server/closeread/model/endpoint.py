"""A server of the user's that speaks OpenAI's protocol, as what answers: llama.cpp's own, Ollama, vLLM.

Runs in the model's process alone, the one place but `download.py` that opens a connection: to the address that the user
chose, whose host is looked up here and must be this machine unless the policy names the server. What was checked is what
is connected to; no redirect is followed, no proxy of the environment is asked, nothing but the question is sent.

A text without a conversation goes to `completions`, a conversation to `chat/completions`
(https://platform.openai.com/docs/api-reference). What differs from a model's file: options are weighed by the twenty
likeliest tokens that the server names, and an option that is not among them counts as the least of these; how an answer begins
is asked for in words and found in it; tokens are estimated; a grammar is sent and may be ignored, so that whoever asks
checks the answer; and signs that a model could take for control tokens are parted by a mark that is taken out again.

Deliberately absent: keys and passwords, and any other way of the protocol.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import json
import math
import re
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .address import Address, parse
from .engine import Tell, Unusable
from .question import Choice, Chosen, Question, Writing, Written

AT_ONCE = 4
"""Most questions that the server has at once."""

_CONNECT_SECONDS = 5.0
_SILENCE_SECONDS = 300.0
"""A server may compute a long prompt, and load a model first, before it says anything."""
_LARGEST = 4_000_000
_BYTES_A_TOKEN = 3
_LIKELIEST = 20
_LEAST = -100.0
"""Less than any probability that matters: some servers name minus infinity."""
_TOP_P = 0.95
_MALFORMED = (
    *(OSError, http.client.HTTPException),
    *(ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError),
)
"""What reading an answer raises where it ends too early or is none of the protocol's."""

_STABLE = ("id", "owned_by", "root", "parent", "max_model_len", "meta")
"""What a server says of a model that does not change from one answer to the next."""

_MARK = "\u2060"
_CONTROL = re.compile(
    r"<(?=[|\uff5c]|/?(?:s|bos|eos|pad|unk|think|tool_call|start_of_turn|end_of_turn|fim_\w+)>|</?SYS>>)|\[(?=/?INST\])"
)


class _Failed(Exception):
    """One question cannot be answered; the message says why."""


@dataclass(eq=False, slots=True)
class _Job:
    key: int
    question: Question
    priority: int
    order: int
    connection: http.client.HTTPConnection | None = None
    cancelled: bool = False


class Endpoint:
    """One model of one server."""

    decoding: tuple[frozenset[int], int] = (frozenset(), 0)
    has_work = False

    def __init__(self, greeting: Mapping[str, Any], tell: Tell) -> None:
        """`greeting` has `address`, `elsewhere` (whether the policy names it), `name` ("" for the only one there is), what
        the server said of the model when it was chosen (`says`, "" for whatever it says now) and `context` in tokens.

        Raises `Unusable`.
        """
        self._tell = tell
        self._address: Address = parse(greeting["address"])
        self._elsewhere: bool = greeting["elsewhere"]
        self._changed = threading.Condition()
        self._jobs: list[_Job] = []
        self._waiting: list[_Job] = []
        self._orders = 0
        said = self._said_of(greeting["name"])
        self._name: str = said["id"]
        says = json.dumps({key: said[key] for key in _STABLE if key in said}, sort_keys=True)
        if greeting["says"] not in ("", says):
            raise Unusable(
                f"{self._address} says other things of {self._name} than when it was chosen; "
                f"choose it again: `closeread model use {self._address} {self._name}`",
            )
        room = said.get("max_model_len")
        self._room = room if isinstance(room, int) and room > 0 else greeting["context"]
        self.facts = {"room": self._room, "gpu": False, "name": self._name, "says": says}
        for _ in range(AT_ONCE):
            threading.Thread(target=self._serve, daemon=True).start()

    # --- Questions come and go --------------------------------------------------------------------

    def ask(self, key: int, question: Question, priority: int) -> None:
        """Take a question; whether it fits is estimated."""
        prompt = question.prompt
        size = sum(
            len(part.encode("utf-8", "replace")) for part in (prompt.system, prompt.shared, prompt.own, prompt.lead)
        )
        tokens = size // _BYTES_A_TOKEN + (question.most if isinstance(question, Writing) else 1)
        if tokens > self._room:
            self._tell(key, {"refused": "too-long", "tokens": tokens, "room": self._room})
            return
        with self._changed:
            self._orders += 1
            job = _Job(key, question, priority, self._orders)
            self._jobs.append(job)
            self._waiting.append(job)
            self._changed.notify()

    def cancel(self, key: int) -> None:
        """Drop a question. The connection of one that is being answered is closed, by which a server knows."""
        with self._changed:
            job = next((job for job in self._jobs if job.key == key), None)
            if job is None:
                return
            self._jobs.remove(job)
            job.cancelled = True
            if job in self._waiting:
                self._waiting.remove(job)
            if job.connection is not None and job.connection.sock is not None:
                with contextlib.suppress(OSError):
                    job.connection.sock.shutdown(socket.SHUT_RDWR)
        self._tell(key, {"refused": "cancelled"})

    def prioritise(self, key: int, priority: int) -> None:
        """A question that still waits is more urgent now, or less."""
        with self._changed:
            for job in self._jobs:
                if job.key == key:
                    job.priority = priority

    def step(self) -> None:
        """Nothing is computed here."""

    def _serve(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting))
                job = min(self._waiting, key=lambda job: (-job.priority, job.order))
                self._waiting.remove(job)
            try:
                answer: Any = self._choose(job) if isinstance(job.question, Choice) else self._write(job)
            except (_Failed, Unusable) as error:
                answer = {"refused": "server", "message": str(error)}
            with self._changed:
                told = not job.cancelled
                if told:
                    self._jobs.remove(job)
            if told:
                self._tell(job.key, answer)

    # --- The protocol -----------------------------------------------------------------------------

    def _said_of(self, name: str) -> dict[str, Any]:
        """What the server says of a model of its."""
        try:
            with self._answer(None, "GET", "models", None) as answer:
                data = json.loads(answer.read(_LARGEST))
            rows: dict[str, dict[str, Any]] = {row["id"]: row for row in data["data"] if isinstance(row["id"], str)}
        except _Failed as error:
            raise Unusable(f"{error}; start it, or choose another model with `closeread model use`") from None
        except _MALFORMED:
            raise Unusable(f"{self._address} is no server of models that speaks OpenAI's protocol") from None
        if not name and len(rows) == 1:
            return next(iter(rows.values()))
        row = rows.get(name) or rows.get(f"{name}:latest")
        if row is None:
            names = ", ".join(sorted(rows)) or "none"
            raise Unusable(
                f"{self._address} " + (f"has no model {name!r}; it has {names}" if name else f"has {names}: name one")
            )
        return row

    def _choose(self, job: _Job) -> Chosen:
        assert isinstance(job.question, Choice)
        path, body = self._body(job.question, 1)
        body |= {"logprobs": True, "top_logprobs": _LIKELIEST} if path.startswith("chat") else {"logprobs": _LIKELIEST}
        try:
            with self._answer(job, "POST", path, body) as answer:
                top = _likeliest(json.loads(answer.read(_LARGEST)))
        except _MALFORMED:
            raise self._broke_off() from None
        if not top:
            raise _Failed(
                f"{self._address} names no probabilities of tokens, and narrow questions need them "
                "(llama.cpp's server, vLLM and newer versions of Ollama name them)"
            )
        return Chosen(tuple(_weight(option, job.question.options, top) for option in job.question.options))

    def _write(self, job: _Job) -> Written:
        question = job.question
        assert isinstance(question, Writing)
        path, body = self._body(question, question.most)
        body |= {"stream": True, "temperature": question.temperature, "seed": question.seed}
        if question.temperature > 0:
            body["top_p"] = _TOP_P
        if question.grammar:
            body["grammar"] = question.grammar
        begin = question.prompt.lead.rstrip("\n") if path.startswith("chat") else ""
        text, shown, tokens, ended = "", "", 0, ""
        try:
            with self._answer(job, "POST", path, body) as answer:
                for piece, ended in _pieces(answer):
                    if piece:
                        tokens += 1
                        text += piece.replace(_MARK, "")
                    told, (_, found, shown) = shown, text.partition(begin) if begin else ("", True, text)
                    if not found:
                        shown = ""
                    stop = min((at for at in (shown.find(stop) for stop in question.stops) if at >= 0), default=-1)
                    if stop >= 0:
                        return Written(shown[:stop], True, tokens)
                    if tokens > 2 * question.most:
                        ended = "length"  # it does not keep to what was asked
                    if ended:
                        break
                    if shown != told and not job.cancelled:
                        self._tell(job.key, {"piece": shown[len(told) :]})
        except _MALFORMED:
            raise self._broke_off() from None
        if not ended:
            raise self._broke_off()
        return Written(shown or text, ended == "stop", tokens)

    def _body(self, question: Question, most: int) -> tuple[str, dict[str, Any]]:
        """Where a question goes, and what is sent of it in any case."""
        prompt = question.prompt
        text = _CONTROL.sub(rf"\g<0>{_MARK}", prompt.shared + prompt.own)
        body: dict[str, Any] = {"model": self._name, "max_tokens": most, "temperature": 0}
        if not prompt.system:
            return "completions", {**body, "prompt": text + _CONTROL.sub(rf"\g<0>{_MARK}", prompt.lead)}
        if prompt.lead.strip():
            text += f"\n\nBegin the answer with {prompt.lead.strip()}"
        said = [{"role": "system", "content": prompt.system}, {"role": "user", "content": text}]
        return "chat/completions", {**body, "messages": said}

    # --- The connection ---------------------------------------------------------------------------

    @contextlib.contextmanager
    def _answer(self, job: _Job | None, method: str, path: str, body: object) -> Iterator[http.client.HTTPResponse]:
        """The answer to one request, on a connection of its own. Raises `_Failed` for anything but a good one."""
        with contextlib.closing(self._connected()) as connection:
            if job is not None:
                job.connection = connection
                if job.cancelled:
                    raise _Failed("cancelled")
            data = None if body is None else json.dumps(body).encode()
            try:
                headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
                connection.request(method, f"{self._address.path}/{path}", data, headers)
                answer = connection.getresponse()
            except (OSError, http.client.HTTPException):
                raise self._broke_off() from None
            if answer.status != 200:
                raise _Failed(f"{self._address} answers {answer.status}{_complaint(answer)}")
            yield answer

    def _connected(self) -> http.client.HTTPConnection:
        """A connection to what the host's name stands for now, all of which must be this machine, unless the policy says."""
        address = self._address
        try:
            places = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        except OSError:
            raise _Failed(f"there is no host {address.host}") from None
        if not self._elsewhere and not all(_is_this_machine(place[4][0]) for place in places):
            raise Unusable(
                f"{address.host} is not this machine, and what a model is asked stays on it. Whoever administers it may allow "
                f'this server in policy.toml: model-servers = ["{address.origin}"]',
            )
        why = ""
        for *_, place in places:
            try:
                opened = socket.create_connection((str(place[0]), address.port), _CONNECT_SECONDS)
                if address.scheme == "https":
                    opened = ssl.create_default_context().wrap_socket(opened, server_hostname=address.host)
            except OSError as error:
                why = (error.strerror or str(error)).lower()
                continue
            opened.settimeout(_SILENCE_SECONDS)
            connection = http.client.HTTPConnection(address.host, address.port)
            connection.sock = opened
            connection.auto_open = 0  # never by itself, to what the name stands for by then
            return connection
        raise _Failed(f"{address} cannot be reached ({why})")

    def _broke_off(self) -> _Failed:
        return _Failed(f"{self._address} broke off, or answers something else than OpenAI's protocol has")


def _is_this_machine(host: str | int) -> bool:
    return ipaddress.ip_address(str(host).partition("%")[0]).is_loopback


def _complaint(answer: http.client.HTTPResponse) -> str:
    """What a server says is wrong, on one line."""
    with contextlib.suppress(*_MALFORMED):
        data = json.loads(answer.read(100_000))
        said = data.get("error", data) if isinstance(data, dict) else data
        said = said.get("message") or said.get("detail") if isinstance(said, dict) else said
        if said:
            return f": {' '.join(str(said).split())[:300]}"
    return ""


def _pieces(answer: http.client.HTTPResponse) -> Iterator[tuple[str, str]]:
    """Of a stream of events: each piece of text, and why the text ended, "" while it goes on."""
    read = 0
    while line := answer.readline(_LARGEST):
        read += len(line)
        if read > _LARGEST:
            raise ValueError
        if not line.startswith(b"data:"):
            continue
        data = line[5:].strip()
        if data == b"[DONE]":
            return
        event = json.loads(data)
        for choice in event.get("choices", ())[:1]:
            piece = choice["text"] if "text" in choice else choice.get("delta", {}).get("content")
            yield piece or "", choice.get("finish_reason") or ""


def _likeliest(data: Any) -> dict[str, float]:
    """The likeliest first tokens and the logarithms of their probabilities, in either of the protocol's two shapes."""
    logs = data["choices"][0].get("logprobs") or {}
    if logs.get("content"):
        found = {row["token"]: float(row["logprob"]) for row in logs["content"][0]["top_logprobs"]}
    else:
        found = {token: float(log) for token, log in (logs.get("top_logprobs") or [{}])[0].items()}
    return {token: max(log, _LEAST) for token, log in found.items()}


def _weight(option: str, options: tuple[str, ...], top: dict[str, float]) -> float:
    """The logarithm of the probability of the tokens that begin this option and no other."""
    found = [
        log
        for token, log in top.items()
        if token.strip() and option.startswith(token) and not any(o != option and o.startswith(token) for o in options)
    ]
    most = max(found, default=min(top.values()))
    return most + math.log(sum(math.exp(log - most) for log in found)) if found else most
