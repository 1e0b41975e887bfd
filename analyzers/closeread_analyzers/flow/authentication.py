"""What authenticates a route: decorators, classes, dependencies, its own code, hooks of its application.

Evidence is taken generously: a decorator called `members_only` is believed. The rules that build on "nobody
looks who asks" are worth reading only if that is so. Deliberately absent: whether a check is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from .. import ir
from ..catalogue import Auth, name_words
from ..tree import walk_here
from .bodies import Body, asks_who, last_name, names_in
from .frame import Frame
from .own import path_of
from .scopes import ClassInfo, Source
from .values import ClassRef

if TYPE_CHECKING:
    from .inventory import App, Inventory, Route

_DECORATES: Final = re.compile(
    r"(?:^|_)(?:auth\w*|login|logged|requires?|required|permissions?|admin|token|jwt|protected|protect|secured?|secure|roles?|acl|staff"
    r"|superuser|verif\w+|oauth\w*|api_?key|session|members?|private|restricted|guard|owner|privileged|user|identity|needs|scopes?)(?:_|$)"
)
_NOT: Final = re.compile(
    r"csrf|http_methods|require_(?:get|post|safe|json|form|params?|args?)$|json_required|not_required|exempt|anonymous|(?:^|_)optional(?:_|$)|sensitive|params_required"
)
_DEPENDS: Final = frozenset(["Depends", "Security"])
_CLASS_FIELDS: Final = frozenset(
    [
        "decorators",
        "method_decorators",
        "permission_classes",
        "authentication_classes",
        "permission_required",
        "roles_required",
    ]
)
_CLASS_METHODS: Final = frozenset(
    ["dispatch", "prepare", "setup", "initialize", "dispatch_request", "check_permissions"]
)
_BASES: Final = re.compile(
    r"(?:^|_)(?:auth\w*|login|logged|permission|protected|secured?|admin|staff|private|user_passes_test)(?:_|$)"
)
_OPEN: Final = frozenset(["AllowAny"])


def decorator_asks(function: ir.Function) -> bool:
    """Whether a decorator's name says that it looks who asks."""
    return any(_named(decorator) for decorator in function.decorators)


def _named(decorator: ir.Expression) -> bool:
    words = name_words(last_name(decorator))
    return bool(_DECORATES.search(words)) and not _NOT.search(words)


