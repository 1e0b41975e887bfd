"""The neutral intermediate representation: what every language is lowered to.

A language module turns its syntax tree into these nodes; everything after it (the interpreter, the
rules, the reports) sees only them. The set is small on purpose: a construct with no node of its own
becomes an `Opaque`, through which data flows and in which nothing is reported.

Positions are byte offsets *relative to the enclosing unit's start* (see `Unit`), so that a function
whose text did not change keeps its very same nodes when lines are inserted above it.

Deliberately absent: types (an annotation is an ordinary expression), scopes (the interpreter finds
them), comments, and anything that names a language.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ConstantValue = str | bytes | int | float | complex | bool | None


@dataclass(slots=True, eq=False)
class Node:
    """Anything with a place: `start` and `end` are byte offsets from the unit's first byte."""

    start: int
    end: int


# --- Expressions -----------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class Expression(Node):
    """A node with a value."""


@dataclass(slots=True, eq=False)
class Constant(Expression):
    """A literal. `value` is the Python value it denotes; `...` and `undefined` are None."""

    value: ConstantValue


@dataclass(slots=True, eq=False)
class Name(Expression):
    """A variable, read or (as a target) written. `this` is the name of JavaScript-like receivers."""

    id: str


@dataclass(slots=True, eq=False)
class Attribute(Expression):
    """`value.name`."""

    value: Expression
    name: str


@dataclass(slots=True, eq=False)
class Subscript(Expression):
    """`value[key]`; a slice has a `Slice` as its key."""

    value: Expression
    key: Expression


@dataclass(slots=True, eq=False)
class Slice(Expression):
    """`lower:upper:step`, each possibly absent."""

    lower: Expression | None
    upper: Expression | None
    step: Expression | None


@dataclass(slots=True, eq=False)
class Argument(Node):
    """One argument of a call. `spread` is "" | "*" | "**"; `name` is set for keyword arguments."""

    value: Expression
    name: str | None = None
    spread: str = ""


@dataclass(slots=True, eq=False)
class Call(Expression):
    """`callee(arguments)`; `new` for an explicit construction (`new X()`)."""

    callee: Expression
    arguments: list[Argument]
    new: bool = False


@dataclass(slots=True, eq=False)
class Binary(Expression):
    """Arithmetic and bit operators: + - * / // % ** @ & | ^ << >> >>>."""

    operator: str
    left: Expression
    right: Expression


@dataclass(slots=True, eq=False)
class Unary(Expression):
    """`not`, `-`, `+`, `~`, `typeof`, `void`, `delete`."""

    operator: str
    operand: Expression


@dataclass(slots=True, eq=False)
class Boolean(Expression):
    """Short-circuit chain: operator is "and", "or" or "??"."""

    operator: str
    operands: list[Expression]


@dataclass(slots=True, eq=False)
class Comparison(Expression):
    """One comparison. A chain `a < b < c` is lowered to a `Boolean` "and" of two.

    Operators: == != === !== < <= > >= in "not in" is "is not" instanceof.
    """

    operator: str
    left: Expression
    right: Expression


@dataclass(slots=True, eq=False)
class Template(Expression):
    """Interpolated text (f-string, template literal): literal parts are string `Constant`s."""

    parts: list[Expression]


@dataclass(slots=True, eq=False)
class Sequence(Expression):
    """A list, tuple or set display; as a target, destructuring. Items may be `Spread`."""

    kind: Literal["list", "tuple", "set"]
    items: list[Expression]


@dataclass(slots=True, eq=False)
class Mapping(Expression):
    """A dict or object display; key None is a spread. As a target, object destructuring."""

    entries: list[tuple[Expression | None, Expression]]


@dataclass(slots=True, eq=False)
class Spread(Expression):
    """`*value` inside a display or a target."""

    value: Expression


@dataclass(slots=True, eq=False)
class WithDefault(Expression):
    """A destructuring target with a default: `{a = 1}`. Only ever a target."""

    target: Expression
    default: Expression


@dataclass(slots=True, eq=False)
class Conditional(Expression):
    """`then if test else otherwise`, `test ? then : otherwise`."""

    test: Expression
    then: Expression
    otherwise: Expression


@dataclass(slots=True, eq=False)
class Clause(Node):
    """One `for target in iterable if conditions` of a comprehension."""

    target: Expression
    iterable: Expression
    conditions: list[Expression]
    is_async: bool = False


