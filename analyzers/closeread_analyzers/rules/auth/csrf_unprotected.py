"""Applications with sessions and forms, and nothing that tells their own forms from others'."""

from __future__ import annotations

from collections.abc import Iterator

from ...check import Report
from ...flow.bodies import names_in
from ...flow.routes import App, RouteContext

visits = (App,)


def check(app: App, context: RouteContext) -> Iterator[Report]:
    """Reports the creation of the application."""
    if app.framework in ("flask", "quart"):
        if context.around("forms") and context.around("sessions") and not context.around("csrf"):
            yield Report(app.call)
    elif app.framework == "tornado":
        told = any(argument.name == "xsrf_cookies" or argument.spread for argument in app.call.arguments)
        if not told and context.around("signed-cookies"):
            yield Report(app.call)
    elif app.framework == "aiohttp":
        given = next((a.value for a in app.call.arguments if a.name == "middlewares"), None)
        names = [name.lower() for name in names_in(given)] if given is not None else []
        if any("session" in name for name in names) and not any("csrf" in name or "xsrf" in name for name in names):
            yield Report(app.call)
