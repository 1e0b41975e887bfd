"""A method with no parameters at all."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...shapes import last_name, names_read

visits = (ir.Function,)

_WITHOUT_RECEIVER = ("__new__", "__init_subclass__", "__class_getitem__")


def check(node: ir.Function, context: Context) -> Iterator[Report]:
    """Reports the method's name. One that the class's body itself calls is a plain function there."""
    if node.parameters or node.decorators or node.is_lambda:
        return
    owner = context.class_at(node)
    if owner is None or node.name in _WITHOUT_RECEIVER or context.is_test:
        return
    if any(base.name is not None or _is_interface(base.value) for base in owner.bases):
        return
    others = [statement for statement in owner.body if not isinstance(statement, ir.FunctionDefinition)]
    if node.name not in names_read(*others):
        yield Report(ir.Node(node.start, node.start + len("def ") + len(node.name)), name=node.name)


def _is_interface(base: ir.Expression) -> bool:
    """Interfaces describe methods as they are called, without the object."""
    name = last_name(base)
    return not name or "Interface" in name or "Protocol" in name or name[:2].isupper()