@dataclass(slots=True, eq=False)
class Comprehension(Expression):
    """`key` is set for kind "dict" only."""

    kind: Literal["list", "set", "dict", "generator"]
    element: Expression
    key: Expression | None
    clauses: list[Clause]


@dataclass(slots=True, eq=False)
class FunctionExpression(Expression):
    """A lambda, arrow function or function expression."""

    function: Function


@dataclass(slots=True, eq=False)
class ClassExpression(Expression):
    """A class used as a value."""

    definition: Class


@dataclass(slots=True, eq=False)
class Bind(Expression):
    """An assignment used as an expression: walrus, `a = b` inside an expression."""

    target: Expression
    value: Expression


@dataclass(slots=True, eq=False)
class Await(Expression):
    """Waits for the value."""

    value: Expression


@dataclass(slots=True, eq=False)
class Yield(Expression):
    """`yield value`; `delegate` for `yield from` / `yield*`."""

    value: Expression | None
    delegate: bool = False


@dataclass(slots=True, eq=False)
class ImportExpression(Expression):
    """A module as a value: `require("x")`, `import("x")`, `importlib.import_module("x")`."""

    module: str


@dataclass(slots=True, eq=False)
class Opaque(Expression):
    """What the language's table does not know. Data of the children flows through it."""

    kind: str
    children: list[Expression]


# --- Statements ------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class Statement(Node):
    """A node that is executed."""


@dataclass(slots=True, eq=False)
class ExpressionStatement(Statement):
    """An expression for its effect."""

    value: Expression


@dataclass(slots=True, eq=False)
class Assign(Statement):
    """`t1 = t2 = value`; a bare declaration (`x: int`, `let x`) has value None."""

    targets: list[Expression]
    value: Expression | None
    annotation: Expression | None = None


@dataclass(slots=True, eq=False)
class AugmentedAssign(Statement):
    """`target operator= value`; the operator is written without its `=` ("and"/"or"/"??" too)."""

    operator: str
    target: Expression
    value: Expression


@dataclass(slots=True, eq=False)
class Return(Statement):
    """Leaves the function."""

    value: Expression | None


@dataclass(slots=True, eq=False)
class Raise(Statement):
    """`raise value from cause`, `throw value`; value None re-raises."""

    value: Expression | None
    cause: Expression | None = None


@dataclass(slots=True, eq=False)
class If(Statement):
    """`elif` and `else if` are an `If` alone in `orelse`."""

    test: Expression
    body: list[Statement]
    orelse: list[Statement]


@dataclass(slots=True, eq=False)
class While(Statement):
    """`post_test` for do-while. A C-style `for` is its init, then a While with the update last."""

    test: Expression
    body: list[Statement]
    orelse: list[Statement]
    post_test: bool = False


@dataclass(slots=True, eq=False)
class For(Statement):
    """`for target in iterable`; `keys` when the loop visits keys where plain iteration gives values."""

    target: Expression
    iterable: Expression
    body: list[Statement]
    orelse: list[Statement]
    is_async: bool = False
    keys: bool = False


@dataclass(slots=True, eq=False)
class Handler(Node):
    """One `except types as name`. No types: catches everything."""

    types: list[Expression]
    name: str | None
    body: list[Statement]


@dataclass(slots=True, eq=False)
class Try(Statement):
    """try / except / else / finally."""

    body: list[Statement]
    handlers: list[Handler]
    orelse: list[Statement]
    final: list[Statement]


@dataclass(slots=True, eq=False)
class WithItem(Node):
    """`context as target`."""

    context: Expression
    target: Expression | None


@dataclass(slots=True, eq=False)
class With(Statement):
    """Context managers around a body."""

    items: list[WithItem]
    body: list[Statement]
    is_async: bool = False


@dataclass(slots=True, eq=False)
class Pattern(Node):
    """What a case matches.

    kind      | value             | name      | children
    ----------|-------------------|-----------|---------------------------------------------
    value     | the expression    |           |
    capture   |                   | bound     | [sub-pattern] or []; no name and none: `_`
    sequence  |                   |           | items (a `star` among them at most once)
    star      |                   | bound/None|
    mapping   |                   | rest/None | values; `keys` holds their key expressions
    class     | the class         |           | positional, then keyword (`keys` holds Constants)
    or        |                   |           | alternatives
    """

    kind: Literal["value", "capture", "sequence", "star", "mapping", "class", "or"]
    value: Expression | None = None
    name: str | None = None
    children: list[Pattern] = field(default_factory=list)
    keys: list[Expression] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Case(Node):
    """One arm. A `switch` arm that falls through carries the following arms' statements too."""

    pattern: Pattern
    guard: Expression | None
    body: list[Statement]


