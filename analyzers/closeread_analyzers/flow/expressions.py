"""What each expression evaluates to.

One function a node class, found by table. Chains (`a.b(c).d[e]`, sums of thousands of terms) are
evaluated from the inside out in a loop, since their depth has no bound.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from .. import ir
from ..catalogue import StepModel
from . import assignment, calls, containers, folding, library, own, places, protocols, sinks, tests
from .places import NARROWED
from .taints import NONE, Taints, join_taints
from .values import MAX_PATH, UNKNOWN, UNKNOWN_VALUE, Closure, Value, deep_taints, join

if TYPE_CHECKING:
    from .frame import Frame

_OPERATOR_METHODS: Final = {"%": "__mod__", "+": "__add__"}

_NUMBERS_ONLY: Final = re.compile(r"(?:[^%]|%%|%[-+ #0]*\d*(?:\.\d+)?[dioxXeEfFgG])*")
"""A format whose every place takes a number, or fails."""


def evaluate(frame: Frame, node: ir.Expression) -> Value:
    """The value of an expression in the frame's state; calls and bindings have their effects on it."""
    return _EVALUATE[node.__class__](frame, node)


def _constant(frame: Frame, node: ir.Constant) -> Value:
    return Value(NONE, node.value)


def _name(frame: Frame, node: ir.Name) -> Value:
    value = frame.variables.get(node.id)
    return value if value is not None else frame.read(node.id)


def _chain(frame: Frame, node: ir.Expression) -> Value:
    """`Attribute`, `Subscript` and `Call`, from the innermost receiver outwards."""
    links: list[ir.Expression] = []
    at: ir.Expression = node
    while True:
        if isinstance(at, (ir.Attribute, ir.Subscript)):
            links.append(at)
            at = at.value
        elif isinstance(at, ir.Call):
            links.append(at)
            at = at.callee
        else:
            break
    value = evaluate(frame, at)
    receiver = UNKNOWN_VALUE
    narrowed = frame.variables.get(NARROWED)
    if narrowed is not None and isinstance(at, ir.Name):
        place = at.id
        while links and not isinstance(links[-1], ir.Call):
            link = links.pop()
            place += places.step_of(link)
            if isinstance(link, ir.Attribute):
                receiver, value = value, attribute(frame, link, value, link.name)
            elif isinstance(link, ir.Subscript):
                receiver, value = value, subscript(frame, link, value)
            value = narrowed.target.get(place, value)
    for link in reversed(links):
        if isinstance(link, ir.Attribute):
            receiver, value = value, attribute(frame, link, value, link.name)
        elif isinstance(link, ir.Call):
            value = calls.call(frame, link, value, receiver)
            receiver = UNKNOWN_VALUE
        elif isinstance(link, ir.Subscript):
            receiver, value = value, subscript(frame, link, value)
    return value


def attribute(frame: Frame, node: ir.Node, value: Value, name: str) -> Value:
    """`value.name`."""
    target = value.target
    ref = value.ref
    if ref:
        shape = frame.heap.get(ref)
        if shape is not None and shape.kind != "list":
            found = shape.items.get(name)
            if found is not None:
                return found
    if target is not None:
        if frame.models.own:
            told = own.attribute(frame, node, value, name)
            if told is not None:
                return told
        member = frame.engine.member(frame, target, name, value)
        if member is not None:
            return member
    taints = _inside(value.taints, name) if value.taints else NONE
    if ref and shape is not None and shape.rest is not None and shape.kind == "dict":
        taints = join_taints(taints, shape.rest.taints)
    path = value.path
    if target is not None:
        path = frame.engine.library_base(target, name) or path
    if path is None:
        result = Value(taints, UNKNOWN, None, None, 0, None, name)
        return read_path(frame, node, result, None, name, value) if name in frame.models.wild_attributes else result
    path = f"{path}.{name}"
    if len(path) > MAX_PATH:
        return Value(taints, UNKNOWN, None, None, 0, None, name)
    return read_path(frame, node, Value(taints, UNKNOWN, path, None, 0, None, name), path, name, value)


def _inside(taints: Taints, name: Any) -> Taints:
    return (taints[0].part(name),) if len(taints) == 1 else tuple([taint.part(name) for taint in taints])


def read_path(frame: Frame, node: ir.Node, value: Value, path: str | None, name: str, receiver: Value) -> Value:
    """What the library models say of reading a path: a source, a type, a use."""
    models = frame.models
    entries = models.attributes.get(path, ()) if path is not None else ()
    wild = False
    if not entries and name in models.wild_attributes and library.unplaced(models, path):
        entries, wild = models.wild_attributes[name], True
    if not entries:
        return value
    return library.read(frame, node, value, entries, receiver, wild)


