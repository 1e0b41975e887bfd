"""Templates as functions: what a call that renders one does with the context it is given.

A template's name is looked for in the folders of templates around the file that renders it. Its function's
summary is applied to the context; where the renderer does not escape, the function is interpreted again
with that word in the context. Deliberately absent: names that are computed, search paths that the application
sets, processors that add to every context, and the text that comes out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .. import ir
from ..catalogue import TemplateModel
from ..languages import AUTOESCAPE, TEMPLATE
from ..tree import walk
from . import containers, declared, invocation, narrowing
from .arguments import Arguments
from .summaries import Application
from .taints import join_taints
from .values import UNKNOWN_VALUE, FunctionRef, Shape, Value, join

if TYPE_CHECKING:
    from .engine import Engine
    from .frame import Frame

_FOLDERS: Final = ("templates", "jinja2")
_HOMES: Final = (
    "__init__",
    "app",
    "main",
    "__main__",
    "application",
    "server",
    "run",
    "settings",
    "setup",
    "extensions",
)
_MAX_FOLDERS: Final = 6


class TemplateRef(NamedTuple):
    """The target of a value that is a template of the workspace: its file, and the name it was asked for by."""

    path: str
    name: str


def render(
    frame: Frame, node: ir.Node, entry: TemplateModel, arguments: Arguments, receiver: Value
) -> TemplateRef | None:
    """A call that renders a template; or that only finds one, which is then returned."""
    found = _found(frame, entry, arguments, receiver)
    if found is None or not (entry.context or entry.keywords):
        return found
    given = [value for ref in entry.context if (value := arguments.at(ref, receiver)) is not None]
    named = dict(arguments.keyword) if entry.keywords else {}
    _apply(frame, node, entry, found, _context(frame, given, named, arguments.spread))
    return None


def returned(frame: Frame, node: ir.Node, value: Value) -> None:
    """A function returns: a decorator may put that into a template."""
    function = frame.function
    for decorator in function.decorators if function is not None else ():
        if not isinstance(decorator, ir.Call):
            continue
        for entry in frame.engine._decorator_entries(frame, decorator):
            if isinstance(entry, TemplateModel):
                found = _found(frame, entry, narrowing.quiet_arguments(frame, decorator), UNKNOWN_VALUE)
                if found is not None:
                    _apply(frame, node, entry, found, _context(frame, [value], {}, None))


# --- Which template --------------------------------------------------------------------------------


def _found(frame: Frame, entry: TemplateModel, arguments: Arguments, receiver: Value) -> TemplateRef | None:
    for ref in entry.name:
        value = arguments.at(ref, receiver)
        if value is None:
            continue
        if isinstance(value.target, TemplateRef):
            return value.target
        several = containers.positions(frame, value) if value.ref else None
        for one in several if several is not None else [value]:
            if isinstance(one.const, str):
                path = frame.engine._noted(("template", frame.source.path, one.const))
                if path is not None:
                    return TemplateRef(path, one.const)
    return None


def find(engine: Engine, importer: str, name: str) -> str | None:
    """The file of the template that a file asks for by `name`; a small question of the engine's."""
    absent: list[str] = []
    found = None
    for path in _candidates(importer, name):
        source = engine.load(path) if engine.has_file(path) else None
        if source is not None and TEMPLATE in source.functions:
            engine._records[-1].files.add(path)
            found = path
            break
        absent.append(path)
    engine._missing.setdefault(importer, {})[name, -1] = tuple(absent)
    return found


