"""Text that speaks to a model: comments, strings and names that tell whoever judges the code what to find.

"Ignore previous instructions", "reviewed, safe", a verdict in JSON, a model's control tokens. The analysers obey no
text, so it changes nothing here; a model could. So whoever asks one takes such text out first (`without`), and where it
stands is reported: who writes it wants something. Phrases are told by their words, however these are joined
(`ignore_previous_instructions` is one), and only phrases that mean little else: programs that talk to models are full of
prompts of their own, and these are none of our business.

Deliberately absent: any claim that all of them are found. What a model says is checked, or marked as its words.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping

from .catalogue import Rule
from .finding import Finding, Location
from .languages import Language
from .pattern import later

_STEMS = (
    b"instruction",
    b"review",
    b"vulnerab",
    b"verdict",
    b"exploitab",
    b"audited",
    b"language model",
    b"<|",
    b"llm",
)
"""One of them is in every passage. They are looked for first, since that is quick."""
_AROUND = 160
"""So many bytes before and behind a stem may belong to its passage."""

_ = r"[\W_]{0,12}"  # what joins words: a space, an underscore, a line's end with the next comment's sign, or nothing
_JUDGE = rf"(?:(?:code|security|automated|ai|llm){_})*(?:review(?:er|bot)|llms?|language{_}model|ai{_}(?:model|assistant|reviewer))"
_VERDICTS = r"(?:is_?)?(?:verdict|vulnerable|exploitable|false_?positive|vulnerabilit(?:y|ies))"

_ANYWHERE = (
    # "Ignore all previous instructions"
    rf"(?:ignore|disregard|forget|override|skip){_}(?:(?:all|any|of|the|your|these|every){_})*"
    rf"(?:previous|prior|above|preceding|earlier|foregoing|other|former){_}(?:\w+{_})?instructions?",
    rf"(?:new|updated|real|actual|following){_}instructions?{_}(?:for|to){_}(?:the{_}|any{_})?{_JUDGE}",
    # "reviewed, safe"; "audited and found to be secure"
    rf"(?<![a-zA-Z])(?:(?:pre|security|code|already|fully|manually){_})*(?:reviewed|audited)"
    rf"(?:{_}by{_}(?:\w+{_}){{1,4}}?|{_}(?:and|as|is|was|it|this|found|to|be|approved|confirmed|considered|deemed))*"
    rf"{_}(?:completely{_}|fully{_})?(?:safe|secure|harmless|no{_}(?:issues?|findings?|vulnerabilities))(?![a-z])",
    # "Note to the reviewer model: ...", "any AI reviewer must answer..."
    rf"(?:note|message|hint|attention|dear){_}(?:to|for)?{_}(?:the{_}|any{_}|all{_})?{_JUDGE}\b(?={_}(?:\w+\W+){{0,12}}?"
    r"(?:safe|ignore|skip|report|answer|respond|reply|trust|approve|mark)\b)",
    rf"(?:\b|_){_JUDGE}s?{_}(?:must|should|shall|has{_}to|will|can|may|do|does|please){_}(?:not{_}|never{_}|always{_}|only{_})*"
    rf"(?:report|flag|answer|respond|reply|say|skip|ignore|approve|mark|trust|treat|conclude)",
    # "do not report any vulnerability", "mark this as not vulnerable"
    rf"(?:do{_}not|don{_}t|never){_}(?:report|flag|mention|raise){_}(?:(?:any|this|these|it|as|a|the|security){_})*vulnerab\w+",
    rf"(?:mark|report|label|classify){_}(?:this|it|the{_}\w+){_}(?:(?:code|file|function|line){_})?as{_}(?:not{_}|non{_})vulnerable",
    rf"(?:answer|respond|reply){_}(?:only{_})?(?:with|that)?{_}(?:only{_})?(?:the{_}\w+{_})?not{_}vulnerable",
)
# Only where they cannot be the program's own data: in a comment, or whole inside one text.
_IN_TEXT = (
    rf"[\"'`]?{_VERDICTS}\\?[\"'`]?\s{{0,3}}[:=]\s{{0,3}}\\?[\"'`]?"
    r"(?:safe|false|no|none|benign|clean|not[ _]vulnerable|false[ _]positive|\[\s?\])\\?[\"'`,}\s]",
)
# Only in comments.
_IN_COMMENT = (
    r"<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id)\|>",
    rf"you{_}are{_}(?:now{_})?(?:an?{_}|the{_})?(?:\w+{_}){{0,3}}?(?:reviewer|language{_}model|llm)\b",
    rf"as{_}an?{_}(?:ai{_})?(?:language{_}model|llm){_}(?:you|i)\b",
)


def _pattern(parts: tuple[str, ...]) -> str:
    return "|".join(f"(?:{part})" for part in parts)


_SPOKEN = later(_pattern(_ANYWHERE), re.IGNORECASE)
_PASSAGE = later(
    f"(?P<anywhere>{_pattern(_ANYWHERE)})|(?P<text>{_pattern(_IN_TEXT)})|{_pattern(_IN_COMMENT)}", re.IGNORECASE
)
_HUMP = later(r"(?<=[a-z0-9])(?=[A-Z])")

REMOVED = "[...]"
"""What stands for a passage that was taken out."""


def passages(text: str) -> Iterator[tuple[int, int]]:
    """Where in a text, by characters, something speaks to a model; taken as a comment, where most counts."""
    yield from (found.span() for found in _PASSAGE.finditer(text))


def without(text: str) -> str:
    """A text with `REMOVED` for every passage and the rest of its line: what follows the opening is its message."""
    parts: list[str] = []
    done = 0
    for start, end in passages(text):
        if start < done:
            continue
        parts += [text[done:start], REMOVED]
        newline = text.find("\n", end)
        done = len(text) if newline < 0 else newline
    return "".join([*parts, text[done:]])


def plain_name(name: str) -> str:
    """A dotted name without what speaks to a model in its parts: `acme.v2.run_reviewed_safe` becomes `acme.v2.run`."""
    parts = []
    for part in name.split("."):
        found = _SPOKEN.search(part) or _SPOKEN.search(_HUMP.sub("_", part))
        kept = part if found is None else part[: found.start()].strip("_")
        parts.append(kept)
    return ".".join(filter(None, (*parts[:-1], parts[-1] or "call")))


def findings(path: str, source: bytes, language: Language, rules: Mapping[str, Rule]) -> Iterator[Finding]:
    """The passages of a file and of its name, as findings of the rule that is about them; one a line."""
    rule = next((rule for rule in rules.values() if rule.text == "addressed"), None)
    if rule is None:
        return
    if _windows(path.encode("utf-8", "replace")) and (named := _SPOKEN.search(path)):
        yield _finding(rule, Location(path, 1, 0, 1, 0), f"{named[0]}` in the file's name, `{path}", 0)
    found = sorted({span for window in _windows(source) for span in _spans(source, *window)})
    if not found:
        return
    tree = language.parse(source)
    counts: Counter[str] = Counter()
    told: set[int] = set()
    for start, end, where in found:
        node = tree.root_node.descendant_for_byte_range(start, end)
        kind = node.type if node is not None else ""
        if not ("comment" in kind or where == "anywhere" or (where == "text" and "string" in kind)):
            continue
        line = source.count(b"\n", 0, start) + 1
        if line in told:
            continue
        told.add(line)
        words = " ".join(source[start:end].decode("utf-8", "replace").split())
        counts[words] += 1
        first, last = (source.rfind(b"\n", 0, at) + 1 for at in (start, end))
        columns = [len(source[a:b].decode("utf-8", "replace")) for a, b in ((first, start), (last, end))]
        at = Location(path, line, columns[0], source.count(b"\n", 0, end) + 1, columns[1])
        yield _finding(rule, at, words, counts[words])


def _finding(rule: Rule, at: Location, words: str, count: int) -> Finding:
    identity = "\0".join((rule.id, at.path, words, str(count))).encode("utf-8", "replace")
    digest = hashlib.blake2b(identity, digest_size=16).hexdigest()
    message = rule.message.replace("{name}", words[:120])
    return Finding(rule.id, at, message, rule.severity, rule.confidence, rule.cwe, rule.kind, digest)


def _windows(source: bytes) -> list[tuple[int, int]]:
    """Pieces of a text in which a passage may stand, in order; none touches another."""
    lowered = source.lower()
    marks = []
    for stem in _STEMS:
        at = lowered.find(stem)
        while at >= 0:
            marks.append(at)
            at = lowered.find(stem, at + 1)
    pieces: list[tuple[int, int]] = []
    for at in sorted(marks):
        begin, end = max(0, at - _AROUND), min(len(source), at + _AROUND)
        if pieces and begin <= pieces[-1][1]:
            begin = pieces.pop()[0]
        pieces.append((begin, end))
    return pieces


def _spans(source: bytes, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """The passages of a piece of a text, by bytes, and where each counts."""
    text = source[start:end].decode("latin-1")  # a character a byte, and phrases are in ASCII
    for found in _PASSAGE.finditer(text):
        yield start + found.start(), start + found.end(), found.lastgroup or "comment"