def subscript(frame: Frame, node: ir.Subscript, value: Value) -> Value:
    """`value[key]`."""
    key_node = node.key
    if isinstance(key_node, ir.Slice):
        bounds = [
            evaluate(frame, part).const if part is not None else None
            for part in (key_node.lower, key_node.upper, key_node.step)
        ]
        if value.const is not UNKNOWN and UNKNOWN not in bounds:
            return Value(value.taints, folding.slice_(value.const, *bounds))
        if value.ref:
            return containers.sliced(frame, value, bounds)
        return Value(value.taints, UNKNOWN, None, None, 0, None, value.name)
    key = evaluate(frame, key_node)
    return item(frame, node, value, key)


def item(frame: Frame, node: ir.Node, value: Value, key: Value) -> Value:
    """The element of `value` under an evaluated key."""
    const = key.const
    if value.target is not None:
        found = protocols.call(frame, node, value, "__getitem__", [key])
        if found is not None:
            return found
    if value.ref:
        found = containers.get(frame, value, const)
        if found is not None:
            return found
    if value.const is not UNKNOWN and const is not UNKNOWN:
        return Value(value.taints, folding.subscript(value.const, const))
    taints = value.taints
    if taints:
        inside = const if const is not UNKNOWN and isinstance(const, (str, int)) else None
        if inside is not None:
            taints = _inside(taints, inside)
    path = value.path
    if path is not None:
        if path.endswith(".Annotated") and key.ref:  # a type with remarks is that type
            return (containers.positions(frame, key) or [UNKNOWN_VALUE])[0]
        known = frame.models.attributes
        any_key = f"{path}[*]"
        path = f"{path}[{const}]" if isinstance(const, str) else f"{path}[]"
        if len(path) > MAX_PATH:
            path = None
        elif path in known or any_key in known:
            entry_path = path if path in known else any_key
            found = Value(taints, UNKNOWN, path, None, 0, None, value.name)
            return read_path(frame, node, found, entry_path, "", value)
    return Value(taints, UNKNOWN, path, None, 0, None, const if isinstance(const, str) else value.name)


def _binary(frame: Frame, node: ir.Binary) -> Value:
    spine = [node]
    at = node.left
    while isinstance(at, ir.Binary):
        spine.append(at)
        at = at.left
    value = evaluate(frame, at)
    for link in reversed(spine):
        value = combine(frame, link, link.operator, value, evaluate(frame, link.right))
    return value


def combine(frame: Frame, node: ir.Node, operator: str, left: Value, right: Value) -> Value:
    """`left operator right`: constants are computed, containers concatenated, taints joined."""
    if left.const is not UNKNOWN and right.const is not UNKNOWN:
        return Value(join_taints(left.taints, right.taints), folding.binary(operator, left.const, right.const))
    if operator == "+" and left.ref and right.ref:
        return containers.concatenated(frame, left, right)
    if operator == "&" and (left.ref or right.ref):
        found = containers.common(frame, left, right)
        if found is not None:
            return found
    left_taints = deep_taints(left, frame.heap) if left.ref else left.taints
    right_taints = deep_taints(right, frame.heap) if right.ref else right.taints
    if not left_taints and not right_taints:
        path = frame.engine.operator_path(frame, operator, left)
        return UNKNOWN_VALUE if path is None else Value(NONE, UNKNOWN, path)
    if operator == "+" and isinstance(left.const, str):
        right_taints = behind(frame, left.const, right_taints)
    elif operator == "%" and isinstance(left.const, str):
        right_taints = behind(frame, left.const.partition("%")[0], right_taints)
        if right_taints and _NUMBERS_ONLY.fullmatch(left.const):
            right_taints = tuple(taint.clear(frame.engine.cleared_by_type(frame, "int")) for taint in right_taints)
    path = frame.engine.operator_path(frame, operator, left)
    method = _OPERATOR_METHODS.get(operator)
    if method is not None and left.path is not None and right_taints:
        for entry in frame.models.calls.get(f"{left.path}.{method}", ()):
            if isinstance(entry, StepModel):
                path, right_taints = left.path, tuple(taint.clear(entry.clears) for taint in right_taints)
    return Value(join_taints(left_taints, right_taints), UNKNOWN, path)


def behind(frame: Frame, prefix: str, taints: Taints) -> Taints:
    """Taints that stand behind a constant text: some kinds are harmless there (`[prefix]` in kinds.toml)."""
    if not taints or not prefix:
        return taints
    cleared = frame.engine.cleared_behind(prefix)
    return tuple(taint.clear(cleared) for taint in taints) if cleared else taints


