"""A function that by its name makes a secret, and returns what a generator for dice gives."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...pattern import later
from ...shapes import own_nodes
from ...tree import walk
from ...words import words_of

visits = (ir.FunctionDefinition,)

_SECRETS = later(
    r"(^|_)(tokens?|otp|totp|passwords?|passwd|secret|session_?id|api_?key|nonce|csrf|salt|pin_?code|passcode|(verification|reset|auth|activation"
    r"|confirmation)_?code)(_|$)"
)
_DICE = later(
    r"random\.(random|choice|choices|randint|randrange|sample|getrandbits|uniform)|uuid\.uuid1|numpy\.random\.\w+"
)


def check(node: ir.FunctionDefinition, context: Context) -> Iterator[Report]:
    """Reports the generator's call."""
    function = node.function
    if context.is_test or not _SECRETS.search(words_of(function.name)):
        return
    returned: list[ir.Expression] = []
    for part in own_nodes(function):
        if isinstance(part, ir.Return) and part.value is not None:
            returned.append(part.value)
    kept = {inner.id for value in returned for inner in walk(value) if type(inner) is ir.Name}
    for part in own_nodes(function):
        if isinstance(part, (ir.Assign, ir.AugmentedAssign)) and part.value is not None:
            targets = part.targets if isinstance(part, ir.Assign) else [part.target]
            if _names(targets) & kept:
                returned.append(part.value)
    for value in returned:
        for inner in walk(value):
            if isinstance(inner, ir.Call) and _DICE.fullmatch(context.path(inner.callee) or ""):
                yield Report(inner, name=context.text(inner.callee))
                return


def _names(targets: list[ir.Expression]) -> set[str]:
    return {target.id for target in targets if type(target) is ir.Name}