@dataclass(slots=True, eq=False)
class Match(Statement):
    """`match` / `switch`. A `break` that ends a switch arm is dropped by the lowering."""

    subject: Expression
    cases: list[Case]


@dataclass(slots=True, eq=False)
class FunctionDefinition(Statement):
    """Binds `function.name`."""

    function: Function


@dataclass(slots=True, eq=False)
class ClassDefinition(Statement):
    """Binds `definition.name`."""

    definition: Class


@dataclass(slots=True, eq=False)
class Import(Statement):
    """One bound name of an import.

    `import a.b as c`      module "a.b", member None, bound "c"
    `import a.b`           module "a.b", member None, bound "a", root True
    `from ..m import x`    module "m", level 2, member "x", bound "x"
    `from m import *`      member "*", bound "*"
    `import d from "m"`    member "default"
    """

    module: str
    bound: str
    member: str | None = None
    level: int = 0
    root: bool = False


@dataclass(slots=True, eq=False)
class Export(Statement):
    """`export default v` (name "default"), `export {a as b}` (name "b"), `module.exports = v` (name "*").

    An exported declaration is the declaration, then an Export of its name.
    """

    name: str
    value: Expression


@dataclass(slots=True, eq=False)
class ScopeDeclaration(Statement):
    """`global a, b` / `nonlocal a`."""

    kind: Literal["global", "nonlocal"]
    names: list[str]


@dataclass(slots=True, eq=False)
class Delete(Statement):
    """`del targets`."""

    targets: list[Expression]


@dataclass(slots=True, eq=False)
class Assert(Statement):
    """`assert test, message`."""

    test: Expression
    message: Expression | None


@dataclass(slots=True, eq=False)
class Break(Statement):
    """Leaves the loop."""


@dataclass(slots=True, eq=False)
class Continue(Statement):
    """Next turn of the loop."""


@dataclass(slots=True, eq=False)
class Pass(Statement):
    """Does nothing, and says so (`pass`, a bare `...`, an empty block's `;`)."""


@dataclass(slots=True, eq=False)
class Block(Statement):
    """Several statements where the source has one (a labelled statement, a desugared loop)."""

    body: list[Statement]


# --- Definitions -----------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class Parameter(Node):
    """kind: "positional" (by place or name), "only-positional", "only-keyword", "*" or "**".

    `pattern` is the target for a destructured parameter (the name is then "").
    """

    name: str
    kind: str = "positional"
    default: Expression | None = None
    annotation: Expression | None = None
    pattern: Expression | None = None


@dataclass(slots=True, eq=False)
class Function(Node):
    """A function, method, lambda or arrow.

    An expression body is a single `Return`. `is_unit` says that positions inside are relative to
    this function's own start (module-level functions and methods); a nested function shares the
    enclosing unit's base.
    """

    name: str
    parameters: list[Parameter]
    body: list[Statement]
    decorators: list[Expression] = field(default_factory=list)
    returns: Expression | None = None
    is_async: bool = False
    is_generator: bool = False
    is_lambda: bool = False
    is_unit: bool = False
    digest: bytes = b""


@dataclass(slots=True, eq=False)
class Class(Node):
    """A class. Its methods are `FunctionDefinition`s in `body`, each a unit of its own."""

    name: str
    bases: list[Argument]
    body: list[Statement]
    decorators: list[Expression] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Unit(Node):
    """The piece that is lowered, analysed and remembered by its content.

    Every module-level statement is a unit; so is every method of a module-level class (and of a
    class nested in one), under its qualified name. `start`/`end` are absolute byte offsets in the
    file; all positions below `statement` are relative to `start`.

    A class's unit has the class's skeleton: its body's method definitions hold the *same* `Function`
    objects as the methods' own units, whose positions are relative to those units.
    `name` is the qualified name of a definition ("f", "C", "C.m"; a second "f" is "f#2"), and ""
    for other statements. `digest` is that of the unit's source text (for a class: with its methods' text cut out).
    """

    name: str
    statement: Statement
    digest: bytes


@dataclass(slots=True, eq=False)
class SyntaxProblem:
    """A part of the file that could not be parsed or was not lowered. Offsets are absolute bytes."""

    start: int
    end: int
    message: str


@dataclass(slots=True, eq=False)
class Module:
    """A file, lowered. `source` is the exact text analysed, UTF-8."""

    path: str
    source: bytes
    units: list[Unit]
    problems: list[SyntaxProblem]
