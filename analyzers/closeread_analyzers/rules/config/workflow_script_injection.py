"""Texts that strangers write, in the scripts of a workflow."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...configuration import document, entries, entry, is_workflow, items, text_of, within
from ...finding import Severity
from ...pattern import later

visits = (ir.Mapping,)

_STRANGER = (
    r"github\.(?:head_ref|event\.(?:issue\.(?:title|body)|comment\.body|review\.body|review_comment\.body"
    r"|discussion\.(?:title|body)|pages[\w.*\[\]]*\.page_name"
    r"|pull_request\.(?:title|body|head\.(?:ref|label|repo\.(?:default_branch|description|homepage)))"
    r"|(?:head_commit|commits[\w.*\[\]]*)\.(?:message|author\.(?:email|name))"
    r"|workflow_run\.(?:head_branch|display_title|head_commit\.(?:message|author\.(?:email|name)))))"
)
_FILLED = later(
    r"\$\{\{\s*(?:[^{}|]{0,200}\|\|\s*)?(?:toJSON\(\s*|format\([^{}]{0,200},\s*)?("
    + _STRANGER
    + r")\s*\)?\s*(?:\|\|[^{}]{0,200})?\}\}"
)
_NO_SECRETS = frozenset({"pull_request", "push", "workflow_dispatch", "merge_group", "schedule"})


def check(node: ir.Mapping, context: Context) -> Iterator[Report]:
    """Reports each place that is filled in."""
    if not is_workflow(context.module.path):
        return
    for script in _scripts(node):
        if "github." in text_of(script):
            for place, found in within(script, context, _FILLED):
                yield Report(
                    place, name=found[1], severity=None if _is_started_by_strangers(context) else Severity.MEDIUM
                )


def _scripts(step: ir.Mapping) -> Iterator[ir.Expression]:
    runs = entry(step, "run")
    if type(runs) is ir.Constant:
        yield runs
    if text_of(entry(step, "uses")).startswith("actions/github-script"):
        script = entry(step, "with", "script")
        if type(script) is ir.Constant:
            yield script


def _is_started_by_strangers(context: Context) -> bool:
    on = document(context).get("on")
    events = {text_of(on)} | {text_of(item) for item in items(on)} | {name for name, _, _ in entries(on)}
    return not events - {""} <= _NO_SECRETS if events - {""} else False
