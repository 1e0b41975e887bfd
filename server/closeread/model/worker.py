"""The model's process: questions come in on standard input, answers go out on standard output, as lines of JSON.

Started isolated (`python -I -m closeread.model.worker`) by `process.py`, at the lowest priority; it ends when its input
does. What answers is an engine (`engine.py`): llama.cpp with a model's file, or a server of the user's. One thread listens;
the other computes. What arrives in the middle of a batch breaks it off if it has to: a question in it is cancelled, or a more
urgent one came. When it is told to rest, because somebody types, the batch waits in its middle and nothing of it is lost.

    in   {"path", "context", "slots", "threads"} | {"address", "elsewhere", "name", "says", "context"}     once
         {"ask": number, "question": ..., "priority": 0} | {"cancel": number} | {"prioritise": number, "priority": 1}
         | {"rest": seconds}
    out  {"ready": {...}} | {"failed": message}                                       once
         {"of": number, "piece": text}* then {"of": number, "answer": ...} | {"of": number, "refused": reason, ...}
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import platform_
from .engine import Unusable
from .question import Chosen, Written, answer_as_json, question_from_json

if TYPE_CHECKING:
    from .engine import Engine
    from .question import Answer


_GLANCE = 0.02
"""Seconds of a rest after which it is looked whether something arrived."""


class _Worker:
    def __init__(self) -> None:
        self.requests = sys.stdin.buffer
        self.answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
        # Whatever prints by accident must not break the protocol.
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        self.unread: deque[dict[str, Any]] = deque()
        self.arrival = threading.Event()
        self.speaking = threading.Lock()
        self.engine: Engine | None = None
        self.rests_until = 0.0

    def run(self) -> None:
        greeting = json.loads(self.requests.readline())
        started = time.monotonic()
        try:
            self.engine = self.made(greeting)
        except Unusable as error:
            return self.say({"failed": str(error)})
        self.say({"ready": {**self.engine.facts, "seconds": round(time.monotonic() - started, 3)}})
        threading.Thread(target=self.listen, daemon=True).start()
        while True:
            self.take()
            self.engine.step()

    def made(self, greeting: dict[str, Any]) -> Engine:
        """What is to answer. Raises `Unusable`."""
        if "address" in greeting:
            from .endpoint import Endpoint

            return Endpoint(greeting, self.tell)
        try:
            from .llama import Llama
            from .scheduler import PREFIXES, Scheduler
        except (ImportError, OSError, RuntimeError) as error:
            raise Unusable(f"llama-cpp-python is installed and cannot be loaded ({error})") from None
        slots = greeting["slots"]
        path, context, threads = Path(greeting["path"]), greeting["context"], greeting["threads"]
        return Scheduler(Llama(path, context, slots + PREFIXES, threads, self.breaks_off), slots, self.tell)

    def listen(self) -> None:
        for line in self.requests:
            message = json.loads(line)
            if "rest" in message:
                self.rests_until = time.monotonic() + message["rest"]
                continue
            self.unread.append(message)
            self.arrival.set()
        # The parent is gone, or wants this to end: nothing here is worth saving.
        os._exit(0)

    def breaks_off(self) -> bool:
        """Whether something arrived for which the batch being computed must not be waited for. Rests first, if it is to.

        llama.cpp asks after every step of a batch, so that a rest begins within some milliseconds.
        """
        while not (unwanted := self.unwanted()) and (left := self.rests_until - time.monotonic()) > 0:
            time.sleep(min(left, _GLANCE))
        return unwanted

    def unwanted(self) -> bool:
        """Whether the batch being computed is for something that was cancelled, or something more urgent waits."""
        if not self.unread or self.engine is None:
            return False
        keys, urgency = self.engine.decoding
        return any(
            message.get("cancel") in keys or ("ask" in message and message["priority"] > urgency)
            for message in tuple(self.unread)
        )

    def take(self) -> None:
        """Take all that arrived; wait for something where there is nothing to compute."""
        assert self.engine is not None
        if not self.engine.has_work:
            self.arrival.wait()
        self.arrival.clear()
        while self.unread:
            message = self.unread.popleft()
            if "ask" in message:
                self.engine.ask(message["ask"], question_from_json(message["question"]), message["priority"])
            elif "cancel" in message:
                self.engine.cancel(message["cancel"])
            else:
                self.engine.prioritise(message["prioritise"], message["priority"])

    def tell(self, key: int, what: dict[str, Any] | Answer) -> None:
        if isinstance(what, Chosen | Written):
            what = {"answer": answer_as_json(what)}
        self.say({"of": key, **what})

    def say(self, message: dict[str, Any]) -> None:
        line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        with self.speaking:
            self.answers.write(line)
            self.answers.flush()


def main() -> None:
    """Serve until the parent has had enough."""
    platform_.lowest_priority()
    try:
        _Worker().run()
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main()
    sys.stderr.flush()
