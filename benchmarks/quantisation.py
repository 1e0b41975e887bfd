"""The quantisation table: a model as it is, and made anew with other numbers or without a layer, each measured alike.

    nice .venv/bin/python benchmarks/quantisation.py [MODEL.gguf] [--to F16,Q8_0,...] [--without 14] [--folder FOLDER]

The model in use by default. Files are made in FOLDER (default .cache/quantised) and kept. Speed is told in questions and
tokens a CPU second, since that is what a shared machine leaves comparable; `closeread model quantize` tells it by the clock.
What a file of 4 bits is made anew into has lost what its 4 bits lost: from the publisher's 16 bits it would be better.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from closeread.model import evaluation
from closeread.model.quantisation import quantize
from closeread.model.shelf import Model, Shelf, header


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?")
    parser.add_argument("--to", default="Q8_0,Q6_K,Q5_K_M,Q3_K_M,Q2_K")
    parser.add_argument("--without", default="", help="one layer more to leave out, at the numbers the model has")
    parser.add_argument("--folder", type=Path, default=Path(".cache/quantised"))
    options = parser.parse_args()
    model = Shelf().look(options.model) if options.model else Shelf().ready()
    if model is None:
        raise SystemExit("no model is in use: closeread model pull")
    shelf = Shelf(options.folder.absolute())
    first = measured(model, shelf)
    print("| file | size | memory | CPU seconds for all questions | sinks | sources | kinds | right | same answers |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    show(model.path.stem, model, first, first)
    for kind in filter(None, options.to.split(",")):
        made = quantize(shelf, model, kind)
        show(kind, made, measured(made, shelf), first)
    for layer in filter(None, options.without.split(",")):
        kind = header(model.path).quantisation
        made = quantize(shelf, model, kind, [int(layer)])
        show(f"{kind} without layer {layer}", made, measured(made, shelf), first)


def measured(model: Model, shelf: Shelf) -> evaluation.Result:
    known = evaluation.kept(model, shelf)
    if known is None:
        started = time.monotonic()
        known = evaluation.measure(model)
        evaluation.keep(model, known, shelf)
        print(f"({model.path.stem}: {time.monotonic() - started:.0f} s)", flush=True)
    return known


def show(name: str, model: Model, result: evaluation.Result, first: evaluation.Result) -> None:
    print(
        f"| {name} | {model.size / 1e6:.0f} MB | {result.memory / 1e6:.0f} MB | {result.cpu:.0f} | {result.sink:.3f} | "
        f"{result.source:.3f} | {result.kinds} of {result.of_kinds} | {result.right} of {result.asked} | "
        f"{result.same(first)} of {len(first.answers)} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
