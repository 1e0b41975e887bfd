"""JavaScript: what each construct becomes, and that no text can make the lowering fail."""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from closeread_analyzers import ir
from closeread_analyzers.languages.javascript import language
from closeread_analyzers.pipeline import Project


def lowered(source: str | bytes, previous: ir.Module | None = None) -> ir.Module:
    text = source.encode() if isinstance(source, str) else source
    return language.lower("a.js", text, language.parse(text), previous)


def shown(value: object) -> str:
    """An IR node as short text: class, fields in order, without positions and defaults."""
    if isinstance(value, ir.Constant):
        return repr(value.value)
    if isinstance(value, ir.Name):
        return value.id
    if isinstance(value, ir.Node):
        parts = []
        for field in dataclasses.fields(value):
            if field.name in ("start", "end", "digest", "is_unit"):
                continue
            item = getattr(value, field.name)
            if field.default is not dataclasses.MISSING:
                if item != field.default:
                    parts.append(f"{field.name}={shown(item)}")
            elif field.default_factory is not dataclasses.MISSING:
                if item:
                    parts.append(f"{field.name}={shown(item)}")
            else:
                parts.append(shown(item))
        return f"{type(value).__name__}({', '.join(parts)})"
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(shown, value))})"
    return repr(value)


def statements(source: str) -> str:
    return "; ".join(shown(unit.statement) for unit in lowered(source).units if "." not in unit.name)


def expression(source: str) -> str:
    (unit,) = lowered(f"(\n{source}\n)").units
    assert isinstance(unit.statement, ir.ExpressionStatement)
    return shown(unit.statement.value)


def nodes(root: ir.Node) -> Iterator[ir.Node]:
    """Every node under `root`, iteratively; a unit inside (its positions are its own) is not entered."""
    pending: list[Any] = [root]
    first = True
    while pending:
        value = pending.pop()
        if isinstance(value, (list, tuple)):
            pending.extend(value)
        elif isinstance(value, ir.Node):
            if isinstance(value, ir.Function) and value.is_unit and not first:
                continue
            if isinstance(value, ir.Function):
                first = False
            yield value
            pending.extend(getattr(value, field.name) for field in dataclasses.fields(value))


