"""`closeread model quantize`: a model's file made anew with other numbers, or without some layers, by llama.cpp's own tool.

It runs in an isolated child (`python -I -m closeread.model.quantisation`), since a damaged file may end the process that
reads it; the result is moved into its place whole or not at all. What it is worth, `evaluation.py` measures.

    in   {"source", "target", "kind", "threads", "without": [layer, ...]}
    out  {"done": true} | {"failed": message}
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from .. import platform_
from .shelf import Model, ModelProblem, Shelf, header, partial, runtime

KINDS = {
    "F32": 0, "F16": 1, "BF16": 32, "Q8_0": 7, "Q6_K": 18, "Q5_K_M": 17, "Q5_0": 8, "Q4_K_M": 15, "Q4_K_S": 14, "Q4_1": 3,
    "Q4_0": 2, "Q3_K_M": 12, "Q2_K": 10,
}  # fmt: skip
"""What numbers can become, by llama.cpp's names and numbers (`llama_ftype`)."""

_BITS = {"F32": 32, "F16": 16, "BF16": 16, "Q8_0": 8.5, "Q6_K": 6.6}
_MODULE = "closeread.model.quantisation"


def quantize(shelf: Shelf, model: Model, kind: str, without: Sequence[int] = ()) -> Model:
    """The new file, in the shelf's folder, as a model. `without` are layers to leave out. Raises `ModelProblem`."""
    if kind not in KINDS:
        raise ModelProblem(f"there is no {kind}; known are {', '.join(KINDS)}")
    if runtime() is None:
        raise ModelProblem("nothing that could do it is installed: pip install 'closeread[model]'")
    head = header(model.path)
    if bad := [layer for layer in without if not 0 <= layer < head.layers]:
        raise ModelProblem(f"{model.name} has the layers 0 to {head.layers - 1}, and no layer {bad[0]}")
    name = f"{model.path.stem}-{kind.lower()}" + "".join(f"-{layer}" for layer in without)
    place = shelf.folder / f"{name}.gguf"
    try:
        platform_.private_folder(shelf.folder)
        most = head.parameters * _BITS.get(kind, 6) / 8
        if shutil.disk_usage(shelf.folder).free < most:
            raise ModelProblem(f"{name} may need {most / 1e9:.1f} GB, and {shelf.folder} has less free")
        _run(model, partial(place), kind, without)
        header(partial(place))
        os.replace(partial(place), place)  # noqa: PTH105 - atomic by name
    except OSError as error:
        raise ModelProblem(f"{name} cannot be kept in {shelf.folder} ({platform_.reason(error)})") from None
    finally:
        partial(place).unlink(missing_ok=True)
    return shelf.look(str(place))


def _run(model: Model, target: Path, kind: str, without: Sequence[int]) -> None:
    asked = {
        "source": str(model.path),
        "target": str(target),
        "kind": kind,
        "without": list(without),
        "threads": max(1, platform_.cores() - 1),
    }
    with platform_.child(_MODULE) as process:
        said = process.communicate(json.dumps(asked).encode() + b"\n")[0]
    answer = json.loads(said) if said.endswith(b"\n") else {}
    if not answer.get("done"):
        why = answer.get("failed") or platform_.why_ended(process.returncode) or f"it ended with {process.returncode}"
        raise ModelProblem(f"llama.cpp cannot make {kind} of {model.path}: {why}")


def main() -> None:
    """The child."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    platform_.lowest_priority()
    asked = json.loads(sys.stdin.buffer.readline())
    try:
        from .llama import quantize as make

        make(Path(asked["source"]), Path(asked["target"]), KINDS[asked["kind"]], asked["without"], asked["threads"])
        answer: dict[str, object] = {"done": True}
    except (ImportError, OSError, RuntimeError) as error:
        answer = {"failed": str(error)}
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()


if __name__ == "__main__":
    main()
