"""What a file's routes are: which functions a web framework calls, how a client reaches them, and who may.

Handlers are found by decorator, by class, by registration in the same file and by their signature. Python's
frameworks only. Deliberately absent: routes named in an OpenAPI document, prefixes under which a blueprint or
router is mounted, registrations in another file, and what a deployment puts in front of the application.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Final

from .. import ir
from ..catalogue import HandlerModel, Models, name_words
from ..tree import statements, walk, walk_here
from . import declared
from .aging import Aging
from .arguments import argument_node
from .authentication import Authentication, decorator_asks, is_dependency
from .bodies import Body, Write, dotted, last_name, leading_text, text_of
from .engine import Engine
from .frame import Frame, Record
from .neighbours import Neighbours, Shown
from .reach import Reach
from .scopes import FunctionInfo, Source
from .values import FunctionRef
from .views import View, views

GATE: Final = re.compile(
    rb"^[ \t]*(?:from|import)\s[^\n#]*\b(?:flask|quart|django|fastapi|starlette|aiohttp|bottle|tornado|sanic|falcon|cherrypy|pyramid"
    rb"|rest_framework|http|BaseHTTPServer|connexion)\b|^[ \t]*@\w+(?:\.\w+)*\.(?:route|get|post|put|patch|delete)\(",
    re.MULTILINE,
)
_FRAMEWORKS: Final = ("aiohttp", "starlette", "fastapi", "rest_framework", "django", "flask", "sanic", "bottle")
_VERBS: Final = frozenset(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
_BY_METHOD: Final = {
    "list": "GET", "retrieve": "GET", "create": "POST", "update": "PUT", "partial_update": "PATCH", "destroy": "DELETE",
}  # fmt: skip
_REQUEST_TYPES: Final = re.compile(r"(?:^|\.)(?:HttpRequest|Request|WSGIRequest)$")
_ANSWERS: Final = re.compile(
    r"^(?:render|render_to_response|redirect|jsonify|make_response|send_file|HttpResponse\w*|JsonResponse|StreamingHttpResponse|Response|HTML"
    r"|HTMLResponse|PlainTextResponse|RedirectResponse|FileResponse|TemplateResponse|render_template|render_template_string|json_response"
    r"|HTTPFound|HTTPSeeOther|render_response|Http404|HttpResponseRedirect|abort)$"
)
_NO_HANDLER: Final = re.compile(
    r"middleware|context_processor|receiver|errorhandler|error_handler|property|fixture|task|register|tag|filter"
)
_HOOKS: Final = frozenset(
    ["before_request", "before_app_request", "middleware", "on_request", "hook", "before_serving"]
)
_POSTS: Final = frozenset(["POST", "get_json", "post", "form", "body", "json", "files", "FILES"])
_CHANGING: Final = frozenset(["POST", "PUT", "PATCH", "DELETE"])
_ASKERS: Final = frozenset(["user", "me", "account", "member", "identity", "principal", "caller", "claims", "payload"])
_CREATIONS: Final = re.compile(
    r"^(?:flask\.Flask|quart\.Quart|aiohttp\.web\.Application|fastapi\.FastAPI|bottle\.Bottle|sanic\.Sanic"
    r"|tornado\.web\.Application)$"
)


@dataclass(slots=True, eq=False)
class Route:
    """A function that a client can call.

    `methods` is empty where nothing says which; `path` is "" likewise. `place` marks the function's head.
    `authenticated` says by what, `settings_decide` that the application's settings may. `writes` are the changes
    it makes, itself or by a call.
    """

    file: str
    unit: str
    function: ir.Function
    body: Body
    place: ir.Node
    framework: str
    path: str = ""
    methods: frozenset[str] = frozenset()
    entry: HandlerModel | None = None
    parameters: frozenset[str] = frozenset()
    authenticated: str | None = None
    settings_decide: bool = False
    writes: list[Write] = field(default_factory=list)

    @property
    def words(self) -> str:
        """The words of the function's name (a method's with its class) and the path's constant parts."""
        name = self.function.name
        unit = self.unit.partition("#")[0]
        if unit.endswith(f".{name}"):
            name = unit
        constant = re.sub(r"<[^>]*>|\{[^}]*\}|\(\?P?[^)]*\)|:\w+", " ", self.path)
        return f"{name_words(name)}_{name_words(constant)}"

    @property
    def changes_state(self) -> bool:
        """Whether it writes to a store."""
        return bool(self.writes)

    @property
    def posts(self) -> bool:
        """Whether a method that is there for changes leads here, as far as anything says."""
        return bool(self.methods & _CHANGING)

    def describe(self) -> str:
        """One line for a listing."""
        verbs = ",".join(sorted(self.methods)) or "*"
        who = f"by {self.authenticated}" if self.authenticated else "anyone"
        return f"{verbs} {self.path or '?'} {self.function.name} ({who})"