EXPRESSIONS = {
    "42": "42",
    "0x1F": "31",
    "0o17": "15",
    "0777": "511",
    "089": "89",
    "1_000n": "1000",
    "1.5e3": "1500",
    "0.5": "0.5",
    r"'a\x41\u{1F600}\u0042\n'": r"'aA😀B\n'",
    r"'\ud83d\ude00'": "'😀'",
    r"'\ud83d'": "'\ufffd'",
    "null": "None",
    "undefined": "None",
    "true": "True",
    "this": "this",
    "`a`": "'a'",
    "`a${b}c`": "Template(['a', b, 'c'])",
    "`${a, b}`": "Template([Subscript(Sequence('tuple', [a, b]), -1)])",
    "tag`x${y}z`": "Call(tag, [Argument(Sequence('list', ['x', 'z'])), Argument(y)])",
    "/a[/]b/gi": "Call(RegExp, [Argument('a[/]b'), Argument('gi')], new=True)",
    "a.b.c": "Attribute(Attribute(a, 'b'), 'c')",
    "a['b']": "Attribute(a, 'b')",
    "a['b-c']": "Subscript(a, 'b-c')",
    "a[0]": "Subscript(a, 0)",
    "a?.b?.[c]?.(d)": "Call(Subscript(Attribute(a, 'b'), c), [Argument(d)])",
    "this.#p": "Attribute(this, '#p')",
    "f(a, ...b)": "Call(f, [Argument(a), Argument(b, spread='*')])",
    "new A(b)": "Call(A, [Argument(b)], new=True)",
    "new A": "Call(A, [], new=True)",
    "new (f()).g(1)": "Call(Attribute(Call(f, []), 'g'), [Argument(1)], new=True)",
    "p.then(f).catch(g)": "Call(Attribute(Call(Attribute(p, 'then'), [Argument(f)]), 'catch'), [Argument(g)])",
    "a + b * c": "Binary('+', a, Binary('*', b, c))",
    "a >>> b": "Binary('>>>', a, b)",
    "a && b && c": "Boolean('and', [a, b, c])",
    "a || b && c": "Boolean('or', [a, Boolean('and', [b, c])])",
    "a ?? b": "Boolean('??', [a, b])",
    "a === b": "Comparison('===', a, b)",
    "a instanceof B": "Comparison('instanceof', a, B)",
    "'k' in o": "Comparison('in', 'k', o)",
    "!a": "Unary('not', a)",
    "typeof a": "Unary('typeof', a)",
    "delete a.b": "Unary('delete', Attribute(a, 'b'))",
    "void 0": "Unary('void', 0)",
    "a ? b : c": "Conditional(a, b, c)",
    "f(a = b)": "Call(f, [Argument(Bind(a, b))])",
    "f(a += b)": "Call(f, [Argument(Bind(a, Binary('+', a, b)))])",
    "f(a ??= b)": "Call(f, [Argument(Bind(a, Boolean('??', [a, b])))])",
    "f(i++)": "Call(f, [Argument(Bind(i, Binary('+', i, 1)))])",
    "[a, , ...b]": "Sequence('list', [a, None, Spread(b)])",
    "({a, 'b': c, 3: d, [e]: f, ...g})": "Mapping([('a', a), ('b', c), (3, d), (e, f), (None, g)])",
    "({m(a) { f(); }})": (
        "Mapping([('m', FunctionExpression(Function('m', [Parameter('a')], "
        "[ExpressionStatement(Call(f, []))], is_lambda=True)))])"
    ),
    "({get a() { return b; }})": (
        "Mapping([('a', Call(FunctionExpression(Function('a', [], [Return(b)], is_lambda=True)), []))])"
    ),
    "({set a(v) {}})": "Mapping([('set a', FunctionExpression(Function('a', [Parameter('v')], [], is_lambda=True)))])",
    "x => x": "FunctionExpression(Function('', [Parameter('x')], [Return(x)], is_lambda=True))",
    "async (x) => { await x; }": (
        "FunctionExpression(Function('', [Parameter('x')], [ExpressionStatement(Await(x))], "
        "is_async=True, is_lambda=True))"
    ),
    "function* g() { yield* a; yield; }": (
        "FunctionExpression(Function('g', [], [ExpressionStatement(Yield(a, delegate=True)), "
        "ExpressionStatement(Yield(None))], is_generator=True, is_lambda=True))"
    ),
    "({a, b: [c] = d}, e = 1, ...f) => {}": (
        "FunctionExpression(Function('', [Parameter('', pattern=Mapping([('a', a), "
        "('b', WithDefault(Sequence('list', [c]), d))])), Parameter('e', default=1), Parameter('f', kind='*')], "
        "[], is_lambda=True))"
    ),
    "(function () { f(); })()": (
        "Call(FunctionExpression(Function('', [], [ExpressionStatement(Call(f, []))], is_lambda=True)), [])"
    ),
    "class extends B {}": "ClassExpression(Class('', [Argument(B)], []))",
    "require('node:fs').promises": "Attribute(ImportExpression('fs'), 'promises')",
    "require(name)": "Call(require, [Argument(name)])",
    "import('x')": "ImportExpression('x')",
    "import(a + 'x')": "Call(import, [Argument(Binary('+', a, 'x'))])",
    "<p className='a' dangerouslySetInnerHTML={{__html: b}} {...c}>t{d}<br/></p>": (
        "Opaque('jsx', [Mapping([('className', 'a'), ('dangerouslySetInnerHTML', Mapping([('__html', b)])), "
        "(None, c)]), d, Opaque('jsx', [])])"
    ),
}

