"""What a variable may hold, as the interpreter sees it.

A `Value` is immutable. It carries taints (what an attacker may have put there, and how it came),
a constant where there is only one, the access path by which library models know it, the workspace
function or class it is, and, for containers and objects, a reference into the frame's heap of
`Shape`s. Outside a frame (in summaries and module globals) shapes hang on the value itself:
`freeze` and `thaw` convert.

The lattice is finite by force: at most `MAX_TAINTS` taints a value, `MAX_ITEMS` items a shape,
`MAX_DEPTH` levels of nesting survive a freeze.
"""

from __future__ import annotations

import itertools
from typing import Any, Final, NamedTuple

from .taints import NONE, Taints, join_taints

MAX_PATH: Final = 160

MAX_ITEMS: Final = 48

MAX_DEPTH: Final = 4


class Unknown:
    """The one marker for "not a known constant"."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


class FunctionRef(NamedTuple):
    """A function of the workspace: the file and the unit's name."""

    path: str
    name: str


class Undecorated(NamedTuple):
    """A function of the workspace itself, as its decorators are given it."""

    function: FunctionRef


class ClassRef(NamedTuple):
    """A class of the workspace."""

    path: str
    name: str


class ModuleRef(NamedTuple):
    """A file of the workspace, as a namespace."""

    path: str


class Value:
    """What an expression evaluates to. Treat as immutable; `UNKNOWN_VALUE` is the most common one.

    taints    what it may carry itself (its items' taints are in its shape)
    const     the constant it is, or `UNKNOWN`
    path      its access path for library models ("flask.request.args"), or None
    target    the workspace entity it is: FunctionRef, ClassRef, ModuleRef, Instance, Bound, Closure, or None
    ref       its shape's place in the frame's heap, 0 for none
    shape     its shape, when frozen
    name      the last identifier it was reached by, for receivers nobody can place
    """

    __slots__ = ("const", "name", "path", "ref", "shape", "taints", "target")

    def __init__(
        self,
        taints: Taints = NONE,
        const: Any = UNKNOWN,
        path: str | None = None,
        target: Any = None,
        ref: int = 0,
        shape: Shape | None = None,
        name: str = "",
    ) -> None:
        self.taints = taints
        self.const = const
        self.path = path
        self.target = target
        self.ref = ref
        self.shape = shape
        self.name = name

    def tainted(self, taints: Taints) -> Value:
        """The same value with other taints."""
        return Value(taints, self.const, self.path, self.target, self.ref, self.shape, self.name)

    def clear(self, kinds: frozenset[str]) -> Value:
        """The same value, harmless for `kinds`."""
        if not self.taints:
            return self
        return self.tainted(tuple(taint.clear(kinds) for taint in self.taints))

    def __repr__(self) -> str:
        shown = [
            f"{slot}={getattr(self, slot)!r}"
            for slot in self.__slots__
            if getattr(self, slot) not in ((), None, 0, "", UNKNOWN)
        ]
        return f"Value({', '.join(shown)})"


UNKNOWN_VALUE: Final = Value()


class Instance(NamedTuple):
    """The target of a value that is an instance of a workspace class."""

    cls: ClassRef


class Bound(NamedTuple):
    """A method of the workspace with its receiver."""

    function: FunctionRef
    receiver: Value


class Closure:
    """A nested function or lambda, with the variables it can see. Compared by identity."""

    __slots__ = ("frame", "function", "receiver", "unit")

    def __init__(self, function: Any, frame: Any, receiver: Value | None = None) -> None:
        self.function = function
        self.frame = frame
        self.unit = frame.unit  # a module's frame goes from unit to unit
        self.receiver = receiver


class Partial:
    """A callable with some of its arguments already given."""

    __slots__ = ("arguments", "callee", "keyword")

    def __init__(self, callee: Value, arguments: tuple[Any, ...], keyword: dict[str, Any]) -> None:
        self.callee = callee
        self.arguments = arguments
        self.keyword = keyword


class Several(NamedTuple):
    """One of several functions or classes of the workspace: an entry of a table, under a key that nobody knows."""

    targets: tuple[FunctionRef | Undecorated | ClassRef, ...]