class Authentication:
    """Asks one inventory."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    def of(self, route: Route, source: Source) -> str | None:
        """By what a route is authenticated, in words."""
        frame = self._inventory.frame(route.unit)
        for decorator in route.function.decorators:
            if found := self._decorator(frame, decorator):
                return found
        info = source.functions.get(route.unit)
        if info is not None and info.owner is not None and (found := self._class(frame, info.owner)):
            return found
        if found := self._parameters(frame, route.function):
            return found
        name = info.owner.name if info is not None and info.owner is not None else route.function.name
        return self.in_body(frame, route.body) or self._wrapped(source.path, name)

    def is_opened(self, route: Route, source: Source) -> bool:
        """Whether a route says itself that everybody may, whatever the application's settings say."""
        for decorator in route.function.decorators:
            if last_name(decorator) == "permission_classes":
                return any(name in _OPEN for name in names_in(decorator))
        info = source.functions.get(route.unit)
        owner = self._inventory.engine._class(info.owner) if info is not None and info.owner is not None else None
        for statement in owner.definition.body if owner is not None else ():
            if isinstance(statement, ir.Assign) and statement.value is not None:
                named = any(isinstance(t, ir.Name) and t.id == "permission_classes" for t in statement.targets)
                if named:
                    names = list(names_in(statement.value))
                    return not names or any(name in _OPEN for name in names)
        return False

    def of_class(self, owner: ClassRef) -> str | None:
        """By what a class's handlers are authenticated, as far as the class and the URL patterns beside it say."""
        return self._class(self._inventory.frame(""), owner) or self._wrapped(owner.path, owner.name)

    def in_body(self, frame: Frame, body: Body) -> str | None:
        """Whether a body, or what it calls, looks who asks."""
        if body.identity:
            return body.identity
        return next(
            (inner.identity for _, inner in self._inventory.reach.reached(frame, body, 2) if inner.identity), None
        )

    def by_construction(self, apps: Iterable[App]) -> str | None:
        """An application made with dependencies or middlewares that look who asks."""
        for app in apps:
            for argument in app.call.arguments:
                if argument.name in ("dependencies", "middlewares", "middleware"):
                    named = next((n for n in names_in(argument.value) if _asks(n)), None)
                    if named is not None:
                        return named
        return None

    def around(self) -> str | None:
        """A hook or middleware in a file around."""
        return "a hook of the application" if "hook" in self._inventory.neighbours.others else None

    def _wrapped(self, path: str, name: str) -> str | None:
        """`login_required(views.name)` in the URL patterns of the same folder."""
        patterns = self._inventory.neighbours.beside(path, "urls.py")
        if patterns is None:
            return None
        for found in re.finditer(rb"\b(\w+)\(\s*(?:\w+\.)*%s\b" % re.escape(name.encode()), patterns):
            wrapper = found[1].decode()
            if _DECORATES.search(name_words(wrapper)):
                return wrapper
        return None

    def _decorator(self, frame: Frame, decorator: ir.Expression) -> str | None:
        name = last_name(decorator)
        if any(given in _OPEN for given in names_in(decorator)):
            return None
        if any(isinstance(entry, Auth) for entry in self._inventory.engine._decorator_entries(frame, decorator)):
            return f"@{name}"
        if isinstance(decorator, ir.Call):
            for argument in decorator.arguments:
                if argument.name in ("dependencies", "permission", "auth", "auth_required") and any(
                    _asks(n) for n in names_in(argument.value)
                ):
                    return argument.name
        if _named(decorator):
            return f"@{name}"
        call = decorator if isinstance(decorator, ir.Call) else ir.Call(decorator.start, decorator.end, decorator, [])
        found = self._inventory.reach.called(frame, call)
        if found is not None and _NOT.search(name_words(name)) is None and self._wraps(found[0].function):
            return f"@{name}"
        return None

    def _wraps(self, function: ir.Function) -> bool:
        """Whether a decorator's wrapper looks who asks."""
        pending = [function]
        while pending:
            at = pending.pop()
            if Body(at).identity:
                return True
            pending += [n.function for n in walk_here(*at.body) if isinstance(n, ir.FunctionDefinition)]
        return False

    def _class(self, frame: Frame, owner: ClassRef) -> str | None:
        engine = self._inventory.engine
        for base in (owner, *engine.bases(owner)):
            name = base if isinstance(base, str) else base.name
            if base is not owner and _BASES.search(name_words(name.rpartition(".")[2])):
                return name
            path = base if isinstance(base, str) else path_of(frame.models.own, base)
            if path is not None and any(isinstance(e, Auth) for e in frame.models.bases.get(path, ())):
                return path
            if isinstance(base, str):
                continue
            info = engine._class(base)
            if info is not None and (found := self._class_body(info)):
                return found
        return None

    def _class_body(self, info: ClassInfo) -> str | None:
        for decorator in info.definition.decorators:
            if any(_asks(n) for n in names_in(decorator)):
                return f"@{last_name(decorator)}"
        for statement in info.definition.body:
            if isinstance(statement, ir.Assign) and statement.value is not None:
                field = next(
                    (t.id for t in statement.targets if isinstance(t, ir.Name) and t.id in _CLASS_FIELDS), None
                )
                names = list(names_in(statement.value)) if field is not None else []
                if names and not any(n in _OPEN for n in names):
                    return field
            elif (
                isinstance(statement, ir.FunctionDefinition)
                and statement.function.name in _CLASS_METHODS
                and Body(statement.function).identity
            ):
                return statement.function.name
        return None

    def _parameters(self, frame: Frame, function: ir.Function) -> str | None:
        for parameter in function.parameters:
            for node in (parameter.default, parameter.annotation):
                found = self._dependency(frame, node) if node is not None else None
                if found:
                    return found
        return None

    def _dependency(self, frame: Frame, node: ir.Node) -> str | None:
        for call in walk_here(node):
            if not isinstance(call, ir.Call) or last_name(call.callee) not in _DEPENDS:
                continue
            for argument in call.arguments[:1]:
                given: Any = argument.value
                name = last_name(given)
                if _asks(name):
                    return f"Depends({name})"
                inner = given if isinstance(given, ir.Call) else ir.Call(given.start, given.end, given, [])
                found = self._inventory.reach.called(frame, inner)
                if found is not None and (found[1].identity or self._parameters(frame, found[0].function)):
                    return f"Depends({name})"
        return None


def is_dependency(parameter: ir.Parameter) -> bool:
    """Whether a framework fills a parameter with what another function gives: `user=Depends(current_user)`."""
    return any(
        isinstance(node, ir.Call) and last_name(node.callee) in _DEPENDS
        for given in (parameter.default, parameter.annotation)
        if given is not None
        for node in walk_here(given)
    )


def _asks(name: str) -> bool:
    words = name_words(name)
    return bool(asks_who(name) or (_DECORATES.search(words) and not _NOT.search(words)))
