"""The walk that serves the checks, and what a check is told about the place it stands at."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from closeread_analyzers import ir
from closeread_analyzers.catalogue import Rule, builtin
from closeread_analyzers.check import UNKNOWN, Context, Report, run_checks
from closeread_analyzers.finding import Confidence, Severity
from closeread_analyzers.languages import language_of
from closeread_analyzers.regex import is_exponential
from closeread_analyzers.tree import CHILDREN, children, same, walk
from closeread_analyzers.words import likeness, promise


def rule(check: Callable[..., Iterable[Report]], *visits: type[ir.Node], needs: Iterable[str] = ()) -> Rule:
    return Rule(
        id=getattr(check, "__name__", "check").replace("_", "-"),
        topic="remarks",
        title="A check of the tests",
        prose="",
        cwe=None,
        severity=Severity.LOW,
        kind="remark",
        confidence=Confidence.HIGH,
        message="",
        fix="",
        document=Path("check.md"),
        needs=frozenset(needs),
        check=check,  # type: ignore[arg-type]
        visits=visits,
    )


def lowered(text: str, path: str = "example.py") -> ir.Module:
    language = language_of(path)
    assert language is not None
    source = text.encode()
    return language.lower(path, source, language.parse(source))


def ran(text: str, *rules: Rule, path: str = "example.py", crashes: dict[str, str] | None = None) -> list[str]:
    """The source of every reported node, by unit in order."""
    module = lowered(text, path)
    language = language_of(path)
    assert language is not None
    found = []
    for unit in module.units:
        for _, report in run_checks(unit, module, language, rules, crashes):
            start = unit.start + report.node.start
            found.append(module.source[start : unit.start + report.node.end].decode())
    return found


def paths(text: str, path: str = "example.py") -> list[str | None]:
    """The access path of every callee, in the order of the walk."""
    seen: list[str | None] = []

    def remember(node: ir.Call, context: Context) -> Iterable[Report]:
        seen.append(context.path(node.callee))
        return ()

    ran(text, rule(remember, ir.Call), path=path)
    return seen


def each(node: ir.Node, context: Context) -> Iterator[Report]:
    yield Report(node)


class TestWalk:
    def test_only_the_classes_asked_for(self) -> None:
        found = ran("def f(a):\n    g(a)\n    return [a, h(1)]\n", rule(each, ir.Call))

        assert found == ["g(a)", "h(1)"]

    def test_methods_are_visited_once_and_in_their_own_unit(self) -> None:
        text = "class C:\n  x = f()\n  def m(self):\n    g()\n  class D:\n    def n(self):\n      h()\n"

        found = ran(text, rule(each, ir.Call))

        assert sorted(found) == ["f()", "g()", "h()"]

    def test_nested_functions_are_part_of_their_unit(self) -> None:
        found = ran("def f():\n    def g():\n        return h()\n    return lambda: i()\n", rule(each, ir.Call))

        assert found == ["h()", "i()"]

    def test_parents_are_innermost_last(self) -> None:
        seen: list[list[str]] = []

        def remember(node: ir.Constant, context: Context) -> Iterable[Report]:
            seen.append([type(parent).__name__ for parent in context.parents])
            return ()

        ran("def f():\n    if x:\n        g(1)\n    return 2\n", rule(remember, ir.Constant))

        assert seen == [
            ["FunctionDefinition", "Function", "If", "ExpressionStatement", "Call", "Argument"],
            ["FunctionDefinition", "Function", "Return"],
        ]

    def test_a_rule_whose_traits_the_language_lacks_is_not_asked(self) -> None:
        needy = rule(each, ir.Call, needs=["coroutine-calls"])

        assert ran("f()\n", needy) == ["f()"]
        assert ran("f();\n", needy, path="example.js") == []

    def test_a_long_chain_does_not_hit_the_recursion_limit(self) -> None:
        text = "x = " + " + ".join(["a"] * 5_000) + "\ny = a" + ".b()" * 3_000 + "\n"

        found = ran(text, rule(each, ir.Name))

        assert found.count("a") == 5_001

    def test_every_node_with_nodes_in_it_has_children(self) -> None:
        """A field that the table forgot would be invisible to all checks."""
        text = (
            "@d\nasync def f(a: int = 1, *b, **c) -> r:\n"
            "    async with o(1) as g, h: await k\n"
            "    for i, *j in l[1:2:3]: continue\n"
            "    else: del m.n\n"
            "    while not p: break\n"
            "    try: yield q\n"
            "    except (S, T) as e: raise u from v\n"
            "    else: pass\n"
            "    finally: global w\n"
            "    match x:\n"
            "        case [1, A(y=B.c), {'k': z, **zz}] | _ if aa: assert bb, cc\n"
            "    return {**dd, ee: {ff for gg in hh if ii}} if (jj := kk) and f'{ll}' < mm else lambda nn=oo: pp\n"
            "class Q(R, metaclass=S): t: u = v; t += w\n"
        )
        named = {node.id for unit in lowered(text).units for node in walk(unit.statement) if isinstance(node, ir.Name)}

        names = "d int r o g h k i j l m p q S T u v x B aa bb cc dd ee ff gg hh ii jj kk ll mm oo pp R t w"
        assert set(names.split()) - named == set()

    def test_the_table_names_only_classes_with_child_nodes(self) -> None:
        assert set(CHILDREN) <= {kind for kind in vars(ir).values() if isinstance(kind, type)}
        assert children(ir.Pass(0, 0)) == ()


class TestCalls:
    def test_a_check_with_calls_sees_those_only(self) -> None:
        dropped = builtin().rules["dropped-task"]

        assert ran("import asyncio as a\na.create_task(x)\na.run(x)\n", dropped) == ["a.create_task(x)"]

    def test_a_renaming_import_is_undone(self) -> None:
        dropped = builtin().rules["dropped-task"]

        assert ran("from asyncio import create_task as spawn\nspawn(x)\n", dropped) == ["spawn(x)"]


class TestCrash:
    def test_a_check_that_raises_loses_only_itself_and_says_so_once(self) -> None:
        asked = []

        def broken(node: ir.Call, context: Context) -> Iterator[Report]:
            asked.append(node)
            raise ZeroDivisionError("by zero")
            yield

        crashes: dict[str, str] = {}
        found = ran("f()\ng()\nh()\n", rule(broken, ir.Call), rule(each, ir.Call), crashes=crashes)

        assert found == ["f()", "g()", "h()"]
        assert crashes == {"broken": "ZeroDivisionError: by zero"}
        assert len(asked) == 1

    def test_the_next_file_has_the_check_again(self) -> None:
        def broken(node: ir.Call, context: Context) -> Iterable[Report]:
            raise ValueError

        for _ in range(2):
            crashes: dict[str, str] = {}
            ran("f()\n", rule(broken, ir.Call), crashes=crashes)
            assert list(crashes) == ["broken"]


class TestPath:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("import os.path\nos.path.join()\n", "os.path.join"),
            ("import numpy as np\nnp.array()\n", "numpy.array"),
            ("from a.b import c as d\nd.e()\n", "a.b.c.e"),
            ("from ..m import x\nx()\n", "..m.x"),
            ("open()\n", "open"),
            ("open = 1\nopen()\n", None),
            ("def f(open):\n    open()\n", None),
            ("def f():\n    import time as t\n    t.sleep()\n", "time.sleep"),
            ("import time\ndef f(time):\n    time.sleep()\n", None),
            ("import time\ndef f():\n    global time\n    time = 1\n    time.sleep()\n", "time.sleep"),
            ("import a\n[a() for a in b]\n", None),
            ("import a\nx = a.config['KEY'].get()\n", "a.config[KEY].get"),
            ("(lambda: 1)()\n", None),
        ],
    )
    def test_by_the_imports(self, text: str, expected: str | None) -> None:
        assert paths(text)[0] == expected

    def test_an_instance_has_the_path_of_its_class(self) -> None:
        assert paths("import a\na.Thing(1).run()\n") == ["a.Thing.run", "a.Thing"]
        assert paths("import a\na.make(1).run()\n") == ["a.make().run", "a.make"]

    def test_required_modules(self) -> None:
        text = (
            "const fs = require('fs');\nconst { exec: run } = require('child_process');\nfs.readFileSync(p);\nrun(c);\n"
        )

        assert paths(text, "example.js") == ["fs.readFileSync", "child_process.exec"]


class TestConstant:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("'a' + 'b' + 'c'", "abc"),
            ("f'a{\"b\"}c'", "abc"),
            ("-5", -5),
            ("0o700 | 0o022", 0o722),
            ("None", None),
            ("a", UNKNOWN),
            ("'a' + b", UNKNOWN),
            ("'a' * 1000000", UNKNOWN),
            ("1 / 0", UNKNOWN),
        ],
    )
    def test_plain_folding(self, text: str, expected: object) -> None:
        seen: list[object] = []

        def remember(node: ir.Assign, context: Context) -> Iterable[Report]:
            seen.append(context.constant(node.value))
            return ()

        ran(f"x = {text}\n", rule(remember, ir.Assign))

        assert seen == [expected]

    def test_a_sum_of_thousands_of_texts(self) -> None:
        seen: list[object] = []

        def remember(node: ir.Assign, context: Context) -> Iterable[Report]:
            seen.append(context.constant(node.value))
            return ()

        ran("x = " + " + ".join(["'a'"] * 3_000) + "\n", rule(remember, ir.Assign))

        assert seen == ["a" * 3_000]


class TestPlace:
    def test_function_class_and_text(self) -> None:
        seen: list[tuple[str, str, str]] = []

        def remember(node: ir.Call, context: Context) -> Iterable[Report]:
            function, owner = context.function, context.class_
            seen.append((context.text(node), function.name if function else "", owner.name if owner else ""))
            return ()

        ran("é = 'é'\nclass C:\n    y = a('é')\n    def m(self):\n        b('é')\n", rule(remember, ir.Call))

        assert sorted(seen) == [("a('é')", "", "C"), ("b('é')", "m", "C")]

    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("tests/a.py", True),
            ("a/test_b.py", True),
            ("b.test.py", True),
            ("latest.py", False),
            ("contest/a.py", False),
        ],
    )
    def test_files_of_tests(self, path: str, expected: bool) -> None:
        seen: list[bool] = []

        def remember(node: ir.Call, context: Context) -> Iterable[Report]:
            seen.append(context.is_test)
            return ()

        ran("f()\n", rule(remember, ir.Call), path=path)

        assert seen == [expected]


def test_same_looks_at_everything_but_the_place() -> None:
    first, second, third = (unit.statement for unit in lowered("f(a, b=1)\n\nf(a,   b=1)\nf(a, b=2)\n").units)

    assert same(first, second)
    assert not same(first, third)


@pytest.mark.parametrize(
    "pattern", [r"(a+)+$", r"^(a|a)*$", r"^(\w+\s?)*$", r"^(a|aa)+$", r"(.*)*x", r"^(([a-z])+.)+[A-Z]$"]
)
def test_exponential_patterns(pattern: str) -> None:
    assert is_exponential(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"^\w+(\s\w+)*$",
        r"(a+)+",  # nothing after it can fail
        r'"(?:[^"\\]|\\.)*"',
        r"^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}\d+$",
        r"(?P<x>[^/]+)/(?:\d{1,3},)*",
        r"(unclosed",
        "(" * 500 + "a" + ")*" * 500,
        "a?" * 500,
        "(" * 40 + "^" + "){3}" * 40,
    ],
)
def test_patterns_that_are_said_to_be_harmless(pattern: str) -> None:
    assert not is_exponential(pattern)


def test_a_pattern_that_must_match_the_whole_text_can_fail_at_its_end() -> None:
    assert is_exponential(r"(a+)+", anchored=True)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("password", "password"),
        ("dbPassword", "password"),
        ("SECRET_KEY_HMAC_2", "key"),
        ("apiKey", "key"),
        ("access_token", "token"),
        ("token", ""),
        ("password_field", ""),
        ("TOKEN_URL", ""),
        ("no_password", ""),
        ("monkey", ""),
    ],
)
def test_names_that_promise_a_secret(name: str, expected: str) -> None:
    assert promise(name) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tr0ub4dor&3", "strong"),
        ("8f14e45fceea167a5a36dedd4bea2543", "strong"),
        ("admin", "weak"),
        ("55555", "weak"),
        ("changeme", "no"),
        ("<token>", "no"),
        ("${PASSWORD}", "no"),
        ("{password}", "no"),
        ("%s", "no"),
        ("DB_PASSWORD_1", "no"),
        ("app.settings.key1", "no"),
        ("/run/secrets/key1", "no"),
        ("https://example.org/1", "no"),
        ("Enter your password 1", "no"),
        ("xxxxxxxxxxxx", "no"),
        ("user-password", "no"),
    ],
)
def test_texts_that_look_like_a_secret(text: str, expected: str) -> None:
    assert likeness(text) == expected


def test_the_checks_own_patterns_are_harmless() -> None:
    """The texts they are matched against are the workspace's, and may be hostile."""
    checks = builtin().checks  # which imports their modules
    patterns = {
        pattern.pattern
        for name, module in sys.modules.items()
        if name.startswith("closeread_analyzers.")
        for value in vars(module).values()
        for pattern in (value if isinstance(value, tuple | list) else (value,))
        if isinstance(pattern, re.Pattern) and isinstance(pattern.pattern, str)
    }

    assert len(checks) > 0
    assert len(patterns) > 20
    assert [pattern for pattern in patterns if is_exponential(pattern)] == []