STATEMENTS = {
    "let a;": "Assign([a], None)",
    "const a = 1, b = 2;": "Assign([a], 1); Assign([b], 2)",
    "const f = () => 1;": "Assign([f], FunctionExpression(Function('f', [], [Return(1)], is_lambda=True)))",
    "a = b = c;": "Assign([a, b], c)",
    "a += b;": "AugmentedAssign('+', a, b)",
    "a ||= b;": "AugmentedAssign('or', a, b)",
    "a--;": "AugmentedAssign('-', a, 1)",
    "a = 1, f(a);": "Assign([a], 1); ExpressionStatement(Call(f, [Argument(a)]))",
    "const {a, b: c, d = 4, e: f = 5, [k]: g, ...h} = o;": (
        "Assign([Mapping([('a', a), ('b', c), ('d', WithDefault(d, 4)), ('e', WithDefault(f, 5)), (k, g), "
        "(None, h)])], o)"
    ),
    "[a, , b = 1, ...c] = d;": "Assign([Sequence('list', [a, <hole>, WithDefault(b, 1), Spread(c)])], d)",
    "({a: x.y} = o);": "Assign([Mapping([('a', Attribute(x, 'y'))])], o)",
    "const x = require('y');": "Import('y', 'x')",
    "const x = require('node:y').z;": "Import('y', 'x', member='z')",
    "const {exec, spawn: s} = require('child_process');": (
        "Import('child_process', 'exec', member='exec'); Import('child_process', 's', member='spawn')"
    ),
    "const {a = 1} = require('y');": "Assign([Mapping([('a', WithDefault(a, 1))])], ImportExpression('y'))",
    "var x = require('y')(z);": "Assign([x], Call(ImportExpression('y'), [Argument(z)]))",
    "import d, {a as b, default as e} from 'm';": (
        "Import('m', 'd', member='default'); Import('m', 'b', member='a'); Import('m', 'e', member='default')"
    ),
    "import * as ns from 'node:fs/promises';": "Import('fs/promises', 'ns')",
    "import 'x';": "ExpressionStatement(ImportExpression('x'))",
    "export {a as b, c};": "Export('b', a); Export('c', c)",
    "export {a as b} from 'm';": "Export('b', Attribute(ImportExpression('m'), 'a'))",
    "export * from 'm';": "Import('m', '*', member='*')",
    "export * as n from 'm';": "Export('n', ImportExpression('m'))",
    "export const {a, b: [c]} = d;": (
        "Assign([Mapping([('a', a), ('b', Sequence('list', [c]))])], d); Export('a', a); Export('c', c)"
    ),
    "export function f() {}": "FunctionDefinition(Function('f', [], [])); Export('f', f)",
    "export default function f() {}": "FunctionDefinition(Function('f', [], [])); Export('default', f)",
    "export default class A {}": "ClassDefinition(Class('A', [], [])); Export('default', A)",
    "export default a;": "Export('default', a)",
    "module.exports = {a, b};": "Export('*', Mapping([('a', a), ('b', b)]))",
    "exports.a = 1;": "Export('a', 1)",
    "module.exports.a = exports.b = c;": "Export('a', c); Export('b', c)",
    "const f = exports.g = h;": "Assign([f], h); Export('g', f)",
    "function f() { exports.a = 1; }": (
        "FunctionDefinition(Function('f', [], [Assign([Attribute(exports, 'a')], 1)]))"
    ),
    "if (a) b(); else if (c) d(); else { e(); }": (
        "If(a, [ExpressionStatement(Call(b, []))], [If(c, [ExpressionStatement(Call(d, []))], "
        "[ExpressionStatement(Call(e, []))])])"
    ),
    "for (let i = 0; i < 9; i++) f(i);": (
        "Assign([i], 0); While(Comparison('<', i, 9), [ExpressionStatement(Call(f, [Argument(i)])), "
        "AugmentedAssign('+', i, 1)], [])"
    ),
    "for (;;) break;": "While(True, [Break()], [])",
    "for (const k in o) f(k);": "For(k, o, [ExpressionStatement(Call(f, [Argument(k)]))], [], keys=True)",
    "for (const [a, b] of c) {}": "For(Sequence('list', [a, b]), c, [], [])",
    "for await (x of y) {}": "For(x, y, [], [], is_async=True)",
    "while (a) continue;": "While(a, [Continue()], [])",
    "do a(); while (b);": "While(b, [ExpressionStatement(Call(a, []))], [], post_test=True)",
    "x: for (;;) break x;": "While(True, [Break()], [])",
    "x: { break x; }": "While(False, [Break()], [], post_test=True)",
    "try { a(); } catch (e) { b(e); } finally { c(); }": (
        "Try([ExpressionStatement(Call(a, []))], [Handler([], 'e', [ExpressionStatement(Call(b, [Argument(e)]))])], "
        "[], [ExpressionStatement(Call(c, []))])"
    ),
    "try {} catch ({message}) {}": (
        "Try([], [Handler([], 'catch', [Assign([Mapping([('message', message)])], catch)])], [], [])"
    ),
    "try {} catch {}": "Try([], [Handler([], None, [])], [], [])",
    "throw a;": "Raise(a)",
    "with (a) b();": "ExpressionStatement(a); ExpressionStatement(Call(b, []))",
    "debugger;;": "",
    "switch (a) { case 1: case 2: f(); break; default: g(); }": (
        "Match(a, [Case(Pattern('or', children=[Pattern('value', value=1), Pattern('value', value=2)]), None, "
        "[ExpressionStatement(Call(f, []))]), Case(Pattern('capture'), None, [ExpressionStatement(Call(g, []))])])"
    ),
    "switch (a) { default: g(); break; case 1: f(); case 2: { h(); break; } }": (
        "Match(a, [Case(Pattern('value', value=1), None, [ExpressionStatement(Call(f, [])), "
        "ExpressionStatement(Call(h, []))]), Case(Pattern('value', value=2), None, "
        "[ExpressionStatement(Call(h, []))]), Case(Pattern('capture'), None, [ExpressionStatement(Call(g, []))])])"
    ),
    "switch (a) { case 1: if (b) break; f(); }": (
        "While(False, [Match(a, [Case(Pattern('value', value=1), None, [If(b, [Break()], []), "
        "ExpressionStatement(Call(f, []))])])], [], post_test=True)"
    ),
    "switch (a) { case 1: for (;;) break; }": (
        "Match(a, [Case(Pattern('value', value=1), None, [While(True, [Break()], [])])])"
    ),
    "class A extends B { constructor(x) { super(x); super.m(); } }": (
        "ClassDefinition(Class('A', [Argument(B)], [FunctionDefinition(Function('constructor', [Parameter('this'), "
        "Parameter('x')], [ExpressionStatement(Call(Attribute(Call(super, []), 'constructor'), [Argument(x)])), "
        "ExpressionStatement(Call(Attribute(Call(super, []), 'm'), []))]))]))"
    ),
    "class A { static n = 1; #p; static m() {} static { f(); } }": (
        "ClassDefinition(Class('A', [], [Assign([n], 1), Assign([#p], None), FunctionDefinition(Function('m', [], [], "
        "decorators=[staticmethod])), ExpressionStatement(Call(f, []))]))"
    ),
    "class A { get x() {} set x(v) {} }": (
        "ClassDefinition(Class('A', [], [FunctionDefinition(Function('x', [Parameter('this')], [], "
        "decorators=[property])), FunctionDefinition(Function('x', [Parameter('this'), Parameter('v')], [], "
        "decorators=[Attribute(x, 'setter')]))]))"
    ),
    "class A { [k] = 1; }": "ClassDefinition(Class('A', [], [Assign([Subscript(this, k)], 1)]))",
    "@d class A { @e m() {} }": (
        "ClassDefinition(Class('A', [], [FunctionDefinition(Function('m', [Parameter('this')], [], "
        "decorators=[e]))], decorators=[d]))"
    ),
    "f(); function f() {}": "FunctionDefinition(Function('f', [], [])); ExpressionStatement(Call(f, []))",
    "{ g(); function g() {} }": (
        "Block([FunctionDefinition(Function('g', [], [])), ExpressionStatement(Call(g, []))])"
    ),
}