def _candidates(importer: str, name: str) -> list[str]:
    """Where a template may be: nearest first, in a folder of templates, in that of a package it names, beside."""
    parts = [part for part in name.replace(":", "/").split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        return []
    name, package = "/".join(parts), parts[0] if len(parts) > 1 else ""
    roots = _roots(importer)
    homes: list[str] = []
    for root in roots:
        homes += [f"{root}{folder}/" for folder in _FOLDERS]
        homes += [f"{root}{package}/{folder}/" for folder in _FOLDERS if package]
    return [f"{home}{name}" for home in [*homes, *roots]]


def _roots(path: str) -> list[str]:
    """The folders around a file, nearest first, each with its slash; "" is the project's."""
    folders = path.split("/")[:-1]
    return ["".join(f"{folder}/" for folder in folders[:count]) for count in range(len(folders), -1, -1)]


# --- Whether it is escaped -------------------------------------------------------------------------


def unescaped(engine: Engine, importer: str, switches: tuple[str, ...]) -> bool:
    """Whether an application's set-up switches escaping off; a small question of the engine's.

    It is looked for in the file itself and in those that by custom set an application up, around it and above.
    """
    from .frame import Frame, Record

    suffix = importer[importer.rfind(".") :]
    paths = [f"{root}{name}{suffix}" for root in _roots(importer)[:_MAX_FOLDERS] for name in _HOMES]
    for path in [importer, *(path for path in paths if path != importer)]:
        source = engine.load(path) if path == importer or engine.has_file(path) else None
        if source is None:
            continue
        engine._records[-1].files.add(path)
        for unit, entry in source.units.items():
            frame = Frame(engine, source, unit, Record())
            if any(_switches_off(frame, node, switches) for node in walk(entry.statement)):
                return True
    return False


def _switches_off(frame: Frame, node: ir.Node, switches: tuple[str, ...]) -> bool:
    """`f(..., name=False)`, written "path.of.f[name]"; `x.name = False`, known by its last two names."""
    if isinstance(node, ir.Call):
        off = [argument.name for argument in node.arguments if argument.name and _is_false(argument.value)]
        value = declared.plain_path(frame, node.callee) if off else None
        return value is not None and any(f"{value.path}[{name}]" in switches for name in off)
    if isinstance(node, ir.Assign) and node.value is not None and _is_false(node.value):
        targets = [".".join(_last_names(target)) for target in node.targets]
        return any(target and f".{switch}".endswith(f".{target}") for target in targets for switch in switches)
    return False


def _is_false(node: ir.Expression) -> bool:
    return isinstance(node, ir.Constant) and node.value is False


def _last_names(node: ir.Expression) -> tuple[str, ...]:
    if not isinstance(node, ir.Attribute):
        return ()
    inner = node.value
    return (
        inner.name if isinstance(inner, ir.Attribute) else inner.id if isinstance(inner, ir.Name) else "",
        node.name,
    )


# --- What it is given ------------------------------------------------------------------------------


def _context(frame: Frame, given: list[Value], named: dict[str, Value], spread: Value | None) -> Value:
    """The context as a new dict: what the template does to it stays in the template."""
    items: dict[Any, Value] = {}
    rest, closed = spread, spread is None
    taints = UNKNOWN_VALUE.taints
    kind = "dict"
    for value in given:
        shape = frame.heap.get(value.ref) if value.ref else None
        if shape is None or shape.kind == "parameter":
            taints = join_taints(taints, value.taints)
            kind = "parameter"
            closed = False
        if shape is not None and shape.kind in ("dict", "parameter"):
            items.update(shape.items)
            closed = closed and shape.closed
            if shape.rest is not None:
                rest = shape.rest if rest is None else join(rest, shape.rest, frame.heap)
    items.update(named)
    return Value(taints, ref=frame.allocate(Shape(kind, items, rest, closed)))


def _apply(frame: Frame, node: ir.Node, entry: TemplateModel, template: TemplateRef, context: Value) -> None:
    ref = FunctionRef(template.path, TEMPLATE)
    info = frame.engine.function(frame, ref)
    if info is None:
        return
    if not _escapes(frame, entry, template):
        _interpret(frame, node, info.function, ref, context)
        return
    summary = frame.engine.summary(frame, ref)
    if summary is not None:
        Application(frame, ref, {0: context}, frame.site(node)).apply(summary)


def _escapes(frame: Frame, entry: TemplateModel, template: TemplateRef) -> bool:
    if not template.name.endswith(entry.autoescape):
        return False
    return not (entry.switch and frame.engine._noted(("unescaped", frame.source.path, entry.switch)))


def _interpret(frame: Frame, node: ir.Node, function: ir.Function, ref: FunctionRef, context: Value) -> None:
    """Run the template on its context, told that nothing is escaped."""
    if (
        frame.depth >= invocation.MAX_FRAMES
        or frame.record.inlined >= invocation.MAX_INLINED
        or frame.engine.is_running(function)
    ):
        return
    frame.record.inlined += 1
    shape = frame.heap[context.ref]
    site = frame.site(node)
    items = {
        key: value.tainted(tuple(taint.step(site, "passed to the template") for taint in value.taints))
        for key, value in shape.items.items()
    }
    items[AUTOESCAPE] = Value(const=False)
    frame.heap[context.ref] = Shape(shape.kind, items, shape.rest, shape.closed)
    frame.engine.run_inline(frame, function, {0: context}, None, ref)


__all__ = ["TemplateRef", "find", "render", "returned", "unescaped"]
