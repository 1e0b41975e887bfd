"""What Closeread says of a rule and of one finding, in Markdown.

A rule's page is ours and is shown as it is. Everything else (messages with pieces of code, paths,
names) comes from a workspace that may be hostile: it is escaped, and can make neither link nor image.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from closeread import platform_
from closeread.explanation import NOTHING_ON_THE_WAY, Explanation
from closeread.store import default_folder
from closeread_analyzers.catalogue import Rule, builtin
from closeread_analyzers.finding import Finding, plain_rule

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>&~:@$^=\"'])")


def href(finding: Finding) -> str | None:
    """The rule's own page, a document on this machine; it names the weakness in the public catalogue."""
    return _document(plain_rule(finding.rule))


@cache
def _document(identity: str) -> str | None:
    """The page in the user's cache folder, since the rule's document begins with what only Closeread reads."""
    if (page := rule_page(identity)) is None:
        return None
    file = default_folder() / "rules" / f"{identity}.md"
    try:
        platform_.private_folder(file.parent)
        platform_.write_atomically(file, page.encode())
    except OSError:
        file = builtin().rules[identity].document.absolute()
    return file.as_uri()


def rule_page(identity: str) -> str | None:
    """The page of a rule, or None if there is no such rule."""
    rule = builtin().rules.get(identity)
    return None if rule is None else "\n\n".join(_parts(rule))


def _parts(rule: Rule) -> list[str]:
    facts = [f"`{rule.id}`", rule.severity.label, rule.kind]
    if rule.cwe is not None:
        facts.append(f"[CWE-{rule.cwe}](https://cwe.mitre.org/data/definitions/{rule.cwe}.html)")
    parts = [f"# {rule.title}", " · ".join(facts), rule.prose]
    if rule.fix:
        parts.append(f"**Fix:** {rule.fix}")
    return parts


def finding_page(finding: Finding, root: Path, uri: Callable[[Path], str]) -> str:
    """One finding: its message and its trace, each step a link to its line."""
    facts = [escaped(finding.rule), f"{finding.severity.label} severity", f"{finding.confidence.label} confidence"]
    lines = [sentence(finding.message), "", " · ".join(facts)]
    if finding.trace:
        lines += ["", "**How the data gets here**", ""]
    for number, step in enumerate(finding.trace, 1):
        at = step.location
        link = f"[{escaped(at.path)}:{at.start_line}]({uri(root / at.path)}#L{at.start_line})"
        lines.append(f"{number}. {link} {sentence(step.message)}")
    return "\n".join(lines)


def explanation_page(explained: Explanation, root: Path, uri: Callable[[Path], str]) -> str:
    """One finding explained: each step a link to its line, with the code there."""
    lines = [sentence(explained.message), ""]
    for number, step in enumerate(explained.steps, 1):
        link = f"[{escaped(step.path)}:{step.line}]({uri(root / step.path)}#L{step.line})"
        lines.append(f"{number}. {link} {sentence(step.message)}: {code(step.code)}")
    if len(explained.steps) > 1:
        lines += ["", NOTHING_ON_THE_WAY]
    lines += ["", explained.why]
    if explained.fix:
        lines += ["", f"**What to do:** {explained.fix}"]
    return "\n".join(lines)


def code(text: str) -> str:
    """`text` as a piece of code on one line of Markdown, backticks and all."""
    line = " ".join(text.split())
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    return f"{fence} {line} {fence}" if "`" in line else f"`{line}`" if line else ""


def escaped(text: str) -> str:
    """`text` as plain words on one line of Markdown."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def sentence(text: str) -> str:
    """`text` escaped, but for its balanced pieces between backticks, which become code."""
    pieces = " ".join(text.split()).split("`")
    if len(pieces) % 2 == 0:
        return escaped(text)
    made = [
        (f"`{piece}`" if piece.strip() else "") if number % 2 else _SPECIAL.sub(r"\\\1", piece)
        for number, piece in enumerate(pieces)
    ]
    return "".join(made)


def plain(markdown: str) -> str:
    """Markdown for a client that shows plain text only."""
    text = re.sub(r"(?<!\\)\[([^\]]*)\]\(([^)]*)\)", r"\1", markdown)
    return re.sub(r"\\([^\w\s])", r"\1", text)
