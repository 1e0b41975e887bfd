"""Passwords and numbers of cards or people, read from a record and sent to a client."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...catalogue import name_words
from ...check import Report
from ...flow.bodies import Body, is_sent_root, key_of, last_name
from ...flow.routes import Route, RouteContext
from ...pattern import later
from ...tree import children

visits = (Route,)

_PRIVATE = later(
    r"(?:^|_)(?:password|passwd|pwd|password_hash|pwd_hash|hashed_password|password_digest|ccn|cc_num|cc_number|credit_card|credit_card_number"
    r"|card_number|cvv|cvc|ssn|social_security_number|social_security|private_key|security_answer|otp_secret|mfa_secret|totp_secret)$"
)
_ANSWERS = later(
    r"^(?:jsonify|dumps|JsonResponse|Response|JSONResponse|json_response|make_response|render_template|render|json|write|append)$"
)
_KEEPS = later(r"^(?:dict|list|tuple|sorted|str|update)$")
_NO_RECORD = frozenset(
    [
        "form",
        "request",
        "req",
        "config",
        "settings",
        "conf",
        "app",
        "args",
        "os",
        "environ",
        "schema",
        "cls",
        "data",
        "payload",
    ]
)


def check(route: Route, context: RouteContext) -> Iterator[Report]:
    """Reports the field, or the call of a function that returns it."""
    told: set[str] = set()
    for call, body in context.reached(route):
        own = body is route.body
        for value, name in _exposed(body, own=own):
            if name not in told:
                told.add(name)
                yield Report(value if own else call, name=name)


def _exposed(body: Body, *, own: bool) -> Iterator[tuple[ir.Node, str]]:
    """The private fields of records that a body puts into what it answers."""
    answered = _answered(body)
    for root in answered:
        for node in _parts(root):
            given: list[ir.Expression] = []
            if isinstance(node, ir.Mapping):
                given = [value for _, value in node.entries]
            elif isinstance(node, ir.Call) and last_name(node.callee) in ("jsonify", "dict"):
                given = [a.value for a in node.arguments if a.name is not None]
            for value in given:
                name = value.name if isinstance(value, ir.Attribute) else key_of(value)
                if name and _PRIVATE.search(name_words(name)) and _is_record(body, value, own=own):
                    yield value, name


def _answered(body: Body) -> list[ir.Node]:
    """The expressions that a body returns or hands to what makes a response."""
    found: list[ir.Node] = [n.value for n in body.nodes if isinstance(n, ir.Return) and n.value is not None]
    found += [call for call in body.calls if _ANSWERS.match(last_name(call.callee))]
    names = {node.id for root in found for node in _parts(root) if isinstance(node, ir.Name)}
    found += [value for name, values in body.assigned.items() if name in names for value in values]
    unique: dict[int, ir.Node] = {id(node): node for node in found}
    return list(unique.values())


def _parts(root: ir.Node) -> Iterator[ir.Node]:
    """What an expression is made of, without the arguments of calls that make something else of them."""
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        if (
            not isinstance(node, ir.Call)
            or _KEEPS.match(last_name(node.callee))
            or _ANSWERS.match(last_name(node.callee))
        ):
            pending.extend(children(node))


def _is_record(body: Body, value: ir.Expression, *, own: bool) -> bool:
    at: ir.Expression = value
    while isinstance(at, ir.Attribute | ir.Subscript | ir.Call):
        at = at.callee if isinstance(at, ir.Call) else at.value
    if not isinstance(at, ir.Name) or at.id in _NO_RECORD or is_sent_root(value) or at.id in body.direct_client:
        return False
    return at.id != "self" or not own
