"""A literal's placeholders against the tuple or dict that % gives it."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...shapes import percent_fields

visits = (ir.Binary,)


def check(node: ir.Binary, context: Context) -> Iterator[Report]:
    """Reports the operation."""
    if node.operator != "%" or not isinstance(node.right, ir.Sequence | ir.Mapping):
        return
    text = context.constant(node.left)
    if not isinstance(text, str):
        return
    fields = percent_fields(text)
    if fields is None:
        return
    named = [field for field in fields if field]
    if isinstance(node.right, ir.Mapping):
        keys = [key for key, _ in node.right.entries]
        if not all(isinstance(key, ir.Constant) for key in keys):
            return
        known = {key.value for key in keys if isinstance(key, ir.Constant)}
        missing = [name for name in named if name not in known]
        if missing:
            yield Report(node, name=f"The text asks for `{missing[0]}`, and no such key is given.")
    elif node.right.kind == "tuple" and not named:
        items = node.right.items
        if not any(isinstance(item, ir.Spread) for item in items) and len(items) != len(fields):
            yield Report(node, name=f"The text asks for {len(fields)} arguments, and gets {len(items)}.")