class Shape:
    """The inside of a container or object. Immutable: a change makes a new one.

    kind    "list" (also tuples), "set", "dict", "object" or "parameter" (a caller's, of unknown inside)
    items   known positions, keys or attributes
    rest    what any other key may hold, or None
    closed  there are no other keys than those in `items` (and so `rest` is None)
    """

    __slots__ = ("closed", "items", "kind", "rest")

    def __init__(self, kind: str, items: dict[Any, Value], rest: Value | None = None, closed: bool = True) -> None:
        self.kind = kind
        self.items = items
        self.rest = rest
        self.closed = closed

    def values(self) -> list[Value]:
        """All that may be inside."""
        inside = list(self.items.values())
        if self.rest is not None:
            inside.append(self.rest)
        return inside

    def holds_constants(self) -> bool:
        """Whether items are constants, and nothing is known to have been added (a module's list may grow anywhere)."""
        added = self.rest
        plain = added is None or not (added.taints or added.ref or added.shape is not None)
        return bool(self.items) and plain and all(item.const is not UNKNOWN for item in self.items.values())

    def __repr__(self) -> str:
        return f"{self.kind}{self.items!r}{'' if self.closed else f' or {self.rest!r}'}"


Heap = dict[int, Shape]


def same_constant(left: Any, right: Any) -> bool:
    """Whether two constants are one: 1, 1.0 and True are three different ones."""
    return left is right or (type(left) is type(right) and bool(left == right))


def join(left: Value, right: Value, heap: Heap) -> Value:
    """What is known when the value is either. Both live in `heap` (or are frozen alike)."""
    if left is right:
        return left
    const = left.const if same_constant(left.const, right.const) else UNKNOWN
    ref = left.ref
    if ref != right.ref:
        bare = left if not ref else right if not right.ref else None
        if bare is not None and bare.const is UNKNOWN:  # the other may be anything, not just nothing yet
            ref = opened(ref or right.ref, heap)
        else:
            ref = join_references(ref, right.ref, heap)
    return Value(
        join_taints(left.taints, right.taints),
        const,
        # A None default or an unknown on one side does not hide what the other side is.
        left.path if left.path == right.path or right.path is None else right.path if left.path is None else left.path,
        left.target
        if left.target == right.target or right.target is None
        else right.target
        if left.target is None
        else None,
        ref,
        None,
        left.name or right.name,
    )


def opened(ref: int, heap: Heap) -> int:
    """A shape that is this one or nobody knows which."""
    shape = heap.get(ref)
    if shape is None:
        return 0
    items = {key: forget_constant(value) for key, value in shape.items.items()}
    fresh = fresh_reference()
    heap[fresh] = Shape(shape.kind, items, shape.rest or UNKNOWN_VALUE, closed=False)
    return fresh


def join_references(left: int, right: int, heap: Heap) -> int:
    """A reference that reads as either. Writes through it reach neither: a stated imprecision."""
    one, other = heap.get(left), heap.get(right)
    if one is None:
        return right if other is not None else 0
    if other is None or one is other:
        return left
    fresh = fresh_reference()
    heap[fresh] = one  # breaks cycles: a shape that contains itself joins with this
    heap[fresh] = join_shapes(one, other, heap)
    return fresh


def join_shapes(left: Shape, right: Shape, heap: Heap) -> Shape:
    """A shape that is either."""
    if left is right:
        return left
    if left.kind != right.kind:
        rest: Value | None = None
        for value in left.values() + right.values():
            rest = value if rest is None else shallow_join(rest, value)
        return Shape(left.kind, {}, rest or UNKNOWN_VALUE, closed=False)
    items: dict[Any, Value] = {}
    for key, value in left.items.items():
        other = right.items.get(key)
        if other is None:
            items[key] = value if right.rest is None else shallow_join(value, right.rest)
        else:
            items[key] = value if value is other else shallow_join(value, other)
            continue
        items[key] = forget_constant(items[key])
    for key, value in right.items.items():
        if key not in items:
            items[key] = forget_constant(value if left.rest is None else shallow_join(value, left.rest))
    rest = left.rest if right.rest is None else right.rest if left.rest is None else shallow_join(left.rest, right.rest)
    closed = left.closed and right.closed
    if left.kind == "list" and closed and left.items.keys() != right.items.keys():
        return collapse(Shape(left.kind, items, rest, closed))
    return bounded(Shape(left.kind, items, rest, closed))