@dataclass(slots=True, eq=False)
class App:
    """An application's creation: `app = Flask(__name__)`."""

    unit: str
    call: ir.Call
    framework: str


class Memory:
    """What pieces of code said, by themselves: what did not change is not looked at again."""

    def __init__(self) -> None:
        self.shown = Shown()
        self._bodies: Aging[ir.Function, Body] = Aging()
        self._handed: Aging[ir.Statement, tuple[list[ir.Call], frozenset[str]]] = Aging()
        self._answers: Aging[ir.Function, bool] = Aging()

    def age(self) -> None:
        """Forget what nobody has asked for since it aged last: code as it was before."""
        self.shown.age()
        self._bodies.age()
        self._handed.age()
        self._answers.age()

    def answers(self, function: ir.Function) -> bool:
        """Whether a function returns (or raises) what a framework sends."""
        known = self._answers.get(function)
        if known is None:
            known = self._answers.put(function, _answers(function))
        return known

    def body(self, function: ir.Function, names: frozenset[str], askers: frozenset[str] = frozenset()) -> Body:
        """A function's body, gathered, with the parameters that a client fills, and those that say who asks."""
        known = self._bodies.get(function)
        if known is None or known.parameters != names or known.askers != askers:
            known = self._bodies.put(function, Body(function, names, askers))
        return known

    def calls(self, statement: ir.Statement, models: Models) -> tuple[list[ir.Call], frozenset[str]]:
        """The calls that may register a handler or make an application, and the names that are called at all."""
        known = self._handed.get(statement)
        if known is None:
            wanted = _registering(models)
            calls: list[ir.Call] = []
            names: set[str] = set()
            for node in walk(statement):
                if type(node) is ir.Call:
                    name = last_name(node.callee)
                    if isinstance(node.callee, ir.Name):
                        names.add(name)
                    if "error" in name:
                        names.update(last_name(argument.value) for argument in node.arguments)
                    if name in wanted:
                        calls.append(node)
            known = self._handed.put(statement, (calls, frozenset(names)))
        return known


def _answers(function: ir.Function) -> bool:
    if any(last_name(d) in ("template", "render_to", "api_view") for d in function.decorators):
        return True
    made: set[str] = set()
    for node in walk_here(*function.body):
        if isinstance(node, ir.Assign) and isinstance(node.value, ir.Call) and _ANSWERS.match(last_name(node.value)):
            made |= {t.id for t in node.targets if isinstance(t, ir.Name)}
        elif isinstance(node, ir.Return | ir.Raise) and node.value is not None:
            for part in walk_here(node.value):
                if (isinstance(part, ir.Call) and _ANSWERS.match(last_name(part.callee))) or (
                    isinstance(part, ir.Name) and part.id in made
                ):
                    return True
    return False


@lru_cache(maxsize=8)
def _registering(models: Models) -> frozenset[str]:
    """The last names of what registers a handler, or makes an application."""
    names = {"Flask", "Quart", "Application", "FastAPI", "Bottle", "Sanic"}
    for index in (models.calls, models.wild_calls):
        names |= {p.rpartition(".")[2] for p, found in index.items() if any(isinstance(e, HandlerModel) for e in found)}
    return frozenset(names)


