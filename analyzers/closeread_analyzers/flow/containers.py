"""Lists, dicts, sets and objects: known keys and positions are told apart for as long as they are known.

The methods of built-in containers are a table from the names languages give them to one operation.
A write under an unknown key may be anywhere; so is a read under one. Deliberately absent: sorting
and other changes of order (positions are forgotten), and copies of what is inside.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from .taints import join_taints
from .values import (
    UNKNOWN,
    UNKNOWN_VALUE,
    ClassRef,
    FunctionRef,
    Several,
    Shape,
    Undecorated,
    Value,
    bounded,
    collapse,
    deep_taints,
    forget_constant,
    join,
)

if TYPE_CHECKING:
    from .frame import Frame

MAX_SEVERAL: Final = 16
"""Entries up to which a table of functions is called through."""


def make(frame: Frame, kind: str, items: dict[Any, Value], rest: Value | None, closed: bool) -> Value:
    """A new container."""
    return Value(ref=frame.allocate(bounded(Shape(kind, items, rest, closed))))


def positions(frame: Frame, value: Value) -> list[Value] | None:
    """The items of a list whose every position is known, in order; None for anything else."""
    if not value.ref:
        return None
    shape = frame.heap.get(value.ref)
    if shape is None or shape.kind != "list" or not shape.closed:
        return None
    items = [shape.items[index] for index in range(len(shape.items)) if index in shape.items]
    if value.taints:
        return [item.tainted(join_taints(item.taints, value.taints)) for item in items]
    return items


def any_item(frame: Frame, value: Value, keys: bool = False) -> Value | None:
    """What any item may be. Iterating a dict gives its keys, which carry what the container itself does."""
    shape = frame.heap.get(value.ref)
    if shape is None or shape.kind in ("object", "parameter"):
        return None
    if shape.kind == "dict" or keys:
        return Value(value.taints, UNKNOWN, None, None, 0, None, value.name)
    found: Value | None = None
    for inner in shape.values():
        found = inner if found is None else join(found, inner, frame.heap)
    if found is None:
        return Value(value.taints)
    found = forget_constant(found) if len(shape.items) != 1 or shape.rest is not None else found
    return found.tainted(join_taints(found.taints, value.taints)) if value.taints else found


def get(frame: Frame, value: Value, key: Any) -> Value | None:
    """The item under a constant key (UNKNOWN: under any); None when nothing is known of the inside."""
    shape = frame.heap.get(value.ref)
    if shape is None:
        return None
    if key is not UNKNOWN and _plain(key):
        if isinstance(key, int) and key < 0 and shape.kind == "list" and shape.closed:
            key += len(shape.items)
        found = shape.items.get(key)
        if found is not None:
            if value.taints and shape.kind not in ("parameter", "object"):
                return found.tainted(join_taints(found.taints, value.taints))
            return found
        if shape.kind in ("parameter", "object"):
            return None
        taints = tuple([taint.part(key) for taint in value.taints]) if value.taints else ()
        if shape.rest is not None:
            return shape.rest.tainted(join_taints(shape.rest.taints, taints)) if taints else shape.rest
        return Value(taints) if taints else (UNKNOWN_VALUE if shape.closed else None)
    if shape.kind in ("parameter", "object"):
        return None
    found = None
    for inner in shape.values():
        found = inner if found is None else join(found, inner, frame.heap)
    if found is None:
        return Value(value.taints)
    found = forget_constant(found)
    if found.target is None and (several := _several(shape)) is not None:
        found = Value(found.taints, UNKNOWN, None, several, 0, None, found.name)
    return found.tainted(join_taints(found.taints, value.taints)) if value.taints else found


def _several(shape: Shape) -> Several | None:
    """The functions and classes of a table that holds nothing else."""
    if not 1 < len(shape.items) <= MAX_SEVERAL:
        return None
    targets = {
        item.target: None
        for item in shape.items.values()
        if isinstance(item.target, FunctionRef | Undecorated | ClassRef)
    }
    return Several(tuple(targets)) if len(targets) == len(shape.items) else None


def _plain(key: Any) -> bool:
    return key is None or isinstance(key, (str, int, float, bytes, bool))


def store(frame: Frame, value: Value, key: Any, item: Value) -> None:
    """`value[key] = item` (or `value.key = item`)."""
    shape = frame.heap.get(value.ref)
    if shape is None:
        return
    if key is not UNKNOWN and _plain(key):
        if isinstance(key, int) and key < 0 and shape.kind == "list" and shape.closed:
            key += len(shape.items)
        frame.heap[value.ref] = bounded(Shape(shape.kind, {**shape.items, key: item}, shape.rest, shape.closed))
        return
    rest = item if shape.rest is None else join(shape.rest, item, frame.heap)
    items = {known: forget_constant(inner) for known, inner in shape.items.items()}
    frame.heap[value.ref] = Shape(shape.kind, items, forget_constant(rest), closed=False)


def discard(frame: Frame, value: Value, key: Any) -> None:
    """`del value[key]`."""
    shape = frame.heap.get(value.ref)
    if shape is None:
        return
    if key is UNKNOWN or not _plain(key) or shape.kind == "list":
        if shape.kind == "list" and isinstance(key, int) and shape.closed:
            _remove_position(frame, value, shape, key)
        return
    items = {known: inner for known, inner in shape.items.items() if known != key}
    frame.heap[value.ref] = Shape(shape.kind, items, shape.rest, shape.closed)


def _remove_position(frame: Frame, value: Value, shape: Shape, index: int) -> Value:
    count = len(shape.items)
    if index < 0:
        index += count
    kept = [shape.items[place] for place in range(count) if place != index and place in shape.items]
    frame.heap[value.ref] = Shape(shape.kind, dict(enumerate(kept)), None, closed=True)
    return shape.items.get(index, UNKNOWN_VALUE)


def sliced(frame: Frame, value: Value, bounds: list[Any]) -> Value:
    """`value[lower:upper:step]`."""
    known = positions(frame, value)
    if known is not None and UNKNOWN not in bounds:
        try:
            part = known[slice(*bounds)]
        except (TypeError, ValueError):
            part = known
        return make(frame, "list", dict(enumerate(part)), None, True)
    inner = any_item(frame, value)
    if inner is None:
        return Value(value.taints)
    result = make(frame, "list", {}, inner, False)
    return result.tainted(value.taints) if value.taints else result


def concatenated(frame: Frame, left: Value, right: Value) -> Value:
    """`left + right` of two containers."""
    first, second = positions(frame, left), positions(frame, right)
    if first is not None and second is not None:
        return make(frame, "list", dict(enumerate(first + second)), None, True)
    one, two = any_item(frame, left), any_item(frame, right)
    inner = join(one or UNKNOWN_VALUE, two or UNKNOWN_VALUE, frame.heap)
    return make(frame, "list", {}, forget_constant(inner), False)


def common(frame: Frame, left: Value, right: Value) -> Value | None:
    """`left & right`, where one of them holds nothing but the program's own constants: some of those."""
    for one in (left, right):
        shape = frame.heap.get(one.ref) if one.ref else None
        if shape is not None and shape.kind in ("set", "list") and not one.taints and shape.holds_constants():
            return make(frame, "set", {}, any_item(frame, one), False)
    return None