def forget_constant(value: Value) -> Value:
    """The value, perhaps absent: its constant is no longer certain."""
    if value.const is UNKNOWN:
        return value
    return Value(value.taints, UNKNOWN, value.path, value.target, value.ref, value.shape, value.name)


def shallow_join(left: Value, right: Value) -> Value:
    """`join` without a heap: of two different shapes inside, the left one is kept."""
    if left is right:
        return left
    const = left.const if same_constant(left.const, right.const) else UNKNOWN
    target = (
        left.target
        if left.target == right.target or right.target is None
        else right.target
        if left.target is None
        else None
    )
    return Value(
        join_taints(left.taints, right.taints),
        const,
        left.path or right.path,
        target,
        left.ref or right.ref,
        left.shape or right.shape,
        left.name or right.name,
    )


def join_frozen(left: Value, right: Value) -> Value:
    """What is known when the value is either of two frozen ones."""
    joined = shallow_join(left, right)
    if left.shape is not None and right.shape is not None and left.shape is not right.shape:
        shape = join_shapes(left.shape, right.shape, {})
        return Value(joined.taints, joined.const, joined.path, joined.target, 0, shape, joined.name)
    return joined


def collapse(shape: Shape) -> Shape:
    """Positions forgotten: anything may be anywhere."""
    rest = shape.rest
    for value in shape.items.values():
        rest = value if rest is None else shallow_join(rest, value)
    return Shape(shape.kind, {}, forget_constant(rest) if rest is not None else UNKNOWN_VALUE, closed=False)


def bounded(shape: Shape) -> Shape:
    """The shape, collapsed if it has grown past `MAX_ITEMS`."""
    return shape if len(shape.items) <= MAX_ITEMS else collapse(shape)


_references = itertools.count(1)


def fresh_reference() -> int:
    """A place in a heap that was never used in any. References are opaque: no result depends on their numbers."""
    return next(_references)


def deep_taints(value: Value, heap: Heap, depth: int = MAX_DEPTH) -> Taints:
    """The taints of a value and of all that is inside it."""
    taints = value.taints
    shape = value.shape if value.shape is not None else heap.get(value.ref) if value.ref else None
    if shape is None or depth == 0:
        return taints
    for inner in shape.items.values():
        if inner.taints or inner.ref or inner.shape is not None:
            taints = join_taints(taints, deep_taints(inner, heap, depth - 1))
    if shape.rest is not None:
        taints = join_taints(taints, deep_taints(shape.rest, heap, depth - 1))
    return taints


def freeze(value: Value, heap: Heap, depth: int = MAX_DEPTH) -> Value:
    """The value with its shapes on it, for use outside its frame. What is deeper than `depth` becomes taints."""
    if not value.ref:
        return value
    shape = heap.get(value.ref)
    if shape is None or depth == 0:
        return Value(deep_taints(value, heap, 2), value.const, value.path, value.target, 0, None, value.name)
    items = {key: freeze(inner, heap, depth - 1) for key, inner in shape.items.items()}
    rest = freeze(shape.rest, heap, depth - 1) if shape.rest is not None else None
    return Value(
        value.taints, value.const, value.path, value.target, 0, Shape(shape.kind, items, rest, shape.closed), value.name
    )


def thaw(value: Value, heap: Heap) -> Value:
    """A frozen value in a frame: its shapes get places in the heap."""
    shape = value.shape
    if shape is None:
        return value
    ref = fresh_reference()
    items = {key: thaw(inner, heap) for key, inner in shape.items.items()}
    rest = thaw(shape.rest, heap) if shape.rest is not None else None
    heap[ref] = Shape(shape.kind, items, rest, shape.closed)
    return Value(value.taints, value.const, value.path, value.target, ref, None, value.name)
