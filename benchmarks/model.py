"""How fast the model's process is: 64 questions that share a beginning, against a plain loop over the same library.

    nice .venv/bin/python benchmarks/model.py throughput [MODEL.gguf]    # the model in use by default

`throughput` asks the librarian's first question of 64 APIs. The plain loop calls `Llama.create_completion` with the whole text
of each, one after the other, in a process of its own with as many threads. Answers are compared by which option is
likelier. CPU seconds count; on a shared machine the clock says little. Absent: any memory of answers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

from closeread import platform_
from closeread.model import librarian
from closeread.model.process import ModelProcess
from closeread.model.question import Choice, Chosen, Prompt
from closeread.model.shelf import Model, Shelf

QUESTIONS = 64

PLAIN = """
import json, sys, time
from llama_cpp import Llama
path, threads, asked = json.loads(sys.stdin.readline())
model = Llama(path, n_ctx=4096, n_threads=threads, n_threads_batch=threads, logits_all=False, verbose=False)
started, cpu = time.monotonic(), time.process_time()
told = []
for text in asked:
    made = model.create_completion(text, max_tokens=1, temperature=0, logprobs=None)
    told.append(made["choices"][0]["text"])
    if "--cold" in sys.argv:
        model.reset()
print(json.dumps([told, time.monotonic() - started, time.process_time() - cpu]))
"""


def main() -> None:
    shelf = Shelf()
    model = shelf.look(sys.argv[2]) if sys.argv[2:] else shelf.ready()
    if model is None or sys.argv[1:2] != ["throughput"]:
        sys.exit(__doc__ if model is not None else "no model is in use: closeread model pull")
    calls = [librarian.shown(api) for api in list(librarian.shipped())[:QUESTIONS]]
    questions = [librarian.question("sink", call) for call in calls]
    ours, seconds, cpu = batched(model, questions)
    print(f"ours        {seconds:7.1f} s  {cpu:7.1f} CPU s")
    texts = [question.prompt.shared + question.prompt.own for question in questions]
    for name, options in (("plain loop", ["--cold"]), ("plain, warm", [])):
        told, plain_seconds, plain_cpu = plain(model, texts, options)
        same = sum(one.strip() == other.strip() for one, other in zip(ours, told, strict=True))
        print(
            f"{name:11} {plain_seconds:7.1f} s  {plain_cpu:7.1f} CPU s: ours is {plain_cpu / cpu:.2f} times as fast by CPU, "
            f"{plain_seconds / seconds:.2f} by the clock; {same} of {len(told)} answers are the same"
        )


def batched(model: Model, questions: list[Choice]) -> tuple[list[str], float, float]:
    process = ModelProcess(model)
    process.ask(Choice(Prompt("", "warm", "up"), ("a", "b"))).result()
    assert process._process is not None
    pid = process._process.pid
    started, cpu = time.monotonic(), used(pid)
    answers = [pending.result() for pending in [process.ask(question) for question in questions]]
    taken, spent = time.monotonic() - started, used(pid) - cpu
    process.close()
    told = []
    for question, answer in zip(questions, answers, strict=True):
        assert isinstance(answer, Chosen)
        told.append(question.options[answer.logs.index(max(answer.logs))])
    return told, taken, spent


def used(pid: int) -> float:
    """CPU seconds of a running process (Linux)."""
    with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def plain(model: Model, texts: list[str], options: list[str]) -> tuple[list[str], float, float]:
    threads = max(1, platform_.cores() - 1)
    asked = json.dumps([str(model.path), threads, texts])
    done = subprocess.run(
        [sys.executable, "-c", PLAIN, *options], input=asked, capture_output=True, text=True, check=True
    )
    told, seconds, cpu = json.loads(done.stdout.splitlines()[-1])
    return told, seconds, cpu


if __name__ == "__main__":
    main()