# --- Methods ---------------------------------------------------------------------------------------

Method = Callable[["Frame", Value, Shape, list[Value]], "Value | None"]


def _append(frame: Frame, value: Value, shape: Shape, given: list[Value]) -> Value | None:
    if not given:
        return None
    if shape.kind == "list" and shape.closed:
        items = dict(shape.items)
        for item in given:
            items[len(items)] = item
        frame.heap[value.ref] = bounded(Shape("list", items, None, closed=True))
    else:
        for item in given:
            store(frame, value, UNKNOWN, item)
    return Value(const=None)


def _insert(frame: Frame, value: Value, shape: Shape, given: list[Value]) -> Value | None:
    if len(given) != 2:
        return None
    index, item = given
    known = positions(frame, value)
    if known is not None and isinstance(index.const, int):
        known.insert(index.const, item)
        frame.heap[value.ref] = Shape("list", dict(enumerate(known)), None, closed=True)
    else:
        store(frame, value, UNKNOWN, item)
    return Value(const=None)


def _unshift(frame: Frame, value: Value, shape: Shape, given: list[Value]) -> Value | None:
    return _insert(frame, value, shape, [Value(const=0), given[0]]) if given else None


def _extend(frame: Frame, value: Value, shape: Shape, given: list[Value]) -> Value | None:
    if not given:
        return None
    more = positions(frame, given[0])
    if more is not None and shape.kind == "list":
        return _append(frame, value, shape, more) if more else Value(const=None)
    inner = any_item(frame, given[0]) if given[0].ref else Value(given[0].taints)
    store(frame, value, UNKNOWN, inner or Value(given[0].taints))
    return Value(const=None)


