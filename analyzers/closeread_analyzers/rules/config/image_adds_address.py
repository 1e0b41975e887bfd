"""`ADD` of an address without a digest."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...configuration import text_of

visits = (ir.Call,)
calls = {"ADD"}


def check(node: ir.Call, context: Context) -> Iterator[Report]:
    """Reports the address."""
    if any(given.name == "checksum" for given in node.arguments):
        return
    for given in node.arguments:
        address = text_of(given.value)
        # a repository is taken by its commit or tag, which is a digest of sorts
        if given.name is None and address.startswith(("http://", "https://")) and ".git" not in address:
            yield Report(given, name=address)
