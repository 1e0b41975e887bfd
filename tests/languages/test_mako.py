"""Mako's templates: what each piece becomes, and that no text can make the lowering fail or take long."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from closeread_analyzers.languages import TEMPLATE, language_of
from closeread_analyzers.languages.mako import language
from closeread_analyzers.languages.mako.lowerer import pieces


def told(text: str) -> list[tuple[str, str, str]]:
    """Kind, word and inside of each piece."""
    return [(piece.kind, piece.word, text[piece.inner_start : piece.inner_end].strip()) for piece in pieces(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${a}", [("output", "", "a")]),
        ("${a | h}", [("output", "h", "a")]),
        ("${a | n, trim}", [("output", "n,trim", "a")]),
        ("${a or 'x|y'}", [("output", "", "a or 'x|y'")]),
        ("${ {'a': 1}['a'] }", [("output", "", "{'a': 1}['a']")]),
        ("${'}' + a}", [("output", "", "'}' + a")]),
        ("% for a in b:\n${a}\n% endfor", [("tag", "for", "a in b"), ("output", "", "a"), ("tag", "endfor", "")]),
        ("100 % of\n%% a\n", []),
        ("## ${a}\n", [("comment", "", "## ${a}")]),
        ("<% a = b + c\n%>", [("tag", "set", "a = b + c")]),
        ("<%! import os %>", []),
        ("<%text>${a}</%text>", []),
        (
            '<%def name="f(a, b=1)">${a}</%def>',
            [("tag", "macro", "f(a, b=1)"), ("output", "", "a"), ("tag", "endmacro", "")],
        ),
        ('<%include file="a.mako"/>', [("tag", "include", '"a.mako"')]),
        ("<%inherit file='a.mako'/>", [("tag", "extends", "'a.mako'")]),
        ("${a", []),
    ],
)
def test_pieces(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert expected == told(text)


def test_a_file_of_mako_is_known_by_its_suffix() -> None:
    assert language_of("templates/page.mako") is language
    assert language_of("page.mak") is language


_SIGNS = ["${", "}", "a", "|", " h", ",", "\n", "'", '"', "(", ")", "##", "<!--", "-->", "x = ", "\0", "\u20ac", ":"]
_TAGS = [
    "<%",
    "%>",
    "<%def name='f(a)'>",
    "</%def>",
    "<%page expression_filter='h'/>",
    "<%block>",
    "</%block>",
    "<script>",
]
_LINES = ["% for ", "in ", "% endfor", "% if ", "% else:"]
_FRAGMENTS = st.sampled_from([*_SIGNS, *_TAGS, *_LINES])


@settings(max_examples=30, deadline=None)
@given(st.lists(_FRAGMENTS | st.text(max_size=5), max_size=60).map("".join))
def test_no_text_makes_the_lowering_fail(text: str) -> None:
    source = text.encode("utf-8", "surrogatepass")
    tree = language.parse(source)
    module = language.lower("a.mako", source, tree)
    tree.root_node.descendant_for_byte_range(0, len(source))

    assert TEMPLATE in [unit.name for unit in module.units]
    assert all(0 <= unit.start <= unit.end <= len(source) for unit in module.units)


@pytest.mark.parametrize(
    "piece", ["${", "<%a ", "<!--", "<%def name='f()'>", "% if a:\n", "${a|h}", "{", "<% (\n", "|h", "<%page "]
)
def test_time_grows_with_the_length(piece: str) -> None:
    source = (piece * 4_000).encode()
    started = time.process_time()
    language.lower("a.mako", source, language.parse(source))

    assert time.process_time() - started < 3
