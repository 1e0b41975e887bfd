"""A user's own models: what they may say, what they change, and what is said of a mistake."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from closeread_analyzers.catalogue import CatalogueError, builtin, check_user, user_in_force
from closeread_analyzers.catalogue.models import WORDS
from closeread_analyzers.pipeline import Project
from flow.programs import Texts

HTTP = """
def client_text(name):
    return CACHE[name]

def clean(text):
    return text

def is_known(text):
    return text in TABLE()

def stop():
    leave()

def run(text):
    pass

class Page:
    def text(self):
        return 1

    @property
    def title(self):
        return 1
"""
APP = """
import os
from shop.http import Page, clean, client_text, is_known, run, stop

def direct():
    os.system(client_text("q"))  # line 6

def cleaned():
    os.system(clean(client_text("q")))  # line 9

def guarded():
    text = client_text("q")
    if is_known(text):
        os.system(text)  # line 14

def stopped():
    text = client_text("q")
    stop()
    os.system(text)  # line 19

def into():
    run(client_text("q"))  # line 22

def methods():
    os.system(Page().text())  # line 25
    os.system(Page().title)  # line 26
"""
SOURCE = """
[[source]]
call = "shop.http.client_text"
kind = "remote"
"""


def packed(toml: str, name: str = "closeread.toml") -> str:
    return check_user(Path(name), toml, tomllib.loads(toml))


def lines(toml: str, texts: dict[str, str] | None = None) -> list[int]:
    files = Texts(texts or {"src/shop/http.py": HTTP, "app.py": APP})
    result = Project(files, builtin().with_user(packed(toml))).analyze("app.py")
    assert not result.problems
    return sorted(f.location.start_line for f in result.findings if f.rule == "command-injection")


def test_nothing_is_known_of_the_workspace_by_itself() -> None:
    assert lines("") == []


def test_a_source() -> None:
    assert lines(SOURCE) == [6, 9, 14, 19]


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ('[[barrier]]\ncall = "shop.http.clean"\nclears = ["shell-command"]', [6, 14, 19]),
        ('[[step]]\ncall = "shop.http.clean"\nclears = ["html"]', [6, 9, 14, 19]),
        ('[[guard]]\ncall = "shop.http.is_known"\nsubject = "0"\nclears = ["@text"]', [6, 9, 19]),
        ('[[noreturn]]\ncall = "shop.http.stop"', [6, 9, 14]),
        ('[[sink]]\ncall = "shop.http.run"\nargument = ["0", "text"]\nkind = "shell-command"', [6, 9, 14, 19, 22]),
        ('[[source]]\ncall = "shop.http.Page.text"\nkind = "remote"', [6, 9, 14, 19, 25]),
        ('[[source]]\nattribute = "shop.http.Page.title"\nkind = "remote"', [6, 9, 14, 19, 26]),
        # A folder before the package may be written or left out; another module's function is another one.
        ('[[barrier]]\ncall = "http.clean"\nclears = ["shell-command"]', [6, 14, 19]),
        ('[[barrier]]\ncall = "other.clean"\nclears = ["shell-command"]', [6, 9, 14, 19]),
        ('[[barrier]]\ncall = "clean"\nclears = ["shell-command"]', [6, 9, 14, 19]),
    ],
)
def test_each_word_over_the_workspace(toml: str, expected: list[int]) -> None:
    assert lines(SOURCE + toml) == expected


def test_a_library_out_of_sight_and_its_types() -> None:
    text = "import os, acme\ndef f():\n    c = acme.connect()\n    os.system(c.receive())\n"
    told = (
        '[[type]]\ncall = "acme.connect"\nreturns = "acme.Link"\n'
        '[[source]]\ncall = "acme.Link.receive"\nkind = "remote"'
    )

    assert lines("", {"app.py": text}) == []
    assert lines(told, {"app.py": text}) == [4]


def test_a_handler_that_a_decorator_of_the_workspace_makes() -> None:
    texts = {
        "core/routing.py": "def route(path):\n    return lambda f: f\n",
        "app.py": 'import os\nfrom core.routing import route\n@route("/")\ndef page(name):\n    os.system(name)\n',
    }
    told = '[[handler]]\ndecorator = "core.routing.route"\nparameters = "remote"'

    assert lines("", texts) == []
    assert lines(told, texts) == [5]


def test_a_handler_by_base_class_of_the_workspace() -> None:
    texts = {
        "core/views.py": "class View:\n    pass\n",
        "app.py": "import os\nfrom core.views import View\n"
        "class A(View):\n    def show(self, name):\n        os.system(name)\n",
    }
    told = '[[handler]]\nbase = "core.views.View"\nmethods = ["show"]\nparameters = "remote"'

    assert lines("", texts) == []
    assert lines(told, texts) == [5]


def test_what_happens_inside_a_described_function_happens_too() -> None:
    texts = {
        "safe.py": "import os\ndef clean(text):\n    os.system(text)\n    return text\n",
        "app.py": "import os, flask\nimport safe\nos.system(safe.clean(flask.request.args['q']))\n",
    }
    told = '[[barrier]]\ncall = "safe.clean"\nclears = ["shell-command"]'

    assert lines(told, texts) == [3]  # in safe.py; nothing in app.py
    result = Project(Texts(texts), builtin().with_user(packed(told))).analyze("app.py")
    assert {f.location.path for f in result.findings} == {"safe.py"}


def test_a_description_of_one_function_does_not_claim_to_know_its_module() -> None:
    """`?.execute` is believed of receivers that nobody can place: a user's entry must not place them."""
    text = "import flask, shop\ndef f():\n    shop.cursor.execute('select ' + flask.request.args['q'])\n"

    def rules(toml: str) -> list[str]:
        files = Texts({"app.py": text})
        found = Project(files, builtin().with_user(packed(toml))).analyze("app.py").findings
        return [finding.rule for finding in found if finding.rule == "sql-injection"]

    assert rules("") == rules(SOURCE) == ["sql-injection"]


