"""The last stage of an image's recipe, if its command runs as root."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...configuration import text_of
from ...pattern import later

visits = (ir.Call,)
calls = {"FROM", "USER"}

_STARTS = frozenset({"CMD", "ENTRYPOINT"})
_ROOT = later(r"(root|0)(:.*)?$")
_OTHER_USER = later(r"nonroot|rootless|unprivileged|^scratch$|\$")
_LETS_GO = later(r"\b(gosu|su-exec|setpriv|runuser|s6-setuidgid|chroot --userspec)\b")

Instruction = tuple[ir.Call, list[str]]


def check(node: ir.Call, context: Context) -> Iterator[Report]:
    """Reports the last `FROM`, or the `USER` that goes back to root."""
    recipe = list(_instructions(context.module))
    at = next((place for place, (call, _) in enumerate(recipe) if call is node), -1)
    if at < 0 or any(_name(call) == "FROM" for call, _ in recipe[at + 1 :]):
        return
    stage = recipe[at:]
    if not any(_name(call) in _STARTS for call, _ in stage):
        return
    if any(_LETS_GO.search(" ".join(words)) for call, words in recipe):
        return
    if any(_name(call) == "USER" for call, _ in stage[1:]):
        return
    words = stage[0][1]
    if _name(node) == "USER":
        if words and _ROOT.match(words[0]):
            yield Report(node)
    elif words and not _OTHER_USER.search(words[0]) and not _user_of(words[0], recipe[:at]):
        yield Report(node)


def _instructions(module: ir.Module) -> Iterator[Instruction]:
    for unit in module.units:
        statement = unit.statement
        if type(statement) is ir.ExpressionStatement and type(statement.value) is ir.Call:
            call = statement.value
            yield call, [text_of(given.value) for given in call.arguments if given.name is None]


def _name(call: ir.Call) -> str:
    return call.callee.id if type(call.callee) is ir.Name else ""


def _user_of(stage: str, recipe: list[Instruction]) -> bool:
    """Whether an earlier stage of this name names a user."""
    inside = False
    found = False
    for call, words in recipe:
        if _name(call) == "FROM":
            inside = len(words) > 2 and words[1].upper() == "AS" and words[2] == stage
        elif inside and _name(call) == "USER":
            found = bool(words) and not _ROOT.match(words[0])
    return found
