"""JavaScript: its grammar, what its nodes become, how its imports find files.

What the lowering simplifies:

- `let`, `const` and `var` are assignments; blocks have no scope of their own. Functions are hoisted to the
  start of their block (and of the file), classes and imports are not.
- A method has a first parameter `this`, as in languages that write their receiver; a static one has none and
  carries the decorator `staticmethod`, a getter `property`, a setter `<name>.setter`. The constructor is
  called `constructor`, and `super(x)` is `super().constructor(x)`. Methods of object literals have no receiver.
- A getter of an object literal is the value that it returns when the object is made.
- `a["b"]` is `a.b`; `a?.b` is `a.b`.
- `require("x")` is an `ImportExpression`, and as the whole value of a declaration an `Import`; so is
  `import("x")`. `node:` is left out. `export * from "m"` is an `Import` of "*".
- `exports.a = v` outside functions is only an `Export`; inside a function it is an assignment.
- `a, b` is the last item of a tuple; as a statement it is two.
- `tag`...`` is a call of `tag` with the list of texts and the values. A regular expression is `new RegExp(...)`.
- `a += b` inside an expression is a `Bind` of `a + b`, and so is `a++` (whose value is then the new one).
- Labels are dropped: `break` and `continue` are the innermost loop's. A `switch` with a `break` inside an arm
  is in a loop of one turn. A `switch` arm falls through three more arms at most.
- A C-style `for` is a `While` with the update last, which `continue` then misses.
- `with (o)` brings no names. JSX is an `Opaque` of its attributes (a `Mapping`) and its content.

Deliberately absent: `new F()` of plain functions and prototypes as classes, TypeScript, Flow's annotations,
import maps, the packages of `node_modules` (they are libraries) and `package.json`.
"""

from __future__ import annotations

from collections.abc import Iterable
from posixpath import dirname, join, normpath

import tree_sitter

from ... import ir

_SUFFIXES = (".js", ".mjs", ".cjs", ".jsx")


class JavaScript:
    """The language object; see `Language`."""

    name = "javascript"
    suffixes = _SUFFIXES
    comment = "//"
    traits = frozenset({"loose-equality"})

    def parse(self, source: bytes, previous: tree_sitter.Tree | None = None) -> tree_sitter.Tree:
        """Parse UTF-8 `source`."""
        from ..lowering import parsed
        from .lowerer import GRAMMAR

        return parsed(GRAMMAR, source, previous)

    def lower(self, path: str, source: bytes, tree: tree_sitter.Tree, previous: ir.Module | None = None) -> ir.Module:
        """Lower a tree; never raises. The tables are read when the first file of the language comes: most projects have none."""
        from .complete import CompleteLowerer

        return CompleteLowerer(path, source, tree, previous).module()

    def resolve(self, importer: str, module: str, level: int) -> Iterable[str]:
        """`./x` is x, x.js..., x/index.js... beside the importer; a bare name is a library, and nothing here."""
        if not (module in (".", "..") or module.startswith(("./", "../"))):
            return []
        path = normpath(join(dirname(importer), module))
        if path.startswith(".."):
            return []
        if path == ".":
            return [f"index{suffix}" for suffix in _SUFFIXES]
        candidates = [path] if path.endswith(_SUFFIXES) else []
        if not module.endswith(("/", ".", "..")):
            candidates += [path + suffix for suffix in _SUFFIXES]
        return candidates + [f"{path}/index{suffix}" for suffix in _SUFFIXES]

    def module_name(self, path: str) -> str:
        """The path without its suffix, which is how importers write it."""
        for suffix in _SUFFIXES:
            if path.endswith(suffix):
                return path.removesuffix(suffix)
        return path


language = JavaScript()