def _unary(frame: Frame, node: ir.Unary) -> Value:
    value = evaluate(frame, node.operand)
    if value.const is not UNKNOWN:
        return Value(NONE, folding.unary(node.operator, value.const))
    return UNKNOWN_VALUE


def _boolean(frame: Frame, node: ir.Boolean) -> Value:
    operator = node.operator
    value = evaluate(frame, node.operands[0])
    for index, operand in enumerate(node.operands[1:]):
        truth = (
            (value.const is not None if value.const is not UNKNOWN else None)
            if operator == "??"
            else (folding.truth(value.const))
        )
        stops = truth is False if operator == "and" else truth is True
        if stops:
            return value
        before = frame.save()
        if operator != "??":
            tests.assume(frame, node.operands[index], operator == "and")
        if not frame.alive:
            frame.restore(before)
            return value
        right = evaluate(frame, operand)
        frame.merge([before, (frame.variables, frame.heap)])
        decided = truth is not None
        value = right if decided else join(value, right, frame.heap)
    return value


def _comparison(frame: Frame, node: ir.Comparison) -> Value:
    left, right = evaluate(frame, node.left), evaluate(frame, node.right)
    return Value(NONE, tests.compared(frame, node.operator, left, right))


def _conditional(frame: Frame, node: ir.Conditional) -> Value:
    truth = tests.decide(frame, node.test)
    if truth is not None:
        tests.assume(frame, node.test, truth)
        if frame.alive:
            return evaluate(frame, node.then if truth else node.otherwise)
        frame.alive = True
        return UNKNOWN_VALUE
    before = frame.save()
    tests.assume(frame, node.test, True)
    then = evaluate(frame, node.then) if frame.alive else None
    after_then = (frame.variables, frame.heap)
    frame.restore(before)
    tests.assume(frame, node.test, False)
    otherwise = evaluate(frame, node.otherwise) if frame.alive else None
    frame.merge([after_then, (frame.variables, frame.heap)])
    if then is None or otherwise is None:
        return then or otherwise or UNKNOWN_VALUE
    return join(then, otherwise, frame.heap)


def _template(frame: Frame, node: ir.Template) -> Value:
    texts: list[str] | None = []
    taints: Taints = NONE
    prefix: str | None = ""
    for part in node.parts:
        value = evaluate(frame, part)
        if value.target is not None:
            value = protocols.call(frame, part, value, "__str__", []) or value
        const = value.const
        if const is UNKNOWN:
            found = deep_taints(value, frame.heap) if value.ref else value.taints
            if found:
                taints = join_taints(taints, behind(frame, prefix or "", found))
            texts = None
            prefix = prefix if prefix else None
        elif texts is not None:
            text = const if isinstance(const, str) else str(const)
            texts.append(text)
            prefix = "".join(texts)[:200] if prefix is not None else None
            if value.taints:
                taints = join_taints(taints, value.taints)
        elif value.taints:
            taints = join_taints(taints, value.taints)
    if texts is not None:
        return Value(taints, "".join(texts)[: folding.MAX_TEXT])
    return Value(taints) if taints else UNKNOWN_VALUE


def _sequence(frame: Frame, node: ir.Sequence) -> Value:
    items: dict[Any, Value] = {}
    rest: Value | None = None
    for element_node in node.items:
        if isinstance(element_node, ir.Spread):
            spread = evaluate(frame, element_node.value)
            known = containers.positions(frame, spread)
            if known is not None and rest is None:
                for value in known:
                    items[len(items)] = value
                continue
            inner = protocols.element(frame, spread, False, element_node)
            rest = inner if rest is None else join(rest, inner, frame.heap)
            continue
        value = evaluate(frame, element_node)
        if rest is not None:
            rest = join(rest, value, frame.heap)
        else:
            items[len(items)] = value
    kind = "set" if node.kind == "set" else "list"
    return containers.make(frame, kind, items, rest, rest is None)


def _mapping(frame: Frame, node: ir.Mapping) -> Value:
    items: dict[Any, Value] = {}
    rest: Value | None = None
    closed = True
    for key_node, value_node in node.entries:
        value = evaluate(frame, value_node)
        if key_node is None:
            shape = frame.heap.get(value.ref) if value.ref else None
            if shape is not None:
                items.update(shape.items)
                closed = closed and shape.closed
                if shape.rest is not None:
                    rest = shape.rest if rest is None else join(rest, shape.rest, frame.heap)
            else:
                closed = False
                rest = value if rest is None else join(rest, value, frame.heap)
            continue
        key = evaluate(frame, key_node)
        if key.const is UNKNOWN:
            inner = Value(join_taints(value.taints, key.taints), UNKNOWN, value.path, value.target, value.ref)
            rest = inner if rest is None else join(rest, inner, frame.heap)
            closed = False
        else:
            items[_hashable(key.const)] = value
            sinks.named(frame, key.const, value, value_node)
    return containers.make(frame, "dict", items, rest, closed)


