"""What the user's own models say of the workspace's own code.

Built-in models describe libraries, whose code is out of sight. A user may describe a function whose code is here
too: then the description counts for what a call gives, and what happens inside still happens. Such a function is
known by where it is defined, `shop.http.client_text` for `client_text` in `src/shop/http.py`; folders before the
package may be left out. Absent: names under which another module hands a function on.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .. import ir
from ..catalogue import Entry, Guard, HandlerModel, NoReturn, Sink, Source, StepModel, TypeModel, Use
from ..languages import language_of
from . import conditions, invocation, library
from .arguments import Arguments
from .taints import NONE, join_taints
from .values import UNKNOWN, UNKNOWN_VALUE, Bound, ClassRef, FunctionRef, Instance, Value

if TYPE_CHECKING:
    from .frame import Frame


def path_of(own: frozenset[str], target: Any) -> str | None:
    """The path in `own` under which a function or class of the workspace is described, or None."""
    if not own:
        return None
    if isinstance(target, Bound):
        target = target.function
    elif isinstance(target, Instance):
        target = target.cls
    return _path(own, target.path, target.name) if isinstance(target, (FunctionRef, ClassRef)) else None


@lru_cache(maxsize=1 << 14)
def _path(own: frozenset[str], file: str, name: str) -> str | None:
    language = language_of(file)
    if language is None:
        return None
    names = [*language.module_name(file).replace("/", ".").split("."), *name.partition("#")[0].split(".")]
    paths = (".".join(names[start:]) for start in range(len(names) - 1))
    return next((path for path in paths if path in own), None)


def entries(frame: Frame, callee: Value) -> tuple[tuple[Entry, int], ...]:
    """What the user said of calls of something in the workspace."""
    path = path_of(frame.models.own, callee.target)
    return tuple((entry, 2) for entry in frame.models.calls.get(path, ())) if path is not None else ()


def call(frame: Frame, node: ir.Call, callee: Value, receiver: Value, arguments: Arguments) -> Value:
    """A call of something in the workspace, of which the user may have said what it does."""
    told = [entry for entry, _ in entries(frame, callee) if conditions.holds(frame, entry, arguments, receiver)]
    result = invocation.invoke(frame, node, callee, arguments.positional, None, arguments)
    taints, stepped, path = NONE, False, None
    for entry in told:
        if isinstance(entry, Sink):
            library._reach(frame, node, entry, arguments, receiver, 2)
        elif isinstance(entry, StepModel):
            stepped = True
            taints = join_taints(taints, library._step(frame, node, entry, arguments, receiver))
        elif isinstance(entry, Source):
            taints = join_taints(taints, (library.source(frame, node, entry, callee, receiver, 2),))
        elif isinstance(entry, TypeModel):
            path = entry.returns
        elif isinstance(entry, Use):
            frame.use(entry.kind, node, 2, entry.message)
        elif isinstance(entry, NoReturn):
            frame.alive = False
        elif isinstance(entry, HandlerModel):
            for ref in entry.argument:
                for value in arguments.positional if ref.kind == "all" else [arguments.at(ref, receiver)]:
                    if value is not None and value.target is not None:
                        frame.engine.handle(frame, node, value, entry, arguments)
    if path is not None:
        return Value(taints if stepped else join_taints(result.taints, taints), UNKNOWN, path, name=callee.name)
    if stepped:
        return Value(taints, UNKNOWN, name=result.name)
    return result.tainted(join_taints(result.taints, taints)) if taints else result


def attribute(frame: Frame, node: ir.Node, value: Value, name: str) -> Value | None:
    """What the user said of reading an attribute of a class of the workspace, or of an instance; None if nothing."""
    owner = value.target.cls if isinstance(value.target, Instance) else value.target
    if not isinstance(owner, ClassRef):
        return None
    path = path_of(frame.models.own, ClassRef(owner.path, f"{owner.name}.{name}"))
    told = frame.models.attributes.get(path, ()) if path is not None else ()
    if not told or any(isinstance(entry, Guard) for entry in told):
        return None
    read = frame.engine.member(frame, value.target, name, value) or UNKNOWN_VALUE
    return library.read(frame, node, read, told, value, False)


__all__ = ["attribute", "call", "entries", "path_of"]
