"""Statements: one function a node class, found by table.

Loops forget the constants they change, then run until nothing new flows, three times at most.

Trap: a chain of `else if` can be thousands long, so it is walked in a loop, not by recursion.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from .. import ir
from . import assignment, declared, expressions, patterns, protocols, rendering, sinks, tests
from .states import State, grown
from .values import UNKNOWN, UNKNOWN_VALUE, Closure, FunctionRef, Value, join

if TYPE_CHECKING:
    from .frame import Answers, Frame

LOOP_TURNS: Final = 3
_ANSWERS: Final = (ir.Comparison, ir.Boolean, ir.Unary, ir.Call)


def run(frame: Frame, body: list[ir.Statement]) -> None:
    """Execute statements in order, as long as control can be here."""
    table = _EXECUTE
    frame.engine.tick()
    for statement in body:
        if not frame.alive:
            return
        table[statement.__class__](frame, statement)


def _expression(frame: Frame, node: ir.ExpressionStatement) -> None:
    expressions.evaluate(frame, node.value)


def _assign(frame: Frame, node: ir.Assign) -> None:
    if node.value is None:
        if node.annotation is not None and len(node.targets) == 1 and isinstance(node.targets[0], ir.Name):
            path = declared.annotated(frame, node.annotation)
            if path is not None:
                frame.write(node.targets[0].id, path)
        return
    value = expressions.evaluate(frame, node.value)
    if node.annotation is not None and value.path is None and value.target is None:
        typed = declared.annotated(frame, node.annotation)
        if typed is not None:
            value = Value(value.taints, value.const, typed.path, typed.target, value.ref, None, value.name)
    for target in node.targets:
        assignment.assign(frame, target, value, node.value)


def _augmented(frame: Frame, node: ir.AugmentedAssign) -> None:
    before = expressions.evaluate(frame, node.target)
    after = expressions.evaluate(frame, node.value)
    if node.operator in ("and", "or", "??"):
        value = join(before, after, frame.heap)
    else:
        value = expressions.combine(frame, node, node.operator, before, after)
    assignment.assign(frame, node.target, value, node)


def _return(frame: Frame, node: ir.Return) -> None:
    value = expressions.evaluate(frame, node.value) if node.value is not None else Value(const=None)
    if frame.handler is not None and frame.handler.returns and node.value is not None:
        body = value
        if isinstance(node.value, ir.Sequence) and node.value.kind == "tuple":  # the body, then status and headers
            body = expressions.item(frame, node.value, value, Value(const=0))
        shape = frame.heap.get(body.ref) if body.ref else None
        if shape is None or shape.kind not in ("dict", "list"):  # those become JSON
            sinks.reach(frame, frame.handler.returns, body, node.value, 2)
    if node.value is not None and frame.function is not None and frame.function.decorators:
        rendering.returned(frame, node.value, value)
    frame.exits.append((value, frame.variables, frame.heap))
    if frame.answers is not None:
        _answers(frame, frame.answers, node, value)
    frame.alive = False


def _answers(frame: Frame, answers: Answers, node: ir.Return, value: Value) -> None:
    """What is known where the result is true, and where it is not: functions that answer yes or no are guards."""
    if value.const is not UNKNOWN:
        (answers.true if value.const else answers.false).append(frame.variables)
    elif isinstance(node.value, _ANSWERS):
        for states, outcome in ((answers.true, True), (answers.false, False)):
            after = frame.save()
            tests.assume(frame, node.value, outcome)
            if frame.alive:
                states.append(frame.variables)
            frame.restore(after)
    else:
        answers.true.append({})
        answers.false.append({})


def _raise(frame: Frame, node: ir.Raise) -> None:
    if node.value is not None:
        expressions.evaluate(frame, node.value)
    if node.cause is not None:
        expressions.evaluate(frame, node.cause)
    frame.alive = False


def _if(frame: Frame, node: ir.If) -> None:
    ends: list[State] = []
    while True:
        truth = tests.decide(frame, node.test)
        if truth is True:
            tests.assume(frame, node.test, True)
            run(frame, node.body)
            break
        if truth is None:
            before = frame.save()
            tests.assume(frame, node.test, True)
            run(frame, node.body)
            if frame.alive:
                ends.append((frame.variables, frame.heap))
            frame.restore(before)
        tests.assume(frame, node.test, False)
        orelse = node.orelse
        if len(orelse) == 1 and isinstance(orelse[0], ir.If):
            node = orelse[0]
            continue
        run(frame, orelse)
        break
    if ends:
        if frame.alive:
            ends.append((frame.variables, frame.heap))
        frame.merge(ends)


def _loop(frame: Frame, node: ir.Node, turn: Callable[[], bool], body: list[ir.Statement], first: bool) -> None:
    """Turns of a loop until nothing new flows. `turn` binds and tests; it returns whether the loop can end there."""
    outer_breaks, outer_continues = frame.breaks, frame.continues
    breaks: list[State] = []
    changed = frame.engine.bound_names(node, body)
    for name in changed:
        value = frame.variables.get(name)
        if value is not None and value.const is not UNKNOWN:
            frame.variables[name] = Value(value.taints, UNKNOWN, value.path, value.target, value.ref, None, value.name)
    # What a turn always makes anew tells the next one nothing; but a nested function may look at it at any time.
    carried = changed if frame.nested else frame.engine.carried_names(node, body)
    can_end = not first
    end: list[State] = []
    for _ in range(LOOP_TURNS):
        before = frame.save()
        frame.breaks, frame.continues = [], []
        can_end = turn()
        if frame.alive:
            run(frame, body)
        states = frame.continues
        if frame.alive:
            states.append((frame.variables, frame.heap))
        breaks += frame.breaks
        if not states:
            end = [] if first else [before]
            break
        # A merge changes what it is given, and `before` is looked at again below.
        frame.merge([(before[0].copy(), before[1].copy()), *states] if not first else states)
        end = [(frame.variables, frame.heap)]
        if not any(
            len(value.taints) != len(known.taints) or value.ref != known.ref
            for name in carried
            if (value := frame.variables.get(name)) is not None
            and (known := before[0].get(name, UNKNOWN_VALUE)) is not value
        ) and not grown(before[1], frame.heap):
            break
        first = False
    frame.breaks, frame.continues = outer_breaks, outer_continues
    frame.merge((end if can_end else []) + breaks)


def _while(frame: Frame, node: ir.While) -> None:
    ended = False

    def turn() -> bool:
        nonlocal ended
        truth = tests.decide(frame, node.test)
        if truth is False:
            frame.alive = node.post_test
            ended = True
        else:
            tests.assume(frame, node.test, True)
        return truth is not True

    _loop(frame, node, turn, node.body, node.post_test)
    if frame.alive and not ended:
        tests.assume(frame, node.test, False)
    if frame.alive:
        run(frame, node.orelse)


def _for(frame: Frame, node: ir.For) -> None:
    iterable = expressions.evaluate(frame, node.iterable)
    items = protocols.unrolled(frame, iterable)
    if items is not None:
        _unrolled(frame, node, items)
        return
    element = protocols.element(frame, iterable, node.keys, node.iterable)

    def turn() -> bool:
        assignment.assign(frame, node.target, element, node.iterable)
        return True

    _loop(frame, node, turn, node.body, False)
    if frame.alive:
        run(frame, node.orelse)


def _unrolled(frame: Frame, node: ir.For, items: list[Value]) -> None:
    """A loop over a few known items, turn by turn, as the program would."""
    outer_breaks, outer_continues = frame.breaks, frame.continues
    breaks: list[State] = []
    for item in items:
        frame.breaks, frame.continues = [], []
        assignment.assign(frame, node.target, item, node.iterable)
        run(frame, node.body)
        states = frame.continues
        if frame.alive:
            states.append((frame.variables, frame.heap))
        breaks += frame.breaks
        frame.merge(states)
        if not frame.alive:
            break
    if frame.alive:
        run(frame, node.orelse)
    frame.breaks, frame.continues = outer_breaks, outer_continues
    if breaks:
        frame.merge(([(frame.variables, frame.heap)] if frame.alive else []) + breaks)


def _break(frame: Frame, node: ir.Break) -> None:
    frame.breaks.append((frame.variables, frame.heap))
    frame.alive = False


def _continue(frame: Frame, node: ir.Continue) -> None:
    frame.continues.append((frame.variables, frame.heap))
    frame.alive = False


def _try(frame: Frame, node: ir.Try) -> None:
    before = frame.save()
    run(frame, node.body)
    # An exception may come from anywhere in the body: a handler starts from before it or after it.
    ends_alive = frame.alive
    at_throw = (frame.variables.copy(), frame.heap.copy())
    if ends_alive:
        run(frame, node.orelse)
    ends: list[State] = [(frame.variables, frame.heap)] if frame.alive else []
    for handler in node.handlers:
        frame.merge([(before[0].copy(), before[1].copy()), (at_throw[0].copy(), at_throw[1].copy())])
        if handler.name:
            frame.write(handler.name, protocols.caught(frame, handler))
        run(frame, handler.body)
        if frame.alive:
            ends.append((frame.variables, frame.heap))
    if ends:
        frame.merge(ends)
        run(frame, node.final)
        return
    if node.final:  # it runs on the way out, whatever the way
        frame.merge([(before[0].copy(), before[1].copy()), at_throw])
        run(frame, node.final)
    frame.alive = False


def _with(frame: Frame, node: ir.With) -> None:
    contexts: list[Value] = []
    for item in node.items:
        context = expressions.evaluate(frame, item.context)
        contexts.append(context)
        value = protocols.entered(frame, item, context)
        if item.target is not None:
            assignment.assign(frame, item.target, value, item.context)
    run(frame, node.body)
    for item, context in zip(node.items, contexts, strict=True):
        if frame.alive and context.target is not None:
            protocols.left(frame, item, context)


def _match(frame: Frame, node: ir.Match) -> None:
    subject = expressions.evaluate(frame, node.subject)
    ends: list[State] = []
    for case in node.cases:
        before = frame.save()
        truth = patterns.match(frame, case.pattern, subject, node.subject)
        if truth is not False:
            if case.guard is not None:
                decided = tests.decide(frame, case.guard)
                truth = decided if truth is True or decided is False else None
                if truth is not False:
                    tests.assume(frame, case.guard, True)
            if truth is not False:
                run(frame, case.body)
                if frame.alive:
                    ends.append((frame.variables, frame.heap))
        if truth is True:
            frame.alive = False
            break
        frame.restore(before)
    if frame.alive:
        ends.append((frame.variables, frame.heap))
    frame.merge(ends)


def _function(frame: Frame, node: ir.FunctionDefinition) -> None:
    function = node.function
    if function.is_unit:
        value = Value(
            target=FunctionRef(frame.source.path, frame.source.keys.get(function, function.name)), name=function.name
        )
        frame.engine.decorate(frame, function, value)
    else:
        closure = Closure(function, frame)
        frame.nested.append(closure)
        value = Value(target=closure, name=function.name)
        frame.engine.decorate(frame, function, value)
    frame.write(function.name, value)


def _class(frame: Frame, node: ir.ClassDefinition) -> None:
    frame.write(node.definition.name, expressions.define_class(frame, node.definition))


def _import(frame: Frame, node: ir.Import) -> None:
    if node.member == "*":
        return  # names are looked up in `stars` when they are asked for
    frame.write(node.bound, frame.engine.imported(frame, frame.source, node))


def _export(frame: Frame, node: ir.Export) -> None:
    value = expressions.evaluate(frame, node.value)
    if frame.root.exports is not None:
        frame.root.exports[node.name] = value


def _scope(frame: Frame, node: ir.ScopeDeclaration) -> None:
    frame.globals_ = (frame.globals_ or set()) | set(node.names)
    if node.kind == "global" and frame.parent is None:
        for name in node.names:  # so that what is written to them is known to be kept
            frame.engine.global_value(frame, frame.source.path, name)


def _delete(frame: Frame, node: ir.Delete) -> None:
    for target in node.targets:
        if isinstance(target, ir.Name):
            frame.variables.pop(target.id, None)
        else:
            assignment.remove(frame, target)


def _assert(frame: Frame, node: ir.Assert) -> None:
    expressions.evaluate(frame, node.test)
    tests.assume(frame, node.test, True)
    if node.message is not None:
        expressions.evaluate(frame, node.message)


def _pass(frame: Frame, node: ir.Pass) -> None:
    pass


def _block(frame: Frame, node: ir.Block) -> None:
    run(frame, node.body)


_EXECUTE: Final[dict[type, Callable[[Frame, Any], None]]] = {
    ir.ExpressionStatement: _expression,
    ir.Assign: _assign,
    ir.AugmentedAssign: _augmented,
    ir.Return: _return,
    ir.Raise: _raise,
    ir.If: _if,
    ir.While: _while,
    ir.For: _for,
    ir.Try: _try,
    ir.With: _with,
    ir.Match: _match,
    ir.FunctionDefinition: _function,
    ir.ClassDefinition: _class,
    ir.Import: _import,
    ir.Export: _export,
    ir.ScopeDeclaration: _scope,
    ir.Delete: _delete,
    ir.Assert: _assert,
    ir.Break: _break,
    ir.Continue: _continue,
    ir.Pass: _pass,
    ir.Block: _block,
}
