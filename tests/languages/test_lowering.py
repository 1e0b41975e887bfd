"""Units: what they are called, where they stand, and which of them an edit makes anew."""

from __future__ import annotations

import pytest

from closeread_analyzers import ir
from closeread_analyzers.languages.lowering import MAX_PROBLEMS, kind_ids, table
from closeread_analyzers.languages.python import language
from closeread_analyzers.languages.python.grammar import GRAMMAR
from languages.shapes import module, nodes

SOURCE = """\
import os, sys

def f(a):
    return a

class C(Base):
    x = 1

    @property
    def m(self):
        return self.x

    class D:
        def n(self): return 2

    @m.setter
    def m(self, value):
        self.x = value

def f(a, b):
    return b

x = f(1, 2)
"""


def functions(lowered: ir.Module) -> dict[str, ir.Function]:
    return {
        unit.name: unit.statement.function
        for unit in lowered.units
        if isinstance(unit.statement, ir.FunctionDefinition)
    }


def text_of(lowered: ir.Module, unit: ir.Unit, node: ir.Node) -> str:
    return lowered.source[unit.start + node.start : unit.start + node.end].decode()


def test_names() -> None:
    names = [unit.name for unit in module(SOURCE).units]

    assert names == ["", "", "f", "C", "C.m", "C.D.n", "C.m#2", "f#2", ""]


def test_a_method_s_unit_begins_at_its_decorator() -> None:
    lowered = module(SOURCE)
    unit = next(unit for unit in lowered.units if unit.name == "C.m")
    text = lowered.source[unit.start : unit.end].decode()

    assert text.startswith("@property") and text.endswith("return self.x")
    attributes = [text_of(lowered, unit, node) for node in nodes(unit.statement) if isinstance(node, ir.Attribute)]
    assert attributes == ["self.x"]


def test_a_class_holds_the_functions_of_its_methods() -> None:
    lowered = module(SOURCE)
    unit = next(unit for unit in lowered.units if unit.name == "C")
    assert isinstance(unit.statement, ir.ClassDefinition)
    members = [member for member in unit.statement.definition.body if isinstance(member, ir.FunctionDefinition)]

    assert [member.function for member in members] == [functions(lowered)["C.m"], functions(lowered)["C.m#2"]]
    assert text_of(lowered, unit, members[0]).startswith("@property")
    assert all(member.function.is_unit for member in members)


def test_lines_inserted_above_move_units_and_make_none() -> None:
    before = module(SOURCE)
    after = module("# a comment\n\n" + SOURCE, before)

    assert [unit.statement for unit in before.units] == [unit.statement for unit in after.units]
    assert [unit.start + 13 for unit in before.units] == [unit.start for unit in after.units]
    assert [unit.digest for unit in before.units] == [unit.digest for unit in after.units]


def test_an_edit_in_a_method_makes_that_method() -> None:
    before = module(SOURCE)
    after = module(SOURCE.replace("return self.x", "return self.xyz"), before)
    old, new = functions(before), functions(after)

    assert [name for name in new if new[name] is not old[name]] == ["C.m"]
    assert new["C.m"].digest != old["C.m"].digest


def test_a_class_s_digest_is_that_of_its_skeleton() -> None:
    def digest(source: str) -> bytes:
        return next(unit.digest for unit in module(source).units if unit.name == "C")

    assert digest(SOURCE) == digest(SOURCE.replace("return self.x", "return self.xyz"))
    assert digest(SOURCE) != digest(SOURCE.replace("x = 1", "x = 2"))


def test_places_in_a_class_are_those_of_the_new_text() -> None:
    """The skeleton is made anew when a method before it has grown, though its digest is the same."""
    source = "class C:\n    def m(self): return 1\n    y = 2\n"
    after = module(source.replace("return 1", "return 100"), module(source))
    unit = after.units[0]
    [assign] = [node for node in nodes(unit.statement) if isinstance(node, ir.Assign)]

    assert text_of(after, unit, assign) == "y = 2"


def test_equal_texts_are_each_taken_once() -> None:
    source = "import a, b\nimport a, b\nx = 1\nx = 1\n"
    before = module(source)
    after = module("\n" + source, before)

    assert [unit.statement for unit in before.units] == [unit.statement for unit in after.units]
    assert len({id(unit.statement) for unit in after.units}) == 6
    assert len({unit.digest for unit in before.units[:2]}) == 2


def test_a_renamed_definition_is_new() -> None:
    before = module("def f(): pass\ndef f(): return 1\n")
    after = module("def f(): return 1\n", before)

    assert functions(after)["f"] is not functions(before)["f#2"]


def test_broken_units_are_not_reused() -> None:
    source = "def f():\n    x = (1\n\ny = 1\n"
    before = module(source)
    after = module(source, before)

    assert before.problems and len(before.problems) == len(after.problems)
    broken = {id(unit.statement) for unit in before.units} & {id(unit.statement) for unit in after.units}
    assert not broken


def test_a_reused_deep_unit_still_says_so() -> None:
    source = "def f():\n    return " + "(" * 300 + "1" + ")" * 300 + "\n"
    before = module(source)
    after = module("\n\n" + source, before)

    assert functions(before)["f"] is functions(after)["f"]
    [old], [new] = before.problems, after.problems
    assert (old.start + 2, old.end + 2, old.message) == (new.start, new.end, new.message)


def test_problems_are_bounded_and_in_order() -> None:
    problems = module("x = = 1\nok = 1\n" * 100).problems

    assert len(problems) == MAX_PROBLEMS
    assert [problem.start for problem in problems] == sorted(problem.start for problem in problems)


def test_incremental_parse_gives_the_same_module() -> None:
    old = SOURCE.encode()
    tree = language.parse(old)
    at = old.index(b"return b")
    new = old[:at] + b"y = b\n    " + old[at:]
    tree.edit(at, at, at + 10, (20, 4), (20, 4), (21, 4))
    incremental = language.lower("m.py", new, language.parse(new, tree), module(old))
    whole = module(new)

    assert [(u.start, u.end, u.name, u.digest) for u in whole.units] == [
        (u.start, u.end, u.name, u.digest) for u in incremental.units
    ]


def test_a_failing_handler_loses_one_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    from closeread_analyzers.languages.python.lowerer import PythonLowerer

    def fails(*_: object) -> None:
        raise ValueError("no")

    broken = {i: fails if i in kind_ids(GRAMMAR, "while_statement") else h for i, h in PythonLowerer.statements.items()}
    monkeypatch.setattr(PythonLowerer, "statements", broken)
    lowered = module("x = 1\nwhile x: pass\ny = 2\n")

    assert len(lowered.units) == 2
    [problem] = lowered.problems
    assert problem.message == "could not be analysed (ValueError: no)"


def test_a_table_names_only_what_the_grammar_has() -> None:
    with pytest.raises(KeyError, match="no_such_kind"):
        table(GRAMMAR, {"no_such_kind": 1}, 0)
