"""`closeread: ignore[rule] reason` in a comment: which findings a file's author has answered.

A comment at the end of a line speaks for that line; alone on its line, for the next line of code.
`ignore[*]` speaks for every rule. Deliberately absent: comments without a rule (they would hide what
nobody has seen yet), and the checking of reasons.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .finding import Finding, Suppression
from .languages import Tree

MARKER = b"closeread:"
_IGNORE = re.compile(r"closeread:\s*ignore\[([^\]\n]+)\]\s*([^\n]*)")


@dataclass(frozen=True, slots=True)
class Ignore:
    """One comment: the line it speaks for (1-based), its own line, the rules and the reason."""

    target: int
    line: int
    rules: frozenset[str]
    reason: str


def ignores(tree: Tree, source: bytes) -> list[Ignore]:
    """The ignore comments of a file. Only real comments count, not text in strings."""
    found: list[Ignore] = []
    lines = source.split(b"\n")
    at = source.find(MARKER)
    while at >= 0:
        node = tree.root_node.descendant_for_byte_range(at, at + len(MARKER))
        end = source.find(b"\n", at)
        text = source[at : end if end >= 0 else len(source)].decode("utf-8", "replace")
        match = _IGNORE.match(text)
        if match and node is not None and "comment" in node.type:
            line = source.count(b"\n", 0, at) + 1
            before = lines[line - 1][: at - (source.rfind(b"\n", 0, at) + 1)].strip()
            alone = not before.strip(b"#/*<!-{ \t")
            target = line
            if alone:
                target = line + 1
                while target <= len(lines) and not lines[target - 1].strip():
                    target += 1
            rules = frozenset(rule.strip() for rule in match[1].split(","))
            reason = match[2].removesuffix("*/").removesuffix("-->").removesuffix("#}").strip()
            found.append(Ignore(target, line, rules, reason))
        at = source.find(MARKER, at + 1)
    return found


def suppressed(finding: Finding, comments: list[Ignore]) -> Finding:
    """The finding, with its suppression if a comment speaks for it."""
    for comment in comments:
        if comment.target == finding.location.start_line and (finding.rule in comment.rules or "*" in comment.rules):
            return replace(finding, suppression=Suppression(comment.reason, comment.line))
    return finding
