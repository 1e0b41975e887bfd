"""Templates: what each piece becomes, and that no text can make the lowering fail."""

from __future__ import annotations

import re
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from closeread_analyzers import ir
from closeread_analyzers.languages import TEMPLATE, language_of
from closeread_analyzers.languages.jinja import language
from closeread_analyzers.languages.jinja.scanner import pieces
from closeread_analyzers.suppression import Lines, ignores
from closeread_analyzers.tree import walk


def lowered(text: str | bytes) -> ir.Module:
    source = text.encode() if isinstance(text, str) else text
    return language.lower("templates/a.html", source, language.parse(source))


def function(module: ir.Module, name: str = TEMPLATE) -> ir.Function:
    (found,) = [unit.statement for unit in module.units if unit.name == name]
    assert isinstance(found, ir.FunctionDefinition)
    return found.function


def written(text: str) -> list[tuple[str, str]]:
    """How each output is written, and its text in the source."""
    module = lowered(text)
    return [
        (node.callee.id.rpartition(".")[2], module.source[node.start : node.end].decode())
        for node in walk(*function(module).body)
        if isinstance(node, ir.Call) and isinstance(node.callee, ir.Name) and node.callee.id.startswith("template.")
    ]


def bare(text: str) -> list[bool]:
    return [piece.bare for piece in pieces(text) if piece.kind == "output"]


def test_files_by_suffix() -> None:
    assert all(
        language_of(f"a{suffix}") is language for suffix in (".html", ".HTM", ".jinja", ".jinja2", ".j2", ".djhtml")
    )


def test_outputs_are_escaped_unless_they_say_so() -> None:
    assert written("é {{ a }}{{ b|safe }}") == [("output", "{{ a }}"), ("output_unescaped", "{{ b|safe }}")]
    assert written("{{ a|upper|safe if b else c }}") == [
        ("output_unescaped", "{{ a|upper|safe if b else c }}"),
        ("output", "{{ a|upper|safe if b else c }}"),
    ]


def test_autoescape_off() -> None:
    for off in ("off", "false", "None"):
        text = f"{{% autoescape {off} %}}{{{{ a }}}}{{% endautoescape %}}{{{{ b }}}}"
        assert [kind for kind, _ in written(text)] == ["output_unescaped", "output"]


def test_raw_text_is_no_piece() -> None:
    assert written("{% raw %}{{ a }}{% endraw %}{% verbatim %}{{ b }}{% endverbatim %}{# {{ c }} #}") == []
    assert written("{% comment %}{{ d }}{% endcomment %}{{ e }}") == [("output", "{{ e }}")]
    assert written("{% raw a %}{{ b }}") == [("output_unescaped", "{% raw a %}"), ("output", "{{ b }}")]


def test_where_escaping_does_not_help() -> None:
    assert bare("<p title={{ a }} class='{{ b }}' id=x>{{ c }}</p>") == [True, False, False]
    assert bare("""<b onclick="f('{{ a }}')" data-on="{{ b }}">""") == [True, False]
    assert bare("<script>var a = {{ a }}, b = '{{ b }}';\n// {{ c }}\nf({{ d }})</script>{{ e }}") == [
        True, False, False, True, False,
    ]  # fmt: skip
    assert bare("<script type='application/json'>[{{ a }}]</script><!-- <p a={{ b }} -->{{ c }}") == [False] * 3
    assert bare("<p {% if a > b %}x{% endif %} title={{ c }}>") == [True]


def test_filters_are_calls() -> None:
    module = lowered('{{ a.b.0|default:"x"|f(1, k=c) }}')
    (call,) = [n for n in walk(*function(module).body) if isinstance(n, ir.Call) and len(n.arguments) == 3]

    assert isinstance(call.callee, ir.Name)
    assert call.callee.id == "filter.f"
    assert [argument.name for argument in call.arguments] == [None, None, "k"]
    assert module.source[call.start : call.end] == b'a.b.0|default:"x"|f(1, k=c)'


def test_precedence() -> None:
    (output,) = function(lowered("{{ not a + b|f == c and d is not none or 'x' ~ e in g }}")).body
    assert isinstance(output, ir.ExpressionStatement)
    assert isinstance(output.value, ir.Call)
    either = output.value.arguments[0].value

    assert isinstance(either, ir.Boolean)
    assert either.operator == "or"
    both, contained = either.operands
    assert isinstance(both, ir.Boolean)
    negated, test = both.operands
    assert isinstance(negated, ir.Unary)
    assert isinstance(negated.operand, ir.Comparison)
    assert isinstance(negated.operand.left, ir.Binary)
    assert isinstance(negated.operand.left.right, ir.Call)
    assert isinstance(test, ir.Comparison)
    assert test.operator == "is not"
    assert isinstance(contained, ir.Comparison)
    assert isinstance(contained.left, ir.Template)


