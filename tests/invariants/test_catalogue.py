"""Invariants 9 and 10: rules and models meet in kinds, and a folder is its own registry."""

from __future__ import annotations

import importlib
import pkgutil
import shutil
from pathlib import Path

from closeread_analyzers.catalogue import Sink, Source, StepModel, Use, builtin, load
from closeread_analyzers.catalogue.entries import HandlerModel
from closeread_analyzers.languages import languages
from invariants.sources import ANALYZERS, SERVER, sources

RULE = """\
+++
cwe = 20
severity = "low"
message = "m"
fix = "f"
use = ["eval"]
+++
# A title

## Flagged

## Not flagged
"""


def named_by_models() -> tuple[set[str], set[str], set[str]]:
    """The source, sink and use kinds that some model of some language gives."""
    catalogue = builtin()
    given: set[str] = set()
    reached: set[str] = set()
    used: set[str] = set()
    for language in catalogue.languages:
        for entry in catalogue.models(language).entries:
            if isinstance(entry, Source):
                given.add(entry.kind)
            elif isinstance(entry, Sink):
                reached.add(entry.kind)
            elif isinstance(entry, Use):
                used.add(entry.kind)
            elif isinstance(entry, StepModel):
                given |= entry.adds
            elif isinstance(entry, HandlerModel):
                given |= {entry.parameters} - {""}
                reached |= {entry.returns} - {""}
    return given, reached, used


def test_every_rule_waits_for_something_that_a_model_gives() -> None:
    _, reached, used = named_by_models()
    deaf = [
        rule.id
        for rule in builtin().rules.values()
        if rule.check is None and not (rule.flow_to & reached or rule.use & used or rule.suppression or rule.text)
    ]

    assert deaf == []


def test_every_kind_that_a_model_gives_has_a_rule() -> None:
    _, reached, used = named_by_models()
    catalogue = builtin()

    assert sorted(reached - catalogue.flows.keys()) == []
    assert sorted(used - catalogue.uses.keys()) == []


def test_a_rule_and_a_library_are_one_file_each(tmp_path: Path) -> None:
    shutil.copytree(ANALYZERS / "rules", tmp_path / "rules")
    shutil.copytree(ANALYZERS / "models", tmp_path / "models")
    (tmp_path / "rules" / "web" / "brand-new.md").write_text(RULE)
    (tmp_path / "models" / "python" / "brand_new.toml").write_text('[[use]]\ncall = "brand.new"\nkind = "eval"\n')

    catalogue = load(tmp_path / "rules", tmp_path / "models")

    assert catalogue.rules.keys() - builtin().rules.keys() == {"brand-new"}
    assert catalogue.rules["brand-new"] in catalogue.uses["eval"]
    assert "brand.new" in catalogue.models("python").calls


def test_no_code_keeps_a_list_of_rules_or_libraries() -> None:
    catalogue = builtin()
    # An id of one word ("redirect") may be a word of English; one with a dash is nothing else.
    ids = {rule for rule in catalogue.rules if "-" in rule}
    naming = [
        f"{source.name}:{line} {text!r}"
        for source in sources(ANALYZERS, SERVER)
        for line, text in source.strings()
        if text in ids
    ]

    assert naming == []


def test_a_language_is_one_module_with_a_folder_of_models() -> None:
    package = importlib.import_module("closeread_analyzers.languages")
    modules = {info.name for info in pkgutil.iter_modules(package.__path__)}
    names = {language.name for language in languages()}

    assert names <= modules
    # Configuration calls no library.
    assert set(builtin().languages) == names - {known.name for known in languages() if "settings" in known.traits}
