"""The built-in rules and library models: the one place that knows the words of their files.

Reads the package's own data and nothing else; this is all the I/O the analysers do. It happens on
every start, so it is quick: a language's models are read when that language is first met, the rules'
examples when somebody asks, and a line number is searched only for an error. Whether any of it has changed
since another run is not asked here (`closeread.remembered.engine`).
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from . import user
from .entries import (
    ArgRef,
    Auth,
    CallbackModel,
    Condition,
    Entry,
    Guard,
    HandlerModel,
    Index,
    Models,
    NoReturn,
    Route,
    Sink,
    Source,
    StepModel,
    TemplateModel,
    TypeModel,
    Use,
    name_words,
)
from .models import Kinds, merge, read_kinds, read_model
from .reading import CatalogueError, read_text
from .rules import BUILTIN_RULES, TRAITS, Check, Example, Mark, Mend, Repair, Rule, Rules, module_of, read_rule

__all__ = [
    "TRAITS",
    "ArgRef",
    "Auth",
    "CallbackModel",
    "Catalogue",
    "CatalogueError",
    "Check",
    "Condition",
    "Entry",
    "Example",
    "Guard",
    "HandlerModel",
    "Index",
    "Kinds",
    "Mark",
    "Mend",
    "Models",
    "NoReturn",
    "Repair",
    "Route",
    "Rule",
    "Sink",
    "Source",
    "StepModel",
    "TemplateModel",
    "TypeModel",
    "Use",
    "builtin",
    "check_user",
    "load",
    "name_words",
    "user_in_force",
]

BUILTIN_MODELS = Path(__file__).parent.parent / "models"


class Catalogue:
    """Every rule, and the models of every language.

    `flows` and `uses` say which rules wait for a sink kind or a use kind; `checks` are the rules with a check.
    """

    def __init__(self, rules: Iterable[Rule], kinds: Kinds, files: dict[str, list[Path]]):
        """`files` are those with the models of each language."""
        self.rules: Mapping[str, Rule] = Rules(rules)
        self.kinds = kinds
        self.prefixes = kinds.prefixes
        self.languages: tuple[str, ...] = tuple(sorted(files))
        self.checks: tuple[Rule, ...] = tuple(rule for rule in self.rules.values() if rule.check)
        self.flows: dict[str, tuple[Rule, ...]] = _by_kind((rule, rule.flow_to) for rule in self.rules.values())
        self.uses: dict[str, tuple[Rule, ...]] = _by_kind((rule, rule.use) for rule in self.rules.values())
        self._files = files
        self._models: dict[str, Models] = {}
        self._built_in: Catalogue | None = None
        self._own: dict[str, list[Entry]] = {}

    def models(self, language: str) -> Models:
        """The models of one language; none at all where no folder has its name."""
        known = self._models.get(language)
        if known is None:
            if self._built_in is not None:
                known = _with_own(self._built_in.models(language), self._own.get(language, []))
            else:
                files = self._files.get(language, ())
                entries = (entry for file in files for entry in read_model(file, read_text(file), self.kinds))
                known = merge(language, entries)
            self._models[language] = known
        return known

    def with_user(self, packed: str) -> Catalogue:
        """This catalogue with a user's own entries (a text of `user.checked`) beside its own."""
        if not packed:
            return self
        extended = copy.copy(self)
        extended._built_in = self
        extended._own = user.entries(packed, self.kinds, self.languages)
        extended._models = {}
        return extended


def load(rules_dir: Path, models_dir: Path) -> Catalogue:
    """The catalogue of two folders. Without a kinds.toml of its own, `models_dir` uses the built-in kinds.

    Raises `CatalogueError` for the first mistake in a rule; one in a model is raised by `Catalogue.models`.
    """
    kinds_file = models_dir / "kinds.toml"
    kinds = read_kinds(kinds_file if kinds_file.exists() else BUILTIN_MODELS / "kinds.toml")
    files = sorted(rules_dir.glob("*/*"))
    checks = {(file.parent.name, file.stem): file for file in files if file.suffix == ".py"}
    rules: dict[str, Rule] = {}
    for document in files:
        if document.suffix != ".md":
            continue
        check = checks.pop((document.parent.name, module_of(document)), None)
        rule = read_rule(document, read_text(document), kinds, check)
        if rule.id in rules:
            raise CatalogueError(document, 1, f'the id "{rule.id}" is taken by {rules[rule.id].document}; rename one')
        rules[rule.id] = rule
    for check in checks.values():
        if check.name != "__init__.py":
            raise CatalogueError(check, 1, f"belongs to no rule; write {check.stem.replace('_', '-')}.md beside it")
    return Catalogue(rules.values(), kinds, _by_language(models_dir))


def _by_language(models_dir: Path) -> dict[str, list[Path]]:
    """The files of each language's folder."""
    found: dict[str, list[Path]] = defaultdict(list)
    for file in sorted(models_dir.glob("*/*.toml")):
        found[file.parent.name].append(file)
    return dict(found)


@cache
def builtin() -> Catalogue:
    """The rules and models of this package, read once."""
    return load(BUILTIN_RULES, BUILTIN_MODELS)


def check_user(file: Path, text: str, words: Mapping[str, Any], prefix: str = "") -> str:
    """A user's own entries, packed for `Catalogue.with_user`. Quick: no rule is read. Raises `CatalogueError`."""
    return user.checked(file, text, words, *_kinds_and_languages(), prefix)


def user_in_force(packed: str) -> user.InForce:
    """How many entries a packed text has."""
    return user.in_force(packed, *_kinds_and_languages()) if packed else user.InForce(0, 0)


@cache
def _kinds_and_languages() -> tuple[Kinds, tuple[str, ...]]:
    return read_kinds(BUILTIN_MODELS / "kinds.toml"), tuple(sorted(_by_language(BUILTIN_MODELS)))


def _with_own(models: Models, own: list[Entry]) -> Models:
    """The models with a user's entries. Who describes one function of a module does not claim to know the module."""
    return replace(
        merge(models.language, (*models.entries, *own)),
        known_modules=models.known_modules,
        receivers=models.receivers,
        own=frozenset(path for entry in own for path in entry.paths if not path.startswith("?.")),
    )


def _by_kind(pairs: Iterable[tuple[Rule, frozenset[str]]]) -> dict[str, tuple[Rule, ...]]:
    found: dict[str, list[Rule]] = defaultdict(list)
    for rule, kinds in pairs:
        for kind in kinds:
            found[kind].append(rule)
    return {kind: tuple(rules) for kind, rules in found.items()}
