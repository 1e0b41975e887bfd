"""Routes reached by GET that change records by what the client sends."""

from __future__ import annotations

from collections.abc import Iterator

from ...check import Report
from ...flow.routes import Route, RouteContext
from ...pattern import later

visits = (Route,)

_FOR_LINKS = later(
    r"(?:^|_)(?:log_?in|log_?out|sign_?out|confirm\w*|verif\w+|activat\w+|unsubscribe|callback|oauth2?|reset|track|download|visit|view|redirect|token"
    r"|search|health|webhook|invite|accept|init_db|initdb)(?:_|$)"
)


def check(route: Route, context: RouteContext) -> Iterator[Report]:
    """Reports the first change."""
    if (
        route.methods != {"GET"}
        or _FOR_LINKS.search(route.words)
        or context.around("by-name")
        or context.around("bearer")
    ):
        return
    for kind, node in route.writes:
        if kind in ("destroys", "changes", "creates") and route.body.mentions_client(node):
            yield Report(node, name=route.function.name)
            return
