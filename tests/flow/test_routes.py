"""Which functions of a file are routes, by what paths and methods, and what authenticates them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from copy import copy
from dataclasses import replace

import pytest

from closeread_analyzers.catalogue import Rule, builtin
from closeread_analyzers.check import Report
from closeread_analyzers.flow.routes import Inventory, Route, RouteContext, Routes
from closeread_analyzers.pipeline import Project


class Texts:
    """A project in memory."""

    def __init__(self, **texts: str) -> None:
        self.texts = {f"{name}.py".replace("__", "/"): textwrap.dedent(text).encode() for name, text in texts.items()}

    def read(self, path: str) -> bytes | None:
        return self.texts.get(path)

    def exists(self, path: str) -> bool:
        return path in self.texts


def inventory(path: str = "app.py", **texts: str) -> Inventory | None:
    """The routes of one file of a project."""
    project = Project(Texts(**texts))
    source = project._source(path)
    assert source is not None
    return Routes(project._engine).inventory(source)


def listed(path: str = "app.py", **texts: str) -> list[str]:
    """The lines of a listing."""
    found = inventory(path, **texts)
    assert found is not None
    return [route.describe() for route in found.routes]


def who(body: str, head: str = "") -> str | None:
    """By what a Flask route with this body (or with these lines before it) is authenticated."""
    text = "from flask import Flask, abort, g, redirect, request, session\nimport jwt\napp = Flask(__name__)\n"
    text += textwrap.dedent(head) + '\n@app.route("/x", methods=["POST"])\ndef x(number):\n'
    found = inventory(app=text + textwrap.indent(textwrap.dedent(body), "    "))
    assert found is not None
    return next(route.authenticated for route in found.routes if route.function.name == "x")


def test_flask() -> None:
    assert listed(
        app="""
        from flask import Blueprint, Flask
        app = Flask(__name__)
        pages = Blueprint("pages", __name__)
        @app.route("/a/<int:number>")
        def a(number): return "a"
        @pages.route("/b", methods=["GET", "POST"])
        def b(): return "b"
        @app.delete("/c")
        def c(): return "c"
        def d(): return "d"
        app.add_url_rule("/d", "d", d, methods=["PUT"])
        def helper(): return "e"
        """
    ) == [
        "GET /a/<int:number> a (anyone)",
        "GET,POST /b b (anyone)",
        "DELETE /c c (anyone)",
        "PUT /d d (anyone)",
    ]


def test_routes_in_a_factory() -> None:
    assert listed(
        app="""
        from fastapi import FastAPI
        def create():
            service = FastAPI()
            @service.post("/a")
            def a(text: str): return text
            return service
        """
    ) == ["POST /a a (anyone)"]


def test_classes() -> None:
    assert listed(
        app="""
        from flask.views import MethodView
        from http.server import BaseHTTPRequestHandler
        import tornado.web
        class A(MethodView):
            def get(self, number): return "a"
            def delete(self, number): return "a"
            def help(self): return "a"
        class B(BaseHTTPRequestHandler):
            def do_POST(self): self.wfile.write(b"b")
        class C(tornado.web.RequestHandler):
            @tornado.web.authenticated
            def put(self): self.write("c")
        """
    ) == [
        "GET ? get (anyone)",
        "DELETE ? delete (anyone)",
        "POST ? do_POST (anyone)",
        "PUT ? put (by @authenticated)",
    ]


def test_handlers_by_signature() -> None:
    """Django's and aiohttp's are registered in another file: what takes a request and answers it is one."""
    assert listed(
        app="""
        from aiohttp import web
        from django.http import HttpRequest, HttpResponse
        def a(request): return HttpResponse("a")
        def b(request: HttpRequest):
            if request.method == "POST":
                return HttpResponse("b")
            found = HttpResponse("c")
            return found
        async def c(request: web.Request):
            data = await request.post()
            raise web.HTTPFound("/")
        def helper(request): return request.GET
        def used(request): return HttpResponse("d")
        def e(request): return used(request)
        async def layer(request, handler): return web.Response()
        """
    ) == ["GET ? a (anyone)", "GET,POST ? b (anyone)", "GET,POST ? c (anyone)"]  # missed: e, which answers by a helper


@pytest.mark.parametrize(
    "body",
    [
        'if "user" not in session:\n    abort(401)\nreturn "x"',
        'if not session.get("logged_in"):\n    return redirect("/")\nreturn "x"',
        'token = request.headers.get("Authorization")\nreturn "x"',
        'jwt.decode(request.cookies["token"], "k", algorithms=["HS256"])\nreturn "x"',
        'check_token(request.args["t"])\nreturn "x"',
        'if g.user is None:\n    abort(401)\nreturn "x"',
        'if not current_user.is_authenticated:\n    abort(401)\nreturn "x"',
    ],
)
def test_bodies_that_look_who_asks(body: str) -> None:
    assert who(body) is not None


@pytest.mark.parametrize(
    "body",
    [
        'session["last_visit"] = 1\nreturn session.get("last_visit")',
        'return request.headers.get("User-Agent")',
        "return generate_token()",
        'current_user = request.form["user"]\nreturn current_user',
        'db.session.get(User, number)\nreturn "x"',
        "return get_user(number)",
    ],
)
def test_bodies_that_do_not(body: str) -> None:
    assert who(body) is None


def test_a_helper_two_calls_away_looks_who_asks() -> None:
    head = """
    def inner(): return session["user_id"]
    def outer(): return inner()
    """
    assert who("outer()\nreturn 'x'", head) == "the session"


def test_a_hook_of_the_application() -> None:
    guard = '@app.before_request\ndef guard():\n    if "user" not in session:\n        abort(401)\n'
    timer = "@app.before_request\ndef clock():\n    g.start = 1\n"
    assert who('return "x"', guard) == "`guard`"
    assert who('return "x"', timer) is None


def test_a_hook_in_the_file_of_the_application() -> None:
    """Views import the application, or live beside it."""
    views = """
    from flask import Blueprint
    pages = Blueprint("pages", __name__)
    @pages.route("/a")
    def a(): return "a"
    """
    app = """
    from flask import Flask, abort, session
    app = Flask(__name__)
    @app.before_request
    def guard():
        if "user" not in session: abort(401)
    """
    assert listed("site/views.py", site__views=views, site__app=app) == ["GET /a a (by a hook of the application)"]
    assert listed("site/views.py", site__views=views) == ["GET /a a (anyone)"]


def test_decorators_of_the_workspace() -> None:
    """By name, or by what the wrapper does."""
    decorators = """
    from functools import wraps
    from flask import session, abort
    def insiders(view):
        @wraps(view)
        def inner(*given):
            if "user" not in session: abort(401)
            return view(*given)
        return inner
    def timed(view):
        @wraps(view)
        def inner(*given): return view(*given)
        return inner
    """
    app = """
    from flask import Flask
    from decorators import insiders, timed
    from elsewhere import token_required
    app = Flask(__name__)
    @app.route("/a")
    @insiders
    def a(): return "a"
    @app.route("/b")
    @timed
    def b(): return "b"
    @app.route("/c")
    @token_required
    def c(): return "c"
    """
    assert listed(app=app, decorators=decorators) == [
        "GET /a a (by @insiders)",
        "GET /b b (anyone)",
        "GET /c c (by @token_required)",
    ]


def test_dependencies() -> None:
    """A dependency that opens a database asks nobody."""
    assert listed(
        app="""
        from fastapi import Depends, FastAPI, Header, HTTPException
        app = FastAPI()
        def get_db(): return 1
        def caller(authorization: str = Header()): raise HTTPException(401)
        def known(who=Depends(caller)): return who
        def key(request): return request.headers["X-API-Key"]
        @app.post("/a")
        def a(db=Depends(get_db)): return 1
        @app.post("/b")
        def b(user=Depends(get_current_user)): return 1
        @app.post("/c")
        def c(k=Depends(key)): return 1
        @app.post("/d", dependencies=[Depends(verify_token)])
        def d(): return 1
        """
    ) == [
        "POST /a a (anyone)",
        "POST /b b (by Depends(get_current_user))",
        "POST /c c (by Depends(key))",
        "POST /d d (by dependencies)",
    ]


def test_classes_that_ask() -> None:
    assert listed(
        app="""
        from django.contrib.auth.mixins import LoginRequiredMixin
        from django.views import View
        from django.http import HttpResponse
        from rest_framework.views import APIView
        from rest_framework.permissions import AllowAny, IsAuthenticated
        class A(LoginRequiredMixin, View):
            def get(self, request): return HttpResponse("a")
        class B(View):
            def get(self, request): return HttpResponse("b")
        class C(APIView):
            permission_classes = [IsAuthenticated]
            def post(self, request): return 1
        class D(APIView):
            permission_classes = [AllowAny]
            def post(self, request): return 1
        """
    ) == [
        "GET ? get (by django.contrib.auth.mixins.LoginRequiredMixin)",
        "GET ? get (anyone)",
        "POST ? post (by permission_classes)",
        "POST ? post (anyone)",
    ]


def test_a_file_without_a_framework_has_no_inventory() -> None:
    assert inventory(app="import os\ndef a(request): return render(request)\n") is None


def test_reports_follow_the_files_around() -> None:
    """A limiter that is set up in another file silences the log-in's finding, and its removal brings it back."""
    files = Texts(
        app="""
        from flask import Flask, request
        from limits import keeper
        app = Flask(__name__)
        @app.route("/login", methods=["POST"])
        def login():
            if check_password(request.form["password"]):
                return "welcome"
        """,
        limits="from flask_limiter import Limiter\nkeeper = Limiter()\n",
    )
    project = Project(files)

    def rules() -> set[str]:
        return {finding.rule for finding in project.analyze("app.py").findings}

    assert "missing-rate-limit" not in rules()
    files.texts["limits.py"] = b"keeper = None\n"
    project.change("limits.py")
    assert "missing-rate-limit" in rules()
    assert "app.py" in project.dependents("limits.py")
    files.texts["limits.py"] = b"from flask_limiter import Limiter\nkeeper = Limiter()\n"
    project.change("limits.py")
    assert "missing-rate-limit" not in rules()


