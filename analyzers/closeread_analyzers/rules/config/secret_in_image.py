"""`ARG` and `ENV` of a recipe that take a secret from outside."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...configuration import text_of
from ...words import promise

visits = (ir.Assign,)


def check(node: ir.Assign, context: Context) -> Iterator[Report]:
    """Reports the assignment. A secret that is written out is another rule's."""
    for target in node.targets:
        name = target.id if type(target) is ir.Name else ""
        outside = node.value is None or text_of(node.value).startswith("$")
        if outside and (promise(name) or name.endswith("_TOKEN")):
            yield Report(target, name=name)
