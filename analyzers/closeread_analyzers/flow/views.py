"""Class-based views whose methods the framework brings: a model, a queryset, a serialiser, and who may.

Django's generic views and the REST framework's viewsets have handlers without a line of the workspace's own:
`class UserViewSet(ModelViewSet)` lists, shows, changes and deletes. Handlers that are written out are routes
(inventory.py). Deliberately absent: what URL patterns say of a view.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .. import ir
from ..tree import walk_here
from .authentication import Authentication
from .bodies import last_name, names_in
from .engine import Engine
from .scopes import ClassInfo, Source
from .values import ClassRef

_REST: Final = {
    "ModelViewSet": "list retrieve create update destroy",
    "ReadOnlyModelViewSet": "list retrieve",
    "ListModelMixin": "list",
    "RetrieveModelMixin": "retrieve",
    "CreateModelMixin": "create",
    "UpdateModelMixin": "update",
    "DestroyModelMixin": "destroy",
    "ListAPIView": "list",
    "RetrieveAPIView": "retrieve",
    "CreateAPIView": "create",
    "UpdateAPIView": "update",
    "DestroyAPIView": "destroy",
    "ListCreateAPIView": "list create",
    "RetrieveUpdateAPIView": "retrieve update",
    "RetrieveDestroyAPIView": "retrieve destroy",
    "RetrieveUpdateDestroyAPIView": "retrieve update destroy",
}
_GENERIC: Final = {
    "ListView": "list",
    "DetailView": "retrieve",
    "CreateView": "create",
    "UpdateView": "update",
    "DeleteView": "destroy",
}
_NARROWS: Final = frozenset(
    [
        "get_queryset",
        "get_object",
        "dispatch",
        "test_func",
        "has_permission",
        "check_object_permissions",
        "filter_queryset",
    ]
)
_OWN: Final = frozenset(["user", "owner", "request"])
_HEAD: Final = re.compile(r"class\s+\w+")


@dataclass(slots=True, eq=False)
class View:
    """One such class. `place` marks its head.

    `model` is the model's name, "" where nothing says; `actions` are of list, retrieve, create, update and destroy.
    `permissions` are the names given as `permission_classes`, None if none are; `narrowed` says that a method or the
    queryset picks among the records, or that its permissions may.
    """

    unit: str
    name: str
    definition: ir.Class
    place: ir.Node
    framework: str
    model: str
    actions: frozenset[str]
    permissions: tuple[str, ...] | None
    authenticated: str | None
    narrowed: bool


def views(engine: Engine, source: Source, asks: Authentication) -> Iterator[View]:
    """The views of a file, in order."""
    for name, info in source.classes.items():
        bases = [base for base in engine.bases(info.ref) if isinstance(base, str)]
        rest = [base for base in bases if base.startswith("rest_framework.")]
        table = _REST if rest else _GENERIC
        actions = {
            action
            for base in rest or bases
            if rest or base.startswith("django.views.generic")
            for action in table.get(base.rpartition(".")[2], "").split()
        }
        if actions:
            yield _view(engine, source, name, info, frozenset(actions), "rest_framework" if rest else "django", asks)


def _view(
    engine: Engine,
    source: Source,
    name: str,
    info: ClassInfo,
    actions: frozenset[str],
    framework: str,
    asks: Authentication,
) -> View:
    fields = dict(_fields(engine, info))
    queryset, given = fields.get("queryset"), fields.get("permission_classes")
    model = last_name(fields["model"]) if "model" in fields else next(_models(queryset), "")
    permissions = None if given is None else tuple(names_in(given))
    methods = engine.named_methods(info.ref)
    own = permissions is not None and any(_narrows(permission) for permission in permissions)
    filtered = queryset is not None and any(word in _OWN for word in names_in(queryset))
    return View(
        info.unit,
        name,
        info.definition,
        _head(engine, source, info),
        framework,
        model,
        actions,
        permissions,
        asks.of_class(info.ref),
        own or filtered or not _NARROWS.isdisjoint(methods),
    )


def _fields(engine: Engine, info: ClassInfo) -> Iterator[tuple[str, ir.Expression]]:
    """The class attributes, own ones last."""
    owners = [
        info,
        *(known for base in engine.bases(info.ref) if isinstance(base, ClassRef) and (known := engine._class(base))),
    ]
    for owner in reversed(owners):
        for statement in owner.definition.body:
            if isinstance(statement, ir.Assign) and statement.value is not None:
                for target in statement.targets:
                    if isinstance(target, ir.Name):
                        yield target.id, statement.value


def _models(queryset: ir.Expression | None) -> Iterator[str]:
    """The model in `Model.objects.all()`."""
    for node in walk_here(queryset) if queryset is not None else ():
        if isinstance(node, ir.Attribute) and node.name in ("objects", "_default_manager"):
            yield last_name(node.value)


def _narrows(permission: str) -> bool:
    """Whether a permission may look at the record: none of the framework's own does."""
    return permission not in (
        "permissions",
        "IsAuthenticated",
        "AllowAny",
        "IsAuthenticatedOrReadOnly",
        "rest_framework",
    )


def _head(engine: Engine, source: Source, info: ClassInfo) -> ir.Node:
    """The words `class Name`."""
    definition = info.definition
    found = _HEAD.search(engine.text(source, info.unit, definition))
    start = definition.start + (found.start() if found else 0)
    return ir.Node(start, start + (len(found[0].encode()) if found else len(definition.name)))
