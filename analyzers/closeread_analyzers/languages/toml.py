"""TOML: project files and settings. A table is an assignment of a `Mapping` to its name.

Deliberately absent: what several tables of one name (`[[a]]`) make together; each stands for itself.
"""

from __future__ import annotations

from functools import cache

import tomli
import tree_sitter
import tree_sitter_toml

from .. import ir
from .config import ConfigLanguage, Reading
from .config.document import MAX_DEPTH, TOO_DEEP, Entries, plain, sequence, valued


@cache
def _grammar() -> tree_sitter.Language:
    return tree_sitter.Language(tree_sitter_toml.language())


class Toml(ConfigLanguage):
    """The language object."""

    name = "toml"
    suffixes = (".toml",)

    def reads(self, name: str) -> bool:
        """Not this program's own settings, which are read where settings are."""
        return super().reads(name) and name != "closeread.toml"

    def read(self, path: str, source: bytes) -> Reading:
        """The statements of a text."""
        return _Reader(source).read()


_KEYS = frozenset({"bare_key", "quoted_key", "dotted_key"})


class _Reader:
    """One text on its way to statements."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.problems: list[ir.SyntaxProblem] = []

    def read(self) -> Reading:
        root = tree_sitter.Parser(_grammar()).parse(self.source).root_node
        statements: list[ir.Statement] = []
        for node in root.named_children:
            if node.type == "pair":
                key, value = self.pair(node, 0)
                if key is not None and value is not None:
                    target = self.target(key)
                    statements.append(ir.Assign(node.start_byte, max(value.end, target.end), [target], value))
            elif node.type in ("table", "table_array_element"):
                statements += self.table(node)
        if root.has_error:
            start = next((child.start_byte for child in root.children if child.has_error), 0)
            self.problems.append(ir.SyntaxProblem(start, start, "not TOML here; this part was not analysed"))
        return Reading(statements, self.problems)

    def table(self, node: tree_sitter.Node) -> list[ir.Statement]:
        entries: Entries = []
        name: tree_sitter.Node | None = None
        for child in node.named_children:
            if child.type in _KEYS and name is None:
                name = child
            elif child.type == "pair":
                key, value = self.pair(child, 1)
                if key is not None and value is not None:
                    entries.append((self.key(key), value))
        if name is None:
            return []
        end = entries[-1][1].end if entries else name.end_byte
        mapping = ir.Mapping(node.start_byte, end, entries)
        return [ir.Assign(node.start_byte, end, [self.target(name)], mapping)]

    def pair(self, node: tree_sitter.Node, depth: int) -> tuple[tree_sitter.Node | None, ir.Expression | None]:
        parts = [child for child in node.named_children if child.type not in ("comment", "ERROR")]
        if len(parts) != 2 or parts[0].type not in _KEYS:
            return None, None
        return parts[0], valued(self.key(parts[0]), self.value(parts[1], depth), self.source)

    def value(self, node: tree_sitter.Node, depth: int) -> ir.Expression:
        start, end, kind = node.start_byte, node.end_byte, node.type
        text = self.source[start:end].decode("utf-8", "replace")
        if kind == "string":
            return ir.Constant(start, end, _text(text))
        if kind in ("integer", "float", "boolean"):
            return ir.Constant(start, end, plain(text))
        if kind not in ("array", "inline_table"):
            return ir.Opaque(start, end, kind, [])
        if depth >= MAX_DEPTH:
            if not self.problems:
                self.problems.append(ir.SyntaxProblem(start, end, TOO_DEEP))
            return ir.Opaque(start, end, "deep", [])
        if kind == "array":
            items = [child for child in node.named_children if child.type not in ("comment", "ERROR")]
            return sequence(start, end, [self.value(child, depth + 1) for child in items])
        entries: Entries = []
        for child in node.named_children:
            if child.type == "pair":
                key, value = self.pair(child, depth + 1)
                if key is not None and value is not None:
                    entries.append((self.key(key), value))
        return ir.Mapping(start, end, entries)

    def names(self, key: tree_sitter.Node) -> list[tuple[int, int, str]]:
        """The parts of a key, which the grammar nests to the left."""
        found: list[tuple[int, int, str]] = []
        pending = [key]
        while pending:
            at = pending.pop()
            if at.type == "dotted_key":
                pending.extend(reversed(at.named_children))
            elif at.type in _KEYS:
                text = self.source[at.start_byte : at.end_byte].decode("utf-8", "replace")
                found.append((at.start_byte, at.end_byte, text.strip("\"'")))
        return found

    def key(self, key: tree_sitter.Node) -> ir.Constant:
        return ir.Constant(key.start_byte, key.end_byte, ".".join(text for _, _, text in self.names(key)))

    def target(self, key: tree_sitter.Node) -> ir.Expression:
        names = self.names(key)[:MAX_DEPTH]
        if not names:
            return ir.Name(key.start_byte, key.end_byte, "")
        start, end, text = names[0]
        found: ir.Expression = ir.Name(start, end, text)
        for _, end, text in names[1:]:
            found = ir.Attribute(start, end, found, text)
        return found


def _text(quoted: str) -> str:
    try:
        value = tomli.loads(f"x = {quoted}")["x"]
    except (tomli.TOMLDecodeError, KeyError, RecursionError):
        return quoted.strip("\"'")
    return value if isinstance(value, str) else quoted.strip("\"'")


language = Toml()
