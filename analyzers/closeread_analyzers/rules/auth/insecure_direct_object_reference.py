"""Records that belong to somebody, fetched by what a client names, where nobody looks who asks."""

from __future__ import annotations

from collections.abc import Iterator

from ...check import Report
from ...flow.routes import Route, RouteContext
from ...pattern import later
from .missing_rate_limit import log_in
from .record_of_another_user import looked_up

visits = (Route,)

# Where nobody signs in to read it, a profile may be public; these are nobody else's business anywhere.
_NEVER_PUBLIC = later(
    r"(?:^|_)(?:orders?|invoices?|payments?|cards?|patients?|transactions?|bookings?|reservations?|messages?|accounts?|wallets?|balance|vaults?"
    r"|secrets?|prescriptions?|loans?|bills?|salar\w+|payslips?|applications?|appointments?|statements?)(?:_|$)"
)


def check(route: Route, context: RouteContext) -> Iterator[Report]:
    """Reports the look-up. With somebody signed in it is another rule's."""
    if route.authenticated or log_in(route, context) is not None:
        return
    place = looked_up(route, context, _NEVER_PUBLIC)
    if place is not None:
        given = next((a for a in place.arguments if route.body.mentions_client(a)), place)
        yield Report(place, source=context.text(route, given), sink=context.text(route, place.callee))