def test_a_file_that_is_not_there_is_a_dependency() -> None:
    """So that a remembered result is made again when somebody adds the application's own file."""
    app = "from flask import Flask\napp = Flask(__name__)\n@app.route('/a')\ndef a(): return 'a'\n"
    result = Project(Texts(site__views=app)).analyze("site/views.py")
    assert ("site/app.py", "") in result.dependencies


SHOP = """
from flask import Flask, request, session
from store import drop
app = Flask(__name__)

@app.route("/delete", methods=["POST"])
def delete():
    drop(request.form["number"])
    return "gone"

@app.route("/edit", methods=["POST"])
def edit():
    if not session.get("user"):
        return "no"
    db.session.add(request.form["text"])
    return "done"

@app.route("/people")
def people():
    rows = []
    return str(User.query.all())
"""
STORE = """
def drop(number):
    db.session.delete(number)
"""


def test_an_edit_asks_the_rules_about_what_it_may_have_changed() -> None:
    """About one route where the edit is inside it; about none where it is in no route."""
    catalogue = builtin()
    asked: list[str] = []

    def counting(rule: Rule) -> Rule:
        check = rule.check
        assert check is not None

        def counted(subject: Route, context: RouteContext) -> Iterator[Report]:
            asked.append(subject.function.name)
            yield from check(subject, context)

        return replace(rule, check=counted) if rule.visits == (Route,) else rule

    watched = copy(catalogue)
    watched.checks = tuple(counting(rule) for rule in catalogue.checks)
    files = Texts(app=SHOP + "def other():\n    return 1\n", store=STORE)
    project = Project(files, watched)
    project.analyze("app.py")
    assert {"delete", "edit", "people"} == set(asked)

    def changed(old: str, new: str) -> set[str]:
        asked.clear()
        files.texts["app.py"] = files.texts["app.py"].replace(old.encode(), new.encode())
        project.change("app.py")
        project.analyze("app.py")
        return set(asked)

    assert set() == changed("return 1", "return 2")
    assert {"people"} == changed("rows = []", "rows = [1]")
    assert {"people"} == changed('"/people"', '"/persons"')


