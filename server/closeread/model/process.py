"""The parent's end of the model's process: started when first needed, given back after idling, restarted with back-off.

Questions may be asked from any thread; each gives a `Pending`. What a dead process leaves unanswered fails with its
reason, and nothing else is harmed. Deliberately absent: what was answered before (`answers.py`), and what to ask.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal

from .. import platform_
from .question import Answer, Question, answer_from_json, question_as_json
from .shelf import CONTEXT, Model, ModelProblem, Served, header, runtime

IDLE_SECONDS = 300.0
SLOTS = 8
"""Most questions that are computed at once."""

_LONGEST_PAUSE = 60.0
_MODULE = "closeread.model.worker"

# libgomp reads this when it is loaded: threads that wait must not spin where other programs want the processor.
_ENVIRONMENT = {"GOMP_SPINCOUNT": "1000", "OMP_WAIT_POLICY": "PASSIVE"}


State = Literal["stopped", "starting", "ready", "busy", "failed"]


class Cancelled(Exception):
    """The question was cancelled."""


@dataclass(eq=False, slots=True)
class Pending:
    """A question that was asked. `piece` is called, on another thread, with each piece of a text as it is written."""

    key: int
    process: ModelProcess
    future: Future[Answer]
    piece: Callable[[str], None] | None = None

    def result(self, timeout: float | None = None) -> Answer:
        """Wait for the answer. Raises `ModelProblem`, `Cancelled`, or TimeoutError after `timeout` seconds."""
        return self.future.result(timeout)

    def cancel(self) -> None:
        """Nobody wants the answer any more; the computation of it stops."""
        self.process.send_about(self, {"cancel": self.key})

    def prioritise(self, priority: int) -> None:
        """It is more urgent now, or less."""
        self.process.send_about(self, {"prioritise": self.key, "priority": priority})


class ModelProcess:
    """One model's process, whether it runs or not."""

    def __init__(
        self,
        model: Model | Served,
        *,
        context: int = CONTEXT,
        slots: int = SLOTS,
        idle: float = IDLE_SECONDS,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """`changed` is called, on any thread, when `state` may be another; it must not wait for anything."""
        self.model = model
        self.idle = idle
        self.facts: dict[str, Any] = {}
        """What the process said of itself when it was ready: room in tokens, whether a GPU helps, seconds to load."""
        self._context = context
        self._slots = slots
        self._lock = threading.RLock()
        self._keys = itertools.count(1)
        self._open: dict[int, Pending] = {}
        self._changed = changed
        self._process: subprocess.Popen[bytes] | None = None
        self._starting: subprocess.Popen[bytes] | None = None
        self._stack = contextlib.ExitStack()
        self._timer: threading.Timer | None = None
        self._deaths = 0
        self._not_before = 0.0
        self.problem = ""
        """Why there is no process, where that is not as it should be."""

    @property
    def running(self) -> bool:
        """Whether there is a process now."""
        return self._process is not None

    @property
    def state(self) -> State:
        """What the process does now; "failed" until it is started again."""
        if self._process is not None:
            return "busy" if self._open else "ready"
        if self._starting is not None:
            return "starting"
        return "failed" if self.problem else "stopped"

    def start(self) -> None:
        """Have a process, before anything is asked. Takes seconds. Raises `ModelProblem` if there cannot be one."""
        with self._lock:
            if self._process is None:
                self._start()
                self._start_timer()

    def rest(self, seconds: float) -> None:
        """Compute nothing for so long: somebody types. Never blocks; a process that is just being started hears nothing."""
        if self._open and self._lock.acquire(blocking=False):
            try:
                if self._process is not None:
                    self._send(self._process, {"rest": seconds})
            finally:
                self._lock.release()

    @property
    def pid(self) -> int | None:
        """The number of the process, while there is one."""
        process = self._process
        return process.pid if process is not None else None

    def ask(self, question: Question, priority: int = 0, piece: Callable[[str], None] | None = None) -> Pending:
        """Ask. Starts the process where none runs. Raises `ModelProblem` if it cannot be started."""
        with self._lock:
            process = self._process or self._start()
            pending = Pending(next(self._keys), self, Future(), piece)
            pending.future.set_running_or_notify_cancel()  # `Pending.cancel` is the way to cancel it
            self._open[pending.key] = pending
            self._stop_timer()
            self._send(process, {"ask": pending.key, "question": question_as_json(question), "priority": priority})
        self._changed()
        return pending

    def send_about(self, pending: Pending, message: dict[str, Any]) -> None:
        """Tell the process something of a question that is not answered yet."""
        with self._lock:
            if pending.key in self._open and self._process is not None:
                self._send(self._process, message)

    def close(self) -> None:
        """End the process, one that is just being started too; what is unanswered is cancelled."""
        starting = self._starting
        if starting is not None:
            starting.kill()  # whoever waits for it holds the lock
        with self._lock:
            self._stop_timer()
            self._process = None
            self._stack.close()
            for pending in self._open.values():
                pending.future.set_exception(Cancelled())
            self._open.clear()
        self._changed()

    # --- Starting and ending ----------------------------------------------------------------------

    def _start(self) -> subprocess.Popen[bytes]:
        wait = self._not_before - time.monotonic()
        if wait > 0:
            raise ModelProblem(f"{self.problem}; it is started again in {wait:.0f} seconds at the earliest")
        try:
            greeting = self._greeting()
        except ModelProblem as error:
            self.problem = str(error)
            self._changed()
            raise
        process = self._starting = self._stack.enter_context(platform_.child(_MODULE, extra=_ENVIRONMENT))
        self._changed()
        try:
            answer = self._greet(process, greeting)
        finally:
            self._starting = None
        if "ready" not in answer:
            if not answer:
                process.wait()
            self._stack.close()
            raise self._died(process.returncode, answer)
        self.facts = answer["ready"]
        self.problem = ""
        self._process = process
        self._changed()
        threading.Thread(target=self._listen, args=(process,), name="model", daemon=True).start()
        return process

    def _greet(self, process: subprocess.Popen[bytes], greeting: dict[str, Any]) -> dict[str, Any]:
        """Tell a new process what it is for, and wait until it is ready; {} where it ends instead."""
        self._send(process, greeting)
        assert process.stdout is not None
        line = process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line.endswith(b"\n") else {}
        return answer

    def _greeting(self) -> dict[str, Any]:
        """What a process is told first (`worker.py`). Raises `ModelProblem` where none should be started."""
        model = self.model
        if isinstance(model, Served):
            return {
                "address": model.address,
                "elsewhere": model.is_allowed_elsewhere,
                "name": model.name,
                "says": model.says,
                "context": self._context,
            }
        if runtime() is None:
            raise ModelProblem(
                "a model is in use, and nothing to run it is installed: pip install 'closeread[model]' "
                "(it is built once, by a C++ compiler)"
            )
        needed = header(model.path).memory(self._context)
        free = platform_.free_memory()
        if free is not None and needed > free:
            raise ModelProblem(
                f"{model.name} needs about {needed / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free; "
                "close something, or choose a smaller one with `closeread model use`"
            )
        threads = max(1, platform_.cores() - 1)
        return {"path": str(model.path), "context": self._context, "slots": self._slots, "threads": threads}

    def _died(self, status: int | None, said: dict[str, Any]) -> ModelProblem:
        self._deaths += 1
        self._not_before = time.monotonic() + min(_LONGEST_PAUSE, 2.0**self._deaths)
        why = platform_.why_ended(status)
        message = said.get("failed") or (
            f"the process of the model {self.model.name} ended" + (f": {why}" if why else f" (status {status})")
        )
        if "instructions" in why:
            message += (
                "; build llama-cpp-python on this machine: "
                "pip install --force-reinstall --no-binary=:all: --no-deps llama-cpp-python"
            )
        self.problem = message
        self._changed()
        return ModelProblem(message)

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with contextlib.suppress(OSError, ValueError):
            for line in process.stdout:
                self._heard(json.loads(line))
        with self._lock:
            if self._process is not process:
                return
            process.wait()
            self._process = None
            self._stack.close()
            problem = self._died(process.returncode, {})
            left, self._open = self._open, {}
        for pending in left.values():
            pending.future.set_exception(problem)

    def _heard(self, message: dict[str, Any]) -> None:
        with self._lock:
            pending = self._open.get(message["of"])
            if pending is None:
                return
            if "piece" not in message:
                del self._open[message["of"]]
                self._deaths = 0
                if not self._open:
                    self._start_timer()
                    self._changed()
        if "piece" in message:
            if pending.piece is not None:
                pending.piece(message["piece"])
        elif "answer" in message:
            pending.future.set_result(answer_from_json(message["answer"]))
        else:
            pending.future.set_exception(_refusal(message))

    def _start_timer(self) -> None:
        self._stop_timer()
        self._timer = threading.Timer(self.idle, self._idled)
        self._timer.daemon = True
        self._timer.start()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _idled(self) -> None:
        with self._lock:
            if not self._open:
                self.close()

    def _send(self, process: subprocess.Popen[bytes], message: dict[str, Any]) -> None:
        assert process.stdin is not None
        with contextlib.suppress(OSError):  # it died: whoever listens to it says so
            process.stdin.write(json.dumps(message).encode() + b"\n")
            process.stdin.flush()


def _refusal(message: dict[str, Any]) -> Exception:
    if message["refused"] == "cancelled":
        return Cancelled()
    if message["refused"] == "too-long":
        return ModelProblem(
            f"the question comes to {message['tokens']:,} tokens; there is room for {message['room']:,}"
        )
    if message["refused"] == "server":
        return ModelProblem(message["message"])
    return ModelProblem(f"the model's process refused the question: {message.get('message', message['refused'])}")
