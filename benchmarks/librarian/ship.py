"""Make server/closeread/model/shipped.tsv: what the model in use concludes of the APIs of the packages in packages.txt.

    nice .venv/bin/python benchmarks/librarian/ship.py [--minutes 60] [--each 40] [--packages FOLDER] [--output FILE] [--list | --known]

Each package's wheel is fetched from the package index into FOLDER (once; default .cache/librarian) and unpacked as data:
nothing of it is imported or run. What can be called in it is read off its source by the analysers, under the shortest
name by which a program would import it, and asked about as the product asks: the first arguments that must be given, and
the result of what is called without any. Answers are remembered, so a run that was stopped goes on where it was; packages
that were not reached in time are left out of the file. `--list` only shows what would be asked, `--known` asks nothing and
writes what was answered before.

Only what is sure ships. Most of what a package offers is harmless, so the line at which the product concludes something of
an API that data is known to reach (1.5) would be wrong too often here: on the held-out list it is passed by 21 of 89
harmless arguments, and `SURE` by 2, with 48 of 151 true ones. What lies between `SURE` and `HARMLESS` (at or below which
are 3 of those 151) is left out, to be asked about where it matters. No source ships: of the eight results that 57
packages' answers called a stranger's, however surely, reading found one to be that.

The held-out list (apis.tsv) is not looked at here; how many of its APIs a package brings by itself is printed.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

from measure import LIST, in_use

from closeread.model import librarian
from closeread.model.assistant import Assistant
from closeread.model.librarian import Api, Verdict
from closeread.model.question import Chosen
from closeread_analyzers import ir
from closeread_analyzers.catalogue import builtin

PACKAGES = Path(__file__).with_name("packages.txt")
OUT = Path(librarian.__file__).with_name("shipped.tsv")
HEAD = """\
# What the default model concludes of APIs of Python packages that no model file describes: language, path, argument, kind ("-": harmless),
# and how far the answer leant. Made by benchmarks/librarian/ship.py with {model}, questions {version}, of
# {packages}. Nobody has confirmed any of it.
"""
SURE = 3.0
HARMLESS = 1.0
INNER = {
    "test",
    "tests",
    "testing",
    "vendor",
    "vendored",
    "extern",
    "compat",
    "conftest",
    "examples",
    "docs",
    "migrations",
}
NUMBERS = {"int", "float", "bool", "complex", "date", "datetime", "timedelta", "Decimal", "Callable", "Type", "type"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, default=Path(".cache/librarian"))
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--each", type=int, default=40, help="most questions about one package")
    parser.add_argument("--output", type=Path, default=OUT)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--known", action="store_true")
    options = parser.parse_args()
    described = builtin().models("python").known_modules
    wanted = []
    for line in PACKAGES.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            package, _, module = line.partition(" ")
            wanted.append((package, (module or package.replace("-", "_")).strip()))
    ends = time.monotonic() + 60 * options.minutes
    assistant = None if options.list else Assistant(in_use())
    verdicts: dict[Api, Verdict] = {}
    done: list[str] = []
    try:
        for package, module in wanted:
            if module.partition(".")[0] in described:
                print(f"{package}: described by a model file")
                continue
            if time.monotonic() > ends:
                print(f"{package}: not reached")
                continue
            folder = unpacked(package, options.packages)
            if folder is None:
                continue
            found = dict.fromkeys(api for api in called(folder, module) if librarian.askable(api))
            apis = sorted(found, key=lambda api: (api.path.count("."), api.argument == "return"))[: options.each]
            if assistant is not None and options.known:
                apis = [api for api in apis if answered(assistant, api)]
            if assistant is None:
                print(f"{package}: {len(apis)}: {', '.join(map(librarian.shown, apis))}")
                continue
            told = [one for one in librarian.judge(apis, assistant) if sure(one)]
            verdicts.update({one.api: one for one in told})
            if apis:
                done.append(folder.name)
            print(
                f"{package}: {len(apis)}, sure of {len(told)}, a kind {sum(bool(one.kind) for one in told)}", flush=True
            )
    finally:
        if assistant is not None:
            assistant.close()
    if assistant is not None:
        write(verdicts, done, assistant.model.name, options.output)


def answered(assistant: Assistant, api: Api) -> bool:
    """Whether all that there is to ask about an API was answered before."""
    least = librarian.least("sink")
    for text in librarian.views(api):
        first = assistant.known(librarian.question(librarian.first(api), text), librarian.version())
        if not isinstance(first, Chosen):
            return False
        if api.argument != "return" and first.logs[0] - first.logs[1] >= least:
            return assistant.known(librarian.question("kind", text), librarian.version()) is not None
    return True


def sure(verdict: Verdict) -> bool:
    return verdict.score <= HARMLESS or (verdict.api.argument != "return" and verdict.score >= SURE)


def write(verdicts: dict[Api, Verdict], done: list[str], model: str, out: Path) -> None:
    rows = sorted("\t".join((*one.api, one.kind or "-", f"{one.score:.3f}")) for one in verdicts.values())
    head = HEAD.format(model=model, version=librarian.version(), packages=", ".join(done))
    out.write_text(head + "\n".join(rows) + "\n", "utf-8")
    held_out = LIST.read_text("utf-8")
    both = sum(f"\t{librarian.shown(api)}\t" in held_out for api in verdicts)
    kinds = sum(bool(verdict.kind) for verdict in verdicts.values())
    print(f"{len(rows)} verdicts of {len(done)} packages, {kinds} with a kind, {both} also in the held-out list: {out}")


# --- Packages as data ------------------------------------------------------------------------------


def unpacked(package: str, folder: Path) -> Path | None:
    """The package's files in a folder named after it and its version; None where the index has no wheel of it."""
    found = sorted(folder.glob(f"{package}-[0-9]*"))
    if found:
        return found[-1]
    wheels = folder / "wheels" / package
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest"]
    outcome = subprocess.run([*command, str(wheels), package], capture_output=True, text=True, check=False)
    file = next(iter(wheels.glob("*.whl")), None)
    if outcome.returncode or file is None:
        print(f"{package}: no wheel ({(outcome.stderr.strip().splitlines() or [''])[-1][:100]})")
        return None
    target = folder / f"{package}-{file.name.split('-')[1]}"
    with zipfile.ZipFile(file) as wheel:
        wheel.extractall(target, [name for name in wheel.namelist() if name.endswith(".py")])
    file.unlink()
    return target