def test_what_is_said_again_is_what_would_be_said_anew() -> None:
    files = Texts(app=SHOP, store=STORE)
    project = Project(files)
    edits = [
        ("app.py", 'session.get("user")', 'session.get("cart")'),
        ("store.py", "db.session.delete(number)", "return number"),
        ("store.py", "return number", "db.session.delete(number)"),
        ("app.py", '@app.route("/people")', '@login_required\n@app.route("/people")'),
        ("app.py", "from store import drop", "from store import drop\nfrom flask_login import login_required"),
        ("app.py", 'methods=["POST"]', 'methods=["GET"]'),
        ("app.py", "def delete():", "def remove():"),
        ("app.py", "app = Flask(__name__)", "app = Flask(__name__)\n@app.before_request\ndef who(): session['user']\n"),
    ]
    seen = []
    for path, old, new in [("app.py", "", ""), *edits]:
        assert old.encode() in files.texts[path]
        files.texts[path] = files.texts[path].replace(old.encode(), new.encode()) if old else files.texts[path]
        project.change(path)
        remembered = [project.analyze(one) for one in ("app.py", "store.py")]
        seen.append({finding.rule for result in remembered for finding in result.findings})

        assert [Project(files).analyze(one) for one in ("app.py", "store.py")] == remembered
    assert len({frozenset(rules) for rules in seen}) > 2


def test_an_empty_file_beside_it() -> None:
    app = "from flask import Flask\napp = Flask(__name__)\n@app.route('/a')\ndef a(): return 'a'\n"
    assert listed("site/views.py", site__views=app, site____init__="") == ["GET /a a (anyone)"]