def test_statements() -> None:
    text = "{% for a, b in c.items if a %}{{ a }}{% else %}{{ d }}{% endfor %}{% if e %}{% elif f %}{{ g }}{% endif %}"
    loop, branch = function(lowered(text)).body[2:]  # `a` and `b` start as the context's

    assert isinstance(loop, ir.For)
    assert isinstance(loop.target, ir.Sequence)
    assert isinstance(loop.body[0], ir.If)
    assert len(loop.orelse) == 1
    assert isinstance(branch, ir.If)
    assert isinstance(branch.orelse[0], ir.If)


def test_macros_and_imports_are_the_modules() -> None:
    text = '\n{% macro field(name, kind="x") %}{{ name|safe }}{% endmacro %}{% from "forms.html" import a as b, c %}'
    module = lowered(text)
    macro = function(module, "field")
    bound = [(n.module, n.member, n.bound) for unit in module.units if isinstance(n := unit.statement, ir.Import)]

    assert [parameter.name for parameter in macro.parameters] == ["name", "kind"]
    assert bound == [("forms.html", "a", "b"), ("forms.html", "c", "c")]


def test_names_of_templates() -> None:
    found = list(language.resolve("app/templates/shop/page.html", "base.html", 0))

    assert found[0] == "app/templates/base.html"
    assert "templates/base.html" in found
    assert "app/templates/shop/base.html" in found
    assert list(language.resolve("a/b.html", "../../etc/passwd", 0)) == []


def test_ignore_comments() -> None:
    source = (
        b"{# closeread: ignore[x] known #}\n{{ a }}\n{{ b }} <!-- closeread: ignore[y] seen -->\n'closeread: ignore[z]'"
    )
    lines = Lines(source, [0, *(found.end() for found in re.finditer(b"\n", source))])
    found = list(ignores("a.html", lines, language))

    assert [(one.target, set(one.rules), one.reason) for one in found] == [(2, {"x"}, "known"), (3, {"y"}, "seen")]


def test_plain_markup_costs_nothing() -> None:
    source = b"<p class='a'>hello</p>\n" * 45_000
    start = time.process_time()
    module = language.lower("a.html", source, language.parse(source))

    assert time.process_time() - start < 0.05
    assert module.units == []


def test_deep_and_long() -> None:
    for text in (
        "{% if a %}" * 5_000 + "{{ a }}",
        "{% for a in a %}" * 2_000,
        "{{ " + "(" * 1_500 + " }}",
        "{{ a" + "|f" * 1_500 + " }}",
        "{{ " + "not " * 900 + "a }}",
        "{{ a " * 20_000,
        "<a b=" + "x" * 100_000 + "{{ a }}",
        "{% macro m(a) %}" * 2_000,
    ):
        assert len(lowered(text).problems) <= 1
    deep = lowered("{% if a %}" * 100 + "{{ a|safe }}")
    assert len(deep.problems) == 1
    assert any(isinstance(n, ir.Call) for n in walk(*function(deep).body))


_PIECES = st.sampled_from(
    ["{{", "}}", "{%", "%}", "{#", "#}", "{% if a %}", "{% else %}", "{% elif b %}", "{% endif %}",
     "{% for a, b in c %}",      "{% endfor %}", "{% set x = y|f(1) %}", "{% set z %}",
     "{% macro m(a, b=1) %}",
     "{% endmacro %}", "{% include 'x' %}",      "{% import 'x' as m %}", "{{ a.b.0|safe }}",
     "{{ (a, b)[1:2] ~ {'k': v} }}", "{% autoescape off %}", "{% raw %}",
     "{% end %}", "{% call(x) m() %}", "{% with a=b c as d %}", "<script>", "<a b=", '"', "'", ">", "<!--", "not in",
     "is not", "|", "(", ")", "[", "é", "\0", "{%- if", "{% from 'x' import", "{% firstof a b %}", ".", ":", "=", "-"]
)  # fmt: skip


@given(st.one_of(st.binary(), st.lists(_PIECES, max_size=40).map("".join).map(str.encode)))
@settings(deadline=None)
def test_any_bytes(source: bytes) -> None:
    tree = language.parse(source)
    module = language.lower("a.html", source, tree)

    assert tree.root_node.descendant_for_byte_range(0, 0) is not None
    for unit in module.units:
        assert 0 <= unit.start <= unit.end <= len(source)
        for node in walk(unit.statement):
            assert 0 <= node.start <= unit.end - unit.start
            assert node.end <= unit.end - unit.start