@pytest.mark.parametrize("source", EXPRESSIONS)
def test_expression(source: str) -> None:
    actual = expression(source)

    assert EXPRESSIONS[source] == actual


@pytest.mark.parametrize("source", STATEMENTS)
def test_statement(source: str) -> None:
    actual = statements(source)

    assert STATEMENTS[source] == actual


# --- Units -----------------------------------------------------------------------------------------

SHOP = """const a = 1;
class Shop {
  find(name) { return name; }
  sell() {}
}
export function f() { return "é"; }
"""


def test_units_and_their_places() -> None:
    module = lowered(SHOP)
    units = {unit.name: SHOP.encode()[unit.start : unit.end].decode() for unit in module.units if unit.name}

    assert list(units) == ["f", "Shop", "Shop.find", "Shop.sell"]
    assert units["Shop.find"] == "find(name) { return name; }"
    assert units["f"] == 'export function f() { return "é"; }'


def test_positions_are_relative_to_the_unit() -> None:
    module = lowered("// a comment\n" + SHOP)
    find = next(unit for unit in module.units if unit.name == "Shop.find")
    assert isinstance(find.statement, ir.FunctionDefinition)
    (back,) = find.statement.function.body
    text = module.source[find.start :]

    assert text[back.start : back.end] == b"return name;"