def _pop(frame: Frame, value: Value, shape: Shape, given: list[Value]) -> Value | None:
    key = given[0].const if given else -1
    if shape.kind == "list":
        if shape.closed and isinstance(key, int) and shape.items:
            return _remove_position(frame, value, shape, key)
        return get(frame, value, UNKNOWN)
    if shape.kind == "set":
        return get(frame, value, UNKNOWN)
    found = get(frame, value, key)
    if key is not UNKNOWN:
        discard(frame, value, key)
    return join(found or UNKNOWN_VALUE, given[1], frame.heap) if len(given) > 1 else found


def _shift(frame: Frame, value: Value, shape: Shape, given: list[Value]) -> Value | None:
    return _pop(frame, value, shape, [Value(const=0)])


def _remove(frame: Frame, value: Value, shape: Shape, given: list[Value]) -> Value | None:
    known = positions(frame, value)
    if known is not None and given and given[0].const is not UNKNOWN:
        for index, item in enumerate(known):
            if item.const is not UNKNOWN and item.const == given[0].const:
                _remove_position(frame, value, shape, index)
                return Value(const=None)
    if shape.kind == "list":
        frame.heap[value.ref] = collapse(shape)
    return Value(const=None)


def _get(frame: Frame, value: Value, shape: Shape, given: list[Value]) -> Value | None:
    if not given:
        return None
    key = given[0].const
    default = given[1] if len(given) > 1 else Value(const=None)
    if key is not UNKNOWN and _plain(key) and key in shape.items:
        return shape.items[key]
    if shape.closed and key is not UNKNOWN and shape.kind == "dict":
        return default
    found = get(frame, value, key)
    return None if found is None else join(found, default, frame.heap)


def _set_default(frame: Frame, value: Value, shape: Shape, given: list[Value]) -> Value | None:
    if not given:
        return None
    key, default = given[0].const, given[1] if len(given) > 1 else Value(const=None)
    if key is not UNKNOWN and _plain(key) and key in shape.items:
        return shape.items[key]
    store(frame, value, key, default)
    return default


def _update(frame: Frame, value: Value, shape: Shape, given: list[Value]) -> Value | None:
    for other in given:
        more = frame.heap.get(other.ref) if other.ref else None
        if more is None:
            store(frame, value, UNKNOWN, Value(other.taints))
            continue
        for key, item in more.items.items():
            store(frame, value, key, item)
        if more.rest is not None:
            store(frame, value, UNKNOWN, more.rest)
    return Value(const=None)


def _values(frame: Frame, value: Value, shape: Shape, given: list[Value]) -> Value | None:
    if shape.closed:
        return make(frame, "list", dict(enumerate(shape.items.values())), None, True)
    inner = get(frame, value, UNKNOWN)
    return make(frame, "list", {}, inner, False) if inner is not None else None


