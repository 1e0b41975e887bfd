"""JSON, with comments if somebody wrote some. Several values in one file (one a line) are several statements.

Deliberately absent: what a key is twice (the last one counts), and JSON5.
"""

from __future__ import annotations

import json
from functools import cache

import tree_sitter
import tree_sitter_json

from .. import ir
from .config import ConfigLanguage, Reading
from .config.document import MAX_DEPTH, TOO_DEEP, Entries, assignments, plain, sequence, valued


@cache
def _grammar() -> tree_sitter.Language:
    return tree_sitter.Language(tree_sitter_json.language())


class Json(ConfigLanguage):
    """The language object."""

    name = "json"
    suffixes = (".json", ".jsonc")
    comment = "//"
    largest = 256_000  # what people write by hand is far smaller, and there is much data in JSON

    def read(self, path: str, source: bytes) -> Reading:
        """The statements of a text."""
        return _Reader(source).read()


class _Reader:
    """One text on its way to statements."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.problems: list[ir.SyntaxProblem] = []

    def read(self) -> Reading:
        root = tree_sitter.Parser(_grammar()).parse(self.source).root_node
        statements: list[ir.Statement] = []
        for node in root.named_children:
            if node.type in ("comment", "ERROR"):
                continue
            value = self.value(node, 0)
            if type(value) is ir.Mapping:
                statements += assignments(value.entries)
            else:
                statements.append(ir.ExpressionStatement(value.start, value.end, value))
        if root.has_error:
            error = _first_error(root)
            self.problems.append(
                ir.SyntaxProblem(error.start_byte, error.end_byte, "not JSON here; this part was not analysed")
            )
        return Reading(statements, self.problems)

    def value(self, node: tree_sitter.Node, depth: int) -> ir.Expression:
        start, end, kind = node.start_byte, node.end_byte, node.type
        if kind == "string":
            return ir.Constant(start, end, _text(self.source[start:end]))
        if kind == "number":
            return ir.Constant(start, end, plain(self.source[start:end].decode("utf-8", "replace")))
        if kind in ("true", "false", "null"):
            return ir.Constant(start, end, {"true": True, "false": False, "null": None}[kind])
        if kind not in ("object", "array"):
            return ir.Opaque(start, end, kind, [])
        if depth >= MAX_DEPTH:
            if not self.problems:
                self.problems.append(ir.SyntaxProblem(start, end, TOO_DEEP))
            return ir.Opaque(start, end, "deep", [])
        if kind == "array":
            items = [child for child in node.named_children if child.type not in ("comment", "ERROR")]
            return sequence(start, end, [self.value(child, depth + 1) for child in items])
        entries: Entries = []
        for pair in node.named_children:
            key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
            if key is not None and value is not None:
                named = self.value(key, depth + 1)
                entries.append((named, valued(named, self.value(value, depth + 1), self.source)))
        return ir.Mapping(start, end, entries)


def _text(quoted: bytes) -> str:
    raw = quoted.decode("utf-8", "replace")
    if "\\" not in raw:
        return raw.strip('"')
    try:
        value = json.loads(raw, strict=False)
    except ValueError:
        return raw.strip('"')
    # a lone half of a pair of surrogates is no text that anybody could write again
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else raw


def _first_error(root: tree_sitter.Node) -> tree_sitter.Node:
    """The first place of an error; the way down is short, for only nodes with errors are entered."""
    at = root
    while not at.is_error and not at.is_missing:
        below = next((child for child in at.children if child.has_error or child.is_missing), None)
        if below is None:
            break
        at = below
    return at


language = Json()
