"""The check is switched on again, wherever a literal switches it off."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...finding import Edit
from ...fixing import FixContext

mends = (ir.Call, ir.Assign)
title = "Check the certificate"


def fix(node: ir.Call | ir.Assign, context: FixContext) -> Iterator[Edit]:
    """`verify=False` goes, a switch that is off goes on, and an unverified context becomes the default one."""
    if isinstance(node, ir.Assign):
        if isinstance(node.value, ir.Attribute):
            yield from _required(node.value, context)
        yield from context.flip(node)
        return
    yield from context.flip(node, "rejectUnauthorized", "check_hostname")
    for argument in node.arguments:
        if argument.name == "verify" and isinstance(argument.value, ir.Constant) and argument.value.value is False:
            yield context.drop_argument(node, argument)
        elif argument.name == "cert_reqs":
            yield from _required(argument.value, context)
    if context.path(node.callee) == "ssl._create_unverified_context":
        yield from context.rename(node.callee, "create_default_context")


def _required(value: ir.Expression, context: FixContext) -> Iterator[Edit]:
    if context.path(value) == "ssl.CERT_NONE":
        yield from context.rename(value, "CERT_REQUIRED")
