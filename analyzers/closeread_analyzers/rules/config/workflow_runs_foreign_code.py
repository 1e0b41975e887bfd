"""Check-outs of a proposal in workflows that have the repository's secrets."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...configuration import document, entries, entry, is_workflow, items, text_of
from ...pattern import later

visits = (ir.Mapping,)

_TRUSTED_EVENTS = frozenset({"pull_request_target", "workflow_run"})
_PROPOSAL = later(
    r"github\.head_ref|pull_request\.head\.(?:sha|ref)|workflow_run\.head_(?:sha|branch|commit)|refs/pull/"
)


def check(node: ir.Mapping, context: Context) -> Iterator[Report]:
    """Reports the reference that is checked out."""
    if not is_workflow(context.module.path) or not text_of(entry(node, "uses")).startswith("actions/checkout"):
        return
    ref = entry(node, "with", "ref")
    if ref is None or not _PROPOSAL.search(text_of(ref)):
        return
    on = document(context).get("on")
    events = {text_of(on)} | {text_of(item) for item in items(on)} | {name for name, _, _ in entries(on)}
    if not _TRUSTED_EVENTS.isdisjoint(events):
        yield Report(ref)
