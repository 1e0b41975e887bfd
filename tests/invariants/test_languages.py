"""Invariant 9: nothing outside `languages/` names a language, and the engine names no kind."""

from __future__ import annotations

import ast

import pytest

from closeread_analyzers.catalogue import builtin
from closeread_analyzers.languages import languages
from invariants.sources import ANALYZERS, SERVER, Source, sources

HOME = "closeread_analyzers/languages/"
OURSELVES = ("closeread_analyzers/catalogue/", "closeread/scan.py")
ENGINE = "closeread_analyzers/flow/"
# Also what programs under analysis answer with (`request.json`), and what our reports are written in.
TWO_MEANINGS = frozenset({"json", ".json", ".html"})  # report formats, and addresses of pages


def naming(files: list[Source], words: frozenset[str]) -> list[str]:
    """Every string literal that is one of `words`."""
    return [f"{source.name}:{line} {text!r}" for source in files for line, text in source.strings() if text in words]


def asking_for_language(files: list[Source]) -> list[str]:
    """Every comparison of something called `language` (or its name) with a literal."""
    return [
        f"{source.name}:{node.lineno} {ast.unparse(node)}"
        for source in files
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Compare)
        and "language" in ast.unparse(node).lower()
        and any(isinstance(at, ast.Constant) and isinstance(at.value, str) for at in (node.left, *node.comparators))
    ]


def elsewhere() -> list[Source]:
    return [source for source in sources(ANALYZERS, SERVER) if not source.name.startswith(HOME)]


def test_no_code_asks_which_language_it_is() -> None:
    assert asking_for_language(elsewhere()) == []


def test_no_code_names_a_language_or_its_files() -> None:
    names = frozenset(language.name for language in languages())
    suffixes = frozenset(suffix for language in languages() for suffix in language.suffixes)
    # These read our own modules, whose suffix is no question about the code under analysis.
    others = [source for source in elsewhere() if not source.name.startswith(OURSELVES)]

    assert names >= {"python", "javascript"}
    assert suffixes >= {".py", ".js"}
    assert naming(elsewhere(), names - TWO_MEANINGS) == []
    assert naming(others, suffixes - TWO_MEANINGS) == []


def test_the_engine_names_no_kind() -> None:
    kinds = builtin().kinds
    # A kind of one word ("path", "header") is a word of English too; one with a dash is nothing else.
    words = frozenset(kind for kind in (*kinds.source, *kinds.sink, *kinds.use) if "-" in kind)
    engine = [source for source in elsewhere() if source.name.startswith(ENGINE)]

    assert engine
    assert naming(engine, words) == []


@pytest.mark.parametrize("text", ['if language == "x": pass', 'language.name in ("x",) or "x" != language.name'])
def test_a_question_is_seen(text: str) -> None:
    assert asking_for_language([Source("closeread/x.py", text)])


def test_a_docstring_may_name_a_language() -> None:
    assert naming([Source("x.py", '"""python"""\nx = 1')], frozenset({"python"})) == []
    assert naming([Source("x.py", 'x = "python"')], frozenset({"python"})) == ["x.py:1 'python'"]
