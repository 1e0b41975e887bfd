"""Switches of debug modes in settings that are for production."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from ... import ir
from ...check import Context, Report
from ...configuration import document, entries, is_on, text_of
from ...pattern import later
from ...shapes import last_name

visits = (ir.Assign, ir.Mapping)

_SWITCH = later(r"^(app_|flask_|django_|wp_|rails_|web_)?debug(_mode)?$", re.IGNORECASE)
_STAGE = later(r"^(app|node|flask|django|rails|rack|symfony|environment|env)(_env)?$", re.IGNORECASE)
_FOR_PRODUCTION = later(r"(^|[/_.-])prod(uction)?([/_.-]|$)", re.IGNORECASE)


def check(node: ir.Assign | ir.Mapping, context: Context) -> Iterator[Report]:
    """Reports the switch."""
    if type(node) is ir.Mapping:
        named: list[tuple[str, ir.Expression, ir.Expression]] = list(entries(node))
    elif type(node) is ir.Assign and node.value is not None:
        named = [(last_name(target), target, node.value) for target in node.targets]
    else:
        return
    for name, place, value in named:
        if _SWITCH.match(name) and is_on(value) and _is_production(context):
            yield Report(ir.Node(place.start, value.end), name=name)


def _is_production(context: Context) -> bool:
    if _in_production(context.module.path):
        return True
    stages = [text_of(value) for name, value in document(context).items() if _STAGE.match(name)]
    return any(stage in ("production", "prod") for stage in stages)


@lru_cache(maxsize=256)
def _in_production(path: str) -> bool:
    return _FOR_PRODUCTION.search(path) is not None