class Inventory:
    """The routes of one file, and what they rest on (`record`, and `neighbours.digests`)."""

    def __init__(self, engine: Engine, source: Source, memory: Memory) -> None:
        self.engine = engine
        self.source = source
        self.record = Record()
        self.routes: list[Route] = []
        self.apps: list[App] = []
        self.views: list[View] = []
        self.memory = memory
        self.neighbours = Neighbours(engine, source, memory.shown)
        self.reach = Reach(engine, source, memory, self.record)
        self._registered: dict[FunctionRef | str, list[tuple[HandlerModel, ir.Call]]] = {}
        self._hooked: str | None = None
        engine._records.append(self.record)
        try:
            self._take()
        finally:
            engine._records.pop()

    # --- Asking -----------------------------------------------------------------------------------

    @property
    def has_users(self) -> bool:
        """Whether anything tells who asks."""
        asked = any(route.authenticated for route in self.routes) or any(view.authenticated for view in self.views)
        return asked or "users" in self.neighbours.signals

    def frame(self, unit: str) -> Frame:
        """A frame in which names can be asked."""
        return self.reach.frame(unit)

    def text(self, unit: str, node: ir.Node) -> str:
        """A node's source text."""
        base = self.source.units[unit].start
        return self.source.module.source[base + node.start : base + node.end].decode("utf-8", "replace")

    # --- Taking -----------------------------------------------------------------------------------

    def _take(self) -> None:
        source = self.source
        for unit, entry in source.units.items():
            self.engine.tick()
            self._registrations(unit, entry.statement)
        asks = Authentication(self)
        hooks: list[tuple[ir.Function, str]] = []
        for unit, function, info in self._functions():
            self.engine.tick()
            if any(last_name(decorator) in _HOOKS for decorator in function.decorators):
                hooks.append((function, unit))
            self._route(unit, function, info)
        self.views = list(views(self.engine, source, asks))
        if not self.routes:
            return
        guard = next(
            (
                f"`{f.name}`"
                for f, unit in hooks
                if asks.in_body(self.frame(unit), self.memory.body(f, frozenset())) or decorator_asks(f)
            ),
            None,
        )
        guard = guard or asks.by_construction(self.apps) or asks.around()
        for route in self.routes:
            route.authenticated = asks.of(route, source) or guard
            route.settings_decide = route.framework == "rest_framework" and not asks.is_opened(route, source)
            frame = self.frame(route.unit)
            route.writes = list(route.body.writes)
            for call, inner in self.reach.reached(frame, route.body):
                route.writes += [(kind, call) for kind, _ in inner.writes]

    def _functions(self) -> Iterator[tuple[str, ir.Function, FunctionInfo | None]]:
        """Every function with its unit; those nested in another have no info."""
        for name, info in self.source.functions.items():
            pending: list[tuple[ir.Function, FunctionInfo | None]] = [(info.function, info)]
            while pending:
                function, known = pending.pop()
                yield name, function, known
                pending += [
                    (s.function, None) for s in statements(*function.body) if isinstance(s, ir.FunctionDefinition)
                ][::-1]

    def _registrations(self, unit: str, statement: ir.Statement) -> None:
        """Applications made, and functions handed to a framework, in one unit."""
        frame = self.frame(unit)
        models = self.source.models
        for node in self.memory.calls(statement, models)[0]:
            name = last_name(node.callee)
            value = declared.plain_path(frame, node.callee) if isinstance(node.callee, ir.Name | ir.Attribute) else None
            path = value.path if value is not None else None
            if path is not None and _CREATIONS.match(path):
                self.apps.append(App(unit, node, path.partition(".")[0]))
            entries = models.calls.get(path, ()) if path is not None else ()
            if not entries:
                receiver = name_words(last_name(node.callee.value)) if isinstance(node.callee, ir.Attribute) else ""
                entries = tuple(
                    e for e in models.wild_calls.get(name, ()) if e.receiver is None or e.receiver.search(receiver)
                )
            for entry in entries:
                if isinstance(entry, HandlerModel):
                    self._register(frame, node, entry)

    def _register(self, frame: Frame, call: ir.Call, entry: HandlerModel) -> None:
        for ref in entry.argument:
            node = argument_node(call, ref)
            if node is None:
                continue
            value = declared.plain_path(frame, node)
            target = value.target if value is not None else None
            if isinstance(target, FunctionRef):
                self._registered.setdefault(target, []).append((entry, call))
            elif isinstance(node, ir.Name):
                self._registered.setdefault(f"{frame.unit}.{node.id}", []).append((entry, call))
            return

    def _route(self, unit: str, function: ir.Function, info: FunctionInfo | None) -> None:
        frame = self.frame(unit)
        paths: list[str] = []
        verbs: set[str] = set()
        entry: HandlerModel | None = None
        for decorator in function.decorators:
            for one in self.engine._decorator_entries(frame, decorator):
                if isinstance(one, HandlerModel) and one.route is not None:
                    entry = entry or one
                    call = decorator if isinstance(decorator, ir.Call) else None
                    self._route_of(frame, call, one, paths, verbs, last_name(decorator))
                    break
        key: FunctionRef | str = info.ref if info is not None else f"{unit}.{function.name}"
        for one, call in self._registered.get(key, ()):
            entry = entry or one
            self._route_of(frame, call, one, paths, verbs, "")
        if entry is None and info is not None and info.owner is not None:
            entry = self._by_class(info, verbs)
        if entry is None:
            entry = self._by_signature(frame, function, info, verbs)
            if entry is None:
                return
        elif not verbs - {"ANY"}:
            verbs = self._tested(function, verbs)
        verbs.discard("ANY")
        self._add(unit, function, entry, paths, verbs)

    def _add(self, unit: str, function: ir.Function, entry: HandlerModel, paths: list[str], verbs: set[str]) -> None:
        names = [
            p.name
            for p in function.parameters
            if p.name not in ("self", "cls", "request", "req") and not isinstance(p.default, ir.Call) and p.kind != "**"
        ]
        askers = frozenset(p.name for p in function.parameters if p.name in _ASKERS and is_dependency(p))
        body = self.memory.body(function, frozenset(names), askers)
        framework = entry.library if entry.match != "named" else self._framework()
        self.routes.append(
            Route(
                self.source.path, unit, function, body, self._head(unit, function), framework,
                paths[0] if paths else "", frozenset(verbs & _VERBS), entry, frozenset(names),
            )
        )  # fmt: skip

    def _framework(self) -> str:
        """The framework that a handler known by its signature alone belongs to."""
        modules = {imported.module.partition(".")[0] for imported in self.source.imports.values()}
        return next((name for name in _FRAMEWORKS if name in modules), "django")

    def _head(self, unit: str, function: ir.Function) -> ir.Node:
        """The words `def name`, by which a route is marked."""
        text = self.text(unit, function)
        found = re.search(rf"(?:async\s+)?def\s+{re.escape(function.name)}\b", text)
        if found is None:
            return ir.Node(function.start, function.start + len(text.partition("\n")[0].encode()))
        start = function.start + len(text[: found.start()].encode())
        return ir.Node(start, start + len(found[0].encode()))

    def _route_of(
        self, frame: Frame, call: ir.Call | None, entry: HandlerModel, paths: list[str], verbs: set[str], name: str
    ) -> None:
        """What one decorator or registration says of paths and methods."""
        route = entry.route
        if route is None:
            return
        if call is not None and route.path is not None:
            node = argument_node(call, route.path)
            text = leading_text(node) if node is not None else ""
            if text:
                paths.append(text)
        if name.upper() in _VERBS:
            verbs.add(name.upper())
            return
        if route.method:
            verbs.add(route.method)
            return
        given = argument_node(call, route.methods) if call is not None and route.methods is not None else None
        if given is not None:
            verbs.update(
                t.value.upper() for t in walk_here(given) if isinstance(t, ir.Constant) and isinstance(t.value, str)
            )
        else:
            verbs.add("ANY" if route.methods is None else "GET")

    def _by_class(self, info: FunctionInfo, verbs: set[str]) -> HandlerModel | None:
        assert info.owner is not None
        name = info.function.name
        for base in self.engine.bases(info.owner):
            for entry in self.source.models.bases.get(base, ()) if isinstance(base, str) else ():
                if isinstance(entry, HandlerModel) and name in entry.methods and name not in ("dispatch", "handle"):
                    verb = name.removeprefix("do_").upper()
                    verbs.add(verb if verb in _VERBS else _BY_METHOD.get(name, "ANY"))
                    return entry
        return None

    def _by_signature(
        self, frame: Frame, function: ir.Function, info: FunctionInfo | None, verbs: set[str]
    ) -> HandlerModel | None:
        """A function that takes a request (or works with one) and answers it, and that nobody here calls."""
        if info is None or info.owner is not None or not function.name or function.name.startswith("_"):
            return None
        if any(_NO_HANDLER.search(name_words(last_name(d))) for d in function.decorators) or "handler" in (
            p.name for p in function.parameters
        ):
            return None
        entry = next((e for e in self.source.models.handlers_by_name if "request" in e.paths), None)
        if entry is None or not self.memory.answers(function) or function.name in self._called:
            return None
        first = function.parameters[0] if function.parameters else None
        takes = first is not None and first.name == "request"
        if takes and first is not None and first.annotation is not None:
            takes = bool(_REQUEST_TYPES.search(dotted(first.annotation)))
        if not takes and not (
            "by-name" in self.neighbours.signals and not function.decorators and self._flask_answer(function)
        ):
            return None
        verbs |= self._tested(function, {"ANY"})
        return entry

    def _tested(self, function: ir.Function, verbs: set[str]) -> set[str]:
        """The methods that a function which gets every request has code for."""
        found = {"GET"}
        for node in walk_here(*function.body):
            if isinstance(node, ir.Comparison) and isinstance(node.left, ir.Attribute) and node.left.name == "method":
                found |= {text_of(n).upper() for n in walk_here(node.right)} & _VERBS
            elif isinstance(node, ir.Attribute) and node.name in _POSTS and last_name(node.value) == "request":
                found.add("POST")
        return found | (verbs - {"ANY"} if "ANY" not in verbs else set())

    def _flask_answer(self, function: ir.Function) -> bool:
        names = {p.name for p in function.parameters}
        return not names & {"message", "msg", "status", "code", "error", "e", "exc", "exception"}

    @cached_property
    def _called(self) -> frozenset[str]:
        """The names that are called somewhere in the file, or registered for errors."""
        units = self.source.units.values()
        return frozenset().union(*(self.memory.calls(unit.statement, self.source.models)[1] for unit in units))
