"""States of the interpreter: variables and heap, how two of them become one, and whether one holds more.

Branches copy the two dicts (cheap: values and shapes are immutable), joins touch only what differs.
"""

from __future__ import annotations

from itertools import compress, islice
from operator import is_not

from .places import NARROWED
from .values import Heap, Shape, Value, join, join_shapes, same_constant

Variables = dict[str, Value]
State = tuple[Variables, Heap]


def _join_narrowed(one: Variables, two: Variables) -> None:
    """What is known of both: a place that only one side has looked at is unknown again."""
    left, right = one.pop(NARROWED, None), two.get(NARROWED)
    if left is None or right is None:
        return
    both = {place: value for place, value in left.target.items() if right.target.get(place) is value}
    if both:
        one[NARROWED] = Value(target=both)


def differing(one: Heap, two: Heap) -> list[tuple[int, Shape]]:
    """What `two` has and `one` has not, or has otherwise.

    Both began as copies of one heap, so that they are alike in their first keys; this is the hottest place of all in
    long functions, and so the comparing is left to C: shapes are compared by identity.
    """
    keys, others = list(one), list(two)
    alike, end = 0, min(len(keys), len(others))
    while alike < end:  # references are never used twice: after the first difference no key is in the same place
        middle = (alike + end + 1) // 2
        if keys[middle - 1] == others[middle - 1]:
            alike = middle
        else:
            end = middle - 1
    changed = map(is_not, islice(one.values(), alike), islice(two.values(), alike))
    return [*compress(islice(two.items(), alike), changed), *islice(two.items(), alike, None)]


def join_states(one: Variables, one_heap: Heap, two: Variables, two_heap: Heap) -> State:
    """The state that is either. Both arguments may be changed."""
    if one_heap is not two_heap and one_heap != two_heap:
        for ref, shape in differing(one_heap, two_heap):
            known = one_heap.get(ref)
            if known is None:
                one_heap[ref] = shape
            elif known is not shape:
                one_heap[ref] = join_shapes(known, shape, one_heap)
    if NARROWED in one or NARROWED in two:
        _join_narrowed(one, two)
    for name, value in two.items() if one != two else ():
        if name is NARROWED:
            continue
        known_value = one.get(name)
        if known_value is None:
            one[name] = value
        elif known_value is not value:
            one[name] = join(known_value, value, one_heap)
    return one, one_heap


def grown(before: Heap, after: Heap) -> bool:
    """Whether a shape that was there may hold more now."""
    if not any(map(is_not, map(after.get, before), before.values())):
        return False
    return any(_holds_more(known, after.get(ref)) for ref, known in before.items() if after.get(ref) is not known)


def _holds_more(before: Shape, after: Shape | None) -> bool:
    if (
        after is None
        or before.kind != after.kind
        or before.closed != after.closed
        or (before.rest is None) != (after.rest is None)
        or before.items.keys() != after.items.keys()
    ):
        return True
    pairs = [(known, after.items[key]) for key, known in before.items.items()]
    if before.rest is not None and after.rest is not None:
        pairs.append((before.rest, after.rest))
    return any(
        value is not known
        and (
            len(value.taints) != len(known.taints)
            or value.ref != known.ref
            or value.path != known.path
            or value.target != known.target
            or not same_constant(value.const, known.const)
        )
        for known, value in pairs
    )