def test_every_node_lies_in_its_unit() -> None:
    module = lowered("\n".join([*STATEMENTS, *(f"x = {source};" for source in EXPRESSIONS)]))

    assert not module.problems
    for unit in module.units:
        for node in nodes(unit.statement):
            assert 0 <= node.start <= node.end <= unit.end - unit.start, (unit.name, node)


def test_unchanged_units_are_taken_over() -> None:
    before = lowered(SHOP)
    after = lowered("let added;\n" + SHOP.replace("sell() {}", "sell() { pay(); }"), before)
    kept = {id(unit.statement) for unit in before.units} & {id(unit.statement) for unit in after.units}
    names = sorted(unit.name for unit in after.units if id(unit.statement) in kept)

    assert names == ["", "", "Shop.find", "f"]  # the constant, the method, the function and its export


def test_reuse_gives_what_lowering_anew_gives() -> None:
    edited = "g();\n" + SHOP + "function g() {}\n"

    anew = lowered(edited)
    again = lowered(edited, lowered(SHOP))

    assert [(u.name, u.start, u.end, u.digest, shown(u.statement)) for u in anew.units] == [
        (u.name, u.start, u.end, u.digest, shown(u.statement)) for u in again.units
    ]


def test_a_class_keeps_its_digest_when_a_method_changes() -> None:
    digests = [
        next(unit.digest for unit in lowered(text).units if unit.name == "Shop")
        for text in (SHOP, SHOP.replace("return name", "return 1"), SHOP.replace("sell()", "sell(x)"))
    ]

    assert digests[0] == digests[1] == digests[2]
    assert digests[0] != next(u.digest for u in lowered(SHOP.replace("Shop {", "Shop { x;")).units if u.name == "Shop")


# --- Hostile text ----------------------------------------------------------------------------------

_WORDS = sorted({word for source in [*STATEMENTS, *EXPRESSIONS] for word in source.split()})


@given(st.one_of(st.binary(), st.text().map(lambda s: s.encode("utf-8", "replace"))))
@example(b"\xff\x00'\\u{110000}'")
@example(b"import a from")
@example(b"class { [")
@example(b"`${")
@example(b"super")
@example(b"({a b c")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_bytes(source: bytes) -> None:
    module = lowered(source)

    assert module.source == source
    assert not [problem for problem in module.problems if "could not be analysed" in problem.message]


@given(st.lists(st.sampled_from(_WORDS), max_size=30).map(" ".join))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_words(source: str) -> None:
    module = lowered(source)

    assert not [problem for problem in module.problems if "could not be analysed" in problem.message]
    for unit in module.units:
        for node in nodes(unit.statement):
            assert 0 <= node.start <= node.end <= unit.end - unit.start


def test_broken_code_keeps_what_is_whole() -> None:
    module = lowered("function f() { return 1; }\nx = = 3;\nfunction g() {}")

    assert {"f", "g"} <= {unit.name for unit in module.units}
    assert any(problem.message.startswith("syntax error") for problem in module.problems)


_DEEP = 10_000


@pytest.mark.parametrize(
    ("opening", "middle", "closing"),
    [
        ("(", "x", ")"),
        ("[", "", "]"),
        ("f(", "", ")"),
        ("{", "", "}"),
        ("if(a)", ";", ""),
        ("a?b:", "c", ""),
        ("a=>", "b", ""),
        ("!", "a", ""),
        ("a=", "b", ""),
        ("function f(){", "", "}"),
        ("`${", "a", "}`"),
        ("<a>", "", "</a>"),
        ("switch(a){case 1:", "", "}"),
        ("class A{m(){", "", "}}"),
        ("new ", "A", ""),
        ("let [", "a", "] = b"),
        ("({a:", "b", "})"),
    ],
)
def test_deep_nesting(opening: str, middle: str, closing: str) -> None:
    module = lowered(opening * _DEEP + middle + closing * _DEEP)

    assert not [problem for problem in module.problems if "could not be analysed" in problem.message]


