"""Data that a view gives to a template is followed into it: findings stand at the template's lines."""

from __future__ import annotations

from closeread_analyzers.pipeline import Project, merged

XSS = "cross-site-scripting"
VIEW = """from flask import Flask, render_template, request

app = Flask(__name__)


@app.route("/")
def page():
    name = request.args["name"]
    return render_template("page.html", name=name, items=["a", name], fixed="x", count=int(name))
"""


class Texts:
    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = {path: text.encode() for path, text in texts.items()}

    def read(self, path: str) -> bytes | None:
        return self.texts.get(path)

    def exists(self, path: str) -> bool:
        return path in self.texts


def places(texts: dict[str, str], rule: str = XSS) -> list[tuple[str, int]]:
    project = Project(Texts(texts))
    results = [project.analyze(path) for path in texts]
    assert not [problem for result in results for problem in result.problems]
    return [(f.location.path, f.location.start_line) for f in merged(results) if f.rule == rule and not f.suppression]


def lines(template: str) -> list[int]:
    return [line for _, line in places({"app/views.py": VIEW, "app/templates/page.html": template})]


def test_marked_as_safe() -> None:
    assert lines("<p>\n{{ name }}\n{{ name|safe }}\n{{ fixed|safe }}\n{{ count|safe }}\n{{ name|e|safe }}") == [3]


def test_variables_loops_and_macros() -> None:
    assert lines("{% for i in items %}\n{{ i|safe }}\n{% endfor %}") == [2]
    assert lines("{% set a = 'x' ~ name %}\n{{ a|safe }}\n{% set a = 'x' %}\n{{ a|safe }}") == [2]
    assert lines("{% macro m(x) %}\n{{ x|safe }}{% endmacro %}\n{{ m(name) }}{{ m(fixed) }}") == [2]
    assert lines("{% autoescape false %}\n{{ name }}\n{{ name|e }}{% endautoescape %}{{ name }}") == [2]


def test_other_templates() -> None:
    texts = {
        "app/views.py": VIEW,
        "app/templates/page.html": "{% extends 'base.html' %}{% set title = name %}{% include 'shop/part.html' %}",
        "app/templates/base.html": "<title>\n{{ title|safe }}",
        "app/templates/shop/part.html": "\n\n{{ name|safe }}{{ fixed|safe }}",
    }
    assert places(texts) == [("app/templates/base.html", 2), ("app/templates/shop/part.html", 3)]


def test_the_trace_leads_from_the_view() -> None:
    project = Project(Texts({"app/views.py": VIEW, "app/templates/page.html": "{{ name|safe }}"}))
    (finding,) = [f for f in project.analyze("app/views.py").findings if f.rule == XSS]

    assert [(step.location.path, step.location.start_line) for step in finding.trace] == [
        ("app/views.py", 8), ("app/views.py", 8), ("app/views.py", 9), ("app/templates/page.html", 1),
    ]  # fmt: skip


def test_an_edited_template_is_read_again() -> None:
    texts = Texts({"app/views.py": VIEW, "app/templates/page.html": "{{ name|safe }}"})
    project = Project(texts)

    def found() -> int:
        return len([f for f in project.analyze("app/views.py").findings if f.rule == XSS])

    assert found() == 1
    assert "app/views.py" in project.dependents("app/templates/page.html")
    for text, expected in (("{{ name }}", 0), ("\n{{ name|safe }}", 1)):
        texts.texts["app/templates/page.html"] = text.encode()
        project.change("app/templates/page.html")
        assert found() == expected


def test_a_template_that_appears_is_found() -> None:
    texts = Texts({"app/views.py": VIEW})
    project = Project(texts)
    before = project.analyze("app/views.py")

    assert not [f for f in before.findings if f.rule == XSS]
    assert ("app/templates/page.html", "") in before.dependencies
    texts.texts["app/templates/page.html"] = b"{{ name|safe }}"
    project.change("app/templates/page.html")
    assert [f for f in project.analyze("app/views.py").findings if f.rule == XSS]


def test_names_that_flask_does_not_escape() -> None:
    view = VIEW.replace("page.html", "page.j2")
    assert places({"views.py": view, "templates/page.j2": "{{ name }}\n{{ count }}\n{{ name|e }}"}) == [
        ("templates/page.j2", 1)
    ]


AIOHTTP = """from aiohttp import web
from aiohttp_jinja2 import template


@template("page.html")
async def page(request: web.Request):
    return {"name": request.query["name"]}
"""
SETUP = """from aiohttp_jinja2 import setup as set_up


def create(app):
    set_up(app, autoescape=%s)
"""


def test_an_environment_that_does_not_escape() -> None:
    for escapes, expected in (("False", [("shop/templates/page.html", 2)]), ("True", [])):
        texts = {"shop/views.py": AIOHTTP, "shop/app.py": SETUP % escapes, "shop/templates/page.html": "\n{{ name }}"}
        assert places(texts) == expected


def test_a_decorator_renders_what_is_returned() -> None:
    texts = {"shop/views.py": AIOHTTP, "shop/templates/page.html": "{{ name }}\n{{ name|safe }}"}
    assert places(texts) == [("shop/templates/page.html", 2)]


def test_django() -> None:
    view = """from django.shortcuts import render
from django.template import loader


def page(request):
    return render(request, "shop/page.html", {"name": request.GET["name"]})


def other(request):
    template = loader.get_template("shop/page.html")
    template.render({"other": request.GET["other"]}, request)
"""
    template = "{% load static %}\n{{ name|safe }}\n{{ other|safe }}\n{{ name|default:'x'|truncatechars:9 }}"
    texts = {"site/shop/views.py": view, "site/shop/templates/shop/page.html": template}
    assert places(texts) == [("site/shop/templates/shop/page.html", 2), ("site/shop/templates/shop/page.html", 3)]


def test_the_request_in_a_template() -> None:
    texts = {
        "templates/a.html": "{{ request.args.name|safe }}\n{{ request.GET.name }}\n<p title={{ request.GET.name }}>"
    }
    assert places(texts) == [("templates/a.html", 1), ("templates/a.html", 3)]


def test_an_answered_finding() -> None:
    assert lines("{# closeread: ignore[cross-site-scripting] our own text #}\n{{ name|safe }}") == []


def test_what_is_missed() -> None:
    assert lines("{% macro m() %}{{ name|safe }}{% endmacro %}{{ m() }}") == []  # missed: macros see the context
    assert lines("<a href='{{ name }}'>") == []  # missed: an address may be a script