def _keys(frame: Frame, value: Value, shape: Shape, given: list[Value]) -> Value | None:
    if shape.closed:
        keys = {place: Value(value.taints, key) for place, key in enumerate(shape.items)}
        return make(frame, "list", dict(keys), None, True)
    return make(frame, "list", {}, Value(value.taints), False)


def _items(frame: Frame, value: Value, shape: Shape, given: list[Value]) -> Value | None:
    if shape.closed:
        pairs: dict[Any, Value] = {}
        for place, (key, item) in enumerate(shape.items.items()):
            pairs[place] = make(frame, "list", {0: Value(value.taints, key), 1: item}, None, True)
        return make(frame, "list", pairs, None, True)
    inner = get(frame, value, UNKNOWN) or UNKNOWN_VALUE
    pair = make(frame, "list", {0: Value(value.taints), 1: inner}, None, True)
    return make(frame, "list", {}, pair, False)


def _copy(frame: Frame, value: Value, shape: Shape, given: list[Value]) -> Value | None:
    return Value(value.taints, UNKNOWN, value.path, value.target, frame.allocate(shape), None, value.name)


def _reverse(frame: Frame, value: Value, shape: Shape, given: list[Value]) -> Value | None:
    known = positions(frame, value)
    if known is not None:
        frame.heap[value.ref] = Shape("list", dict(enumerate(reversed(known))), None, closed=True)
    return Value(const=None, ref=0) if known is not None else None


def _sort(frame: Frame, value: Value, shape: Shape, given: list[Value]) -> Value | None:
    if shape.kind == "list":
        frame.heap[value.ref] = collapse(shape)
    return value


def _clear(frame: Frame, value: Value, shape: Shape, given: list[Value]) -> Value | None:
    frame.heap[value.ref] = Shape(shape.kind, {}, None, closed=True)
    return Value(const=None)


def _intersection(frame: Frame, value: Value, shape: Shape, given: list[Value]) -> Value | None:
    return common(frame, value, given[0]) if len(given) == 1 else None


def _index(frame: Frame, value: Value, shape: Shape, given: list[Value]) -> Value | None:
    return UNKNOWN_VALUE


FILLS: Final = frozenset(
    ("append", "appendleft", "push", "unshift", "add", "insert", "extend", "extendleft", "update", "put", "put_nowait")
)
"""Methods after whose call a container nobody knows holds what it was given."""

_METHODS: Final[dict[str, Method]] = {
    "append": _append, "push": _append, "add": _append, "appendleft": _unshift, "unshift": _unshift,
    "insert": _insert, "extend": _extend, "pop": _pop, "popleft": _shift, "shift": _shift, "remove": _remove,
    "get": _get, "setdefault": _set_default, "update": _update, "values": _values, "keys": _keys,
    "items": _items, "entries": _items, "copy": _copy, "reverse": _reverse, "sort": _sort, "clear": _clear,
    "intersection": _intersection, "index": _index, "count": _index, "indexOf": _index, "includes": _index, "has": _index,
}  # fmt: skip


def method(frame: Frame, value: Value, name: str, given: list[Value]) -> Value | None:
    """A built-in container's method, done; None when it is none of ours."""
    shape = frame.heap.get(value.ref)
    if shape is None or shape.kind in ("object", "parameter"):
        return None
    if name == "set" and shape.kind == "dict" and len(given) == 2:
        store(frame, value, given[0].const, given[1])
        return value
    if name == "join" and shape.kind == "list":
        return Value(deep_taints(value, frame.heap))
    if name in ("concat",) and given and given[0].ref:
        return concatenated(frame, value, given[0])
    known = _METHODS.get(name)
    return None if known is None else known(frame, value, shape, given)


def deep(frame: Frame, value: Value) -> Value:
    """The value with the taints of all that is inside on itself."""
    taints = deep_taints(value, frame.heap) if value.ref else value.taints
    return Value(taints) if taints else UNKNOWN_VALUE