def called(folder: Path, module: str) -> Iterator[Api]:
    """What a program may call of `module`, what is nearest to its top first."""
    language = importlib.import_module("closeread_analyzers.languages.python").language
    top = folder.joinpath(*module.split("."))
    files = sorted(top.rglob("*.py")) if top.is_dir() else [top.with_suffix(".py")]
    modules: dict[str, ir.Module] = {}
    for file in files:
        name = ".".join(file.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")
        if file.exists() and not INNER & set(name.split(".")):
            source = file.read_bytes()
            modules[name] = language.lower(str(file.relative_to(folder)), source, language.parse(source))
    packages = {name for name in modules if any(other.startswith(f"{name}.") for other in modules)} | {module}
    names = {
        (name, defined.name): f"{name}.{defined.name}" for name in modules for defined in definitions(modules[name])
    }
    for name in sorted(modules, key=lambda name: -name.count(".")):
        for bound, source in imports(modules[name], name, name in packages):
            known = names.get(source)
            public = f"{name}.{bound}"
            if known is not None and ("._" in public, public.count(".")) < ("._" in known, known.count(".")):
                names[source] = public
    found = []
    for name, parsed in modules.items():
        for defined in definitions(parsed):
            path = names[name, defined.name]
            if "._" not in path:
                found.append((path.count("."), path, defined))
    for _, path, defined in sorted(found, key=lambda row: row[0]):
        if isinstance(defined, ir.Function):
            yield from asked(path, defined, False)
            continue
        for method in methods(defined):
            if method.name == "__init__":
                yield from asked(path, method, True)
            elif not method.name.startswith("_"):
                yield from asked(f"{path}.{method.name}", method, True)


def definitions(module: ir.Module) -> Iterator[ir.Function | ir.Class]:
    """The public functions and classes of a module."""
    for unit in module.units:
        statement = unit.statement
        if "." in unit.name:  # a method: it comes with its class
            continue
        if isinstance(statement, ir.FunctionDefinition) and not statement.function.name.startswith("_"):
            yield statement.function
        elif isinstance(statement, ir.ClassDefinition) and not statement.definition.name.startswith("_"):
            yield statement.definition


def methods(defined: ir.Class) -> Iterator[ir.Function]:
    for statement in defined.body:
        if isinstance(statement, ir.FunctionDefinition):
            decorators = [
                at.name if isinstance(at, ir.Attribute) else getattr(at, "id", "")
                for at in statement.function.decorators
            ]
            if not {"property", "setter", "cached_property", "overload"} & set(decorators):
                yield statement.function


def imports(module: ir.Module, name: str, package: bool) -> Iterator[tuple[str, tuple[str, str]]]:
    """What a module re-exports: the name it gets, and the module and name it comes from."""
    for unit in module.units:
        at = unit.statement
        if isinstance(at, ir.Import) and at.member is not None and not at.bound.startswith("_"):
            parts = name.split(".") if package else name.split(".")[:-1]
            base = parts[: len(parts) - at.level + 1] if at.level else []
            yield at.bound, (".".join([*base, *filter(None, [at.module])]), at.member)


def asked(path: str, function: ir.Function, method: bool) -> Iterator[Api]:
    """The first two arguments that must be given and may be a text; without any, the result."""
    given = [at for at in function.parameters if at.kind == "positional"]
    static = any(getattr(at, "id", "") == "staticmethod" for at in function.decorators)
    given = given[1:] if method and not static else given
    needed = [(place, at) for place, at in enumerate(given) if at.default is None][:2]
    if not given and function.name != "__init__":
        yield Api("python", path, "return")
    for place, parameter in needed:
        annotation = parameter.annotation
        name = getattr(annotation, "id", "") or getattr(annotation, "name", "")
        if name not in NUMBERS:
            yield Api("python", path, str(place))


if __name__ == "__main__":
    main()