def test_deep_nesting_is_said_once() -> None:
    module = lowered("[" * _DEEP + "]" * _DEEP)

    assert [problem.message[:18] for problem in module.problems] == ["nested deeper than"]


@pytest.mark.parametrize(
    "source", ["a" + ".b(c)[d]" * _DEEP, "a" + "+a" * _DEEP, "if(a){}" + "else if(a){b()}" * _DEEP]
)
def test_long_chains_are_no_depth(source: str) -> None:
    module = lowered(source)

    assert not module.problems


def test_a_minified_megabyte() -> None:
    chosen = random.Random(1)
    body = "function f%d(a,b){var c=a.x[b]+1,d=[1,{e:3}];if(c>d.length&&b!==null)return g(c,`t${d}`);return a?b:c}"
    source = "!function(e){" + "".join(body % chosen.randrange(10**6) for _ in range(10_000)) + "}(window);"
    begun = time.process_time()
    module = lowered(source)
    spent = time.process_time() - begun

    assert not module.problems
    assert spent < 20, "far from linear"  # about 2.5 s on a quiet core, the parse included


# --- Files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("importer", "module", "expected"),
    [
        ("src/a.js", "./b.js", ["src/b.js", "src/b.js.js"]),
        ("src/a.js", "./b", ["src/b.js", "src/b.mjs", "src/b.cjs", "src/b.jsx", "src/b/index.js"]),
        ("src/a.js", "../b", ["b.js"]),
        ("src/a.js", ".", ["src/index.js"]),
        ("src/x/a.js", "..", ["src/index.js"]),
        ("a.js", ".", ["index.js"]),
        ("a.js", "./b/", ["b/index.js"]),
    ],
)
def test_relative_modules(importer: str, module: str, expected: list[str]) -> None:
    candidates = list(language.resolve(importer, module, 0))

    assert candidates[: len(expected)] == expected


@pytest.mark.parametrize("module", ["express", "@scope/x", "/etc/x", "../../x", "", "fs/promises"])
def test_libraries_and_the_outside_resolve_to_nothing(module: str) -> None:
    assert list(language.resolve("src/a.js", module, 0)) == []


def test_module_name() -> None:
    assert language.module_name("src/routes/user.mjs") == "src/routes/user"


# --- The library models, where a rule's page does not show it -----------------------------------------


class OneFile:
    """A project of one file, as the analysers see it."""

    def __init__(self, text: str) -> None:
        self.text = text.encode()

    def read(self, path: str) -> bytes | None:
        return self.text if path == "a.js" else None

    def exists(self, path: str) -> bool:
        return path == "a.js"


FLOWS = {
    "module.exports = (app, db) => {\n app.get('/', (req, res) => {\n  db.query('select ' + req.query.a);\n });\n};": {
        ("sql-injection", 3)
    },
    "exports.show = (req, res) => {\n eval(req.body.x);\n};": {("code-injection", 2)},
    "const r = require('express').Router();\nr.route('/').post((req, res) => {\n eval(req.body.x);\n});": {
        ("code-injection", 3)
    },
    "const f = require('fastify')();\nf.get('/', async (request) => {\n eval(request.query.a);\n});": {
        ("code-injection", 3)
    },
    "const K = require('koa');\nnew K().use((ctx) => {\n ctx.body = '<b>' + ctx.query.a;\n});": {
        ("cross-site-scripting", 3)
    },
    "document.write(location.hash.slice(1));": {("cross-site-scripting", 1)},
    "document.body.innerHTML = new URLSearchParams(location.search).get('q');": {("cross-site-scripting", 1)},
    "setTimeout('f(' + location.hash + ')', 10);": {("code-injection", 1)},
    "require('express')().get('/', (req, res) => {\n res.type('text/plain').send(req.query.a);\n});": set(),
    "require('express')().get('/', (req) => {\n const x = req.query.a;\n ['a'].includes(x) && eval(x);\n});": set(),
}


@pytest.mark.parametrize("source", FLOWS)
def test_flow(source: str) -> None:
    found = Project(OneFile(source)).analyze("a.js")
    actual = {(finding.rule, finding.location.start_line) for finding in found.findings}

    assert FLOWS[source] == actual