def _hashable(const: Any) -> Any:
    return const if isinstance(const, (str, int, float, bytes, bool, type(None), complex)) else repr(const)


def _comprehension(frame: Frame, node: ir.Comprehension) -> Value:
    before = frame.save()
    for clause in node.clauses:
        iterable = evaluate(frame, clause.iterable)
        assignment.assign(
            frame, clause.target, protocols.element(frame, iterable, False, clause.iterable), clause.iterable
        )
        for condition in clause.conditions:
            tests.decide(frame, condition)
            tests.assume(frame, condition, True)
            frame.alive = True
    key = evaluate(frame, node.key) if node.key is not None else None
    value = evaluate(frame, node.element)
    heap = frame.heap
    frame.restore(before)
    frame.heap = heap
    if key is not None and key.taints:
        value = value.tainted(join_taints(value.taints, key.taints))
    kind = {"dict": "dict", "set": "set"}.get(node.kind, "list")
    rest = Value(value.taints, UNKNOWN, value.path, value.target, value.ref, None, value.name)
    return containers.make(frame, kind, {}, rest, False)


def _function_expression(frame: Frame, node: ir.FunctionExpression) -> Value:
    closure = Closure(node.function, frame, frame.variables.get("this"))
    frame.nested.append(closure)
    return Value(target=closure, name=node.function.name)


def _class_expression(frame: Frame, node: ir.ClassExpression) -> Value:
    return define_class(frame, node.definition)


def _bind(frame: Frame, node: ir.Bind) -> Value:
    value = evaluate(frame, node.value)
    assignment.assign(frame, node.target, value, node.value)
    return value


def _await(frame: Frame, node: ir.Await) -> Value:
    return evaluate(frame, node.value)


def _yield(frame: Frame, node: ir.Yield) -> Value:
    if node.value is not None:
        value = evaluate(frame, node.value)
        if node.delegate:
            value = protocols.element(frame, value, False, node.value)
        if frame.handler is not None and frame.handler.returns:
            sinks.reach(frame, frame.handler.returns, value, node.value, 1)
        frame.yields = value if frame.yields is None else join(frame.yields, value, frame.heap)
    return UNKNOWN_VALUE


def _import(frame: Frame, node: ir.ImportExpression) -> Value:
    return frame.engine.imported(frame, frame.source, ir.Import(node.start, node.end, node.module, "", None))


def _spread(frame: Frame, node: ir.Spread) -> Value:
    return evaluate(frame, node.value)


def _with_default(frame: Frame, node: ir.WithDefault) -> Value:
    return evaluate(frame, node.default)


def _slice(frame: Frame, node: ir.Slice) -> Value:
    for part in (node.lower, node.upper, node.step):
        if part is not None:
            evaluate(frame, part)
    return UNKNOWN_VALUE


def _opaque(frame: Frame, node: ir.Opaque) -> Value:
    taints: Taints = NONE
    for child in node.children:
        value = evaluate(frame, child)
        taints = join_taints(taints, deep_taints(value, frame.heap))
    return Value(tuple(taint.doubt() for taint in taints)) if taints else UNKNOWN_VALUE


def define_class(frame: Frame, definition: ir.Class) -> Value:
    """A class statement: its body is run for its effects, its attributes kept with the engine."""
    return frame.engine.define_class(frame, definition)


_EVALUATE: Final[dict[type, Callable[[Frame, Any], Value]]] = {
    ir.Constant: _constant,
    ir.Name: _name,
    ir.Attribute: _chain,
    ir.Subscript: _chain,
    ir.Call: _chain,
    ir.Binary: _binary,
    ir.Unary: _unary,
    ir.Boolean: _boolean,
    ir.Comparison: _comparison,
    ir.Conditional: _conditional,
    ir.Template: _template,
    ir.Sequence: _sequence,
    ir.Mapping: _mapping,
    ir.Comprehension: _comprehension,
    ir.FunctionExpression: _function_expression,
    ir.ClassExpression: _class_expression,
    ir.Bind: _bind,
    ir.Await: _await,
    ir.Yield: _yield,
    ir.ImportExpression: _import,
    ir.Spread: _spread,
    ir.WithDefault: _with_default,
    ir.Slice: _slice,
    ir.Opaque: _opaque,
}