def test_a_language() -> None:
    for_javascript = SOURCE + 'language = "javascript"'

    assert lines(for_javascript) == []
    assert lines(SOURCE + 'language = "python"') == lines(SOURCE)
    catalogue = builtin().with_user(packed(SOURCE))
    assert all("shop.http.client_text" in catalogue.models(name).calls for name in ("python", "javascript"))


def test_the_built_in_catalogue_stays_as_it_is() -> None:
    catalogue = builtin().with_user(packed(SOURCE))

    assert "shop.http.client_text" not in builtin().models("python").calls
    assert builtin().with_user("") is builtin()
    assert set(builtin().models("python").entries) <= set(catalogue.models("python").entries)


def test_what_is_in_force() -> None:
    told = SOURCE + '[[barrier]]\ncall = "a.b"\nclears = ["@text"]\n[[noreturn]]\ncall = "a.c"\n'

    assert user_in_force("") == (0, 0, 0)
    assert user_in_force(packed(told)) == (3, 2, 0)
    assert user_in_force(packed(SOURCE + "inferred = true\n" + told)) == (3, 2, 1)


@pytest.mark.parametrize(
    ("toml", "line", "message"),
    [
        ("[[sorce]]\nkind = 3", 1, 'unknown word; did you mean "source"?'),
        ('[source]\ncall = "x.y"', 1, "must be written [[source]]"),
        ("\nsource = 3", 2, "must be written [[source]]"),
        ('[[source]]\ncall = "x.y"', 1, "`kind` is missing; add `kind = ...`"),
        ('[[source]]\nkind = "remot"\ncall = "x.y"', 2, 'did you mean "remote"?'),
        ('[[source]]\nkind = "remote"\ncal = "x.y"', 1, "needs one of `call`, `attribute`"),
        ('[[source]]\nkind = "remote"\ncall = "x.y"\n\nkin = "x"', 5, 'unknown word `kin`; did you mean "kind"?'),
        ('[[source]]\nkind = "remote"\ncall = "x.y"\nlanguage = "pyton"', 4, 'did you mean "python"?'),
        ('[[sink]]\nkind = "shell-command"\nnamed = "(a+)+"', 3, "might take for ever"),
        ('[[sink]]\nkind = "shell-command"\nnamed = "a?a?a?a?a?a?a?"', 3, "might take for ever"),
        ('[[sink]]\nkind = "shell-command"\nnamed = "("', 3, "is not a regular expression"),
        ('[[source]]\nkind = "remote"\ncall = "x.y"\ndescription = 1979-05-27', 4, "must be a string"),
    ],
)
def test_a_mistake_has_its_line_and_says_what_to_do(toml: str, line: int, message: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        packed(toml)

    assert (caught.value.line, str(caught.value.file)) == (line, "closeread.toml")
    assert message in caught.value.message


def test_headers_in_pyproject() -> None:
    toml = '[project]\nname = "x"\n\n[[tool.closeread.source]]\ncall = "a.b"\nkind = "nope"\n'
    words = tomllib.loads(toml)["tool"]["closeread"]

    with pytest.raises(CatalogueError, match=r"pyproject.toml:6: \[\[tool.closeread.source\]\]"):
        check_user(Path("pyproject.toml"), toml, words, "tool.closeread.")


def test_the_readmes_example() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    section = readme.split("\n## Teach it your code\n")[1].split("\n## ")[0]
    toml, code = (re.search(rf"```{name}\n(.*?)```", section, re.DOTALL) for name in ("toml", "python"))
    assert toml and code
    texts = {"shop/http.py": "def client_text(name):\n    return CACHE[name]\n", "app.py": code[1]}
    marked = [number for number, line in enumerate(code[1].split("\n"), 1) if line.endswith("# finding")]

    assert len(toml[1].splitlines()) == 3
    assert lines("", texts) == []
    assert lines(toml[1], texts) == marked == [4]
    assert all(f"`[[{word}]]`" in section for word in WORDS)
