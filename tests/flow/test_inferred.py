"""What a model inferred is followed like anything else and told apart; which calls are unknown, where it matters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from closeread_analyzers.catalogue import CatalogueError, builtin, check_user
from closeread_analyzers.finding import Confidence, Finding
from closeread_analyzers.pipeline import Project

SINKS = ("shell-command", "sql", "code", "template", "deserialise", "url", "path")

APP = """\
import os, flask, acme
from acme.net import fetch

def helper(command):
    acme.Client("x").run(command)
    acme.setup(1)

def view():
    helper(flask.request.args["c"])
    acme.query("a", text=flask.request.args["d"])
    os.system(fetch("x"))
    print(acme.home())
    flask.Markup(flask.request.args["e"])
"""


class Files:
    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts

    def read(self, path: str) -> bytes | None:
        return self.texts[path].encode() if path in self.texts else None

    def exists(self, path: str) -> bool:
        return path in self.texts


def unknown(text: str) -> list[tuple[str, str]]:
    project = Project(Files({"app.py": text}))
    return [(api.path, api.argument) for api in project.unknown(["app.py"], SINKS)]


def told(text: str, models: str) -> list[Finding]:
    packed = check_user(Path("closeread.toml"), "", _tables(models))
    return list(Project(Files({"app.py": text}), builtin().with_user(packed)).analyze("app.py").findings)


def _tables(models: str) -> dict[str, list[dict[str, object]]]:
    import tomllib

    return tomllib.loads(models)


def test_an_unknown_call_matters_where_outside_data_goes_in_or_its_result_reaches_a_sink() -> None:
    assert [("acme.Client.run", "0"), ("acme.net.fetch", "return"), ("acme.query", "text")] == sorted(unknown(APP))


def test_data_that_only_a_caller_has_is_followed_to_the_unknown_call() -> None:
    alone = APP.replace('helper(flask.request.args["c"])', "pass")

    assert ("acme.Client.run", "0") in unknown(APP)
    assert ("acme.Client.run", "0") not in unknown(alone)


def test_calls_of_a_module_that_models_describe_are_not_unknown() -> None:
    assert [] == unknown("import flask, requests\nrequests.brand_new(flask.request.args['a'])\n")


def test_what_was_made_harmless_does_not_matter() -> None:
    assert [] == unknown("import flask, acme\nacme.run(int(flask.request.args['a']))\n")


SINK = '[[sink]]\ncall = "acme.Client.run"\nargument = "0"\nkind = "shell-command"\n'
SOURCE = '[[source]]\ncall = "acme.net.fetch"\nkind = "remote"\n'


@pytest.mark.parametrize(("models", "line"), [(SINK, 5), (SOURCE, 11)])
def test_a_flow_over_an_inferred_entry_is_told_apart_and_not_trusted(models: str, line: int) -> None:
    (inferred,) = (f for f in told(APP, models + "inferred = true\n") if f.location.start_line == line)
    (confirmed,) = (f for f in told(APP, models) if f.location.start_line == line)

    assert ("command-injection-inferred", Confidence.LOW) == (inferred.rule, inferred.confidence)
    assert "Inferred by the model" in inferred.message
    assert "command-injection" == confirmed.rule
    assert confirmed.confidence > Confidence.LOW
    assert inferred.fingerprint == confirmed.fingerprint
    assert inferred.trace[0] == confirmed.trace[0]


def test_a_proven_flow_to_the_same_place_wins() -> None:
    text = "import os, flask, acme\nos.system(acme.net.fetch() + flask.request.args['a'])\n"

    assert ["command-injection"] == [f.rule for f in told(text, SOURCE + "inferred = true\n") if "command" in f.rule]


def test_what_was_inferred_silences_nothing() -> None:
    by_name = "import acme, flask\ncursor = acme.connect().cursor()\ncursor.execute(flask.request.args['a'])\n"
    beyond = "import os, acme, flask\nos.system(acme.read(flask.request.args['a']))\n"
    models = """
[[sink]]
call = ["acme.connect().cursor().execute", "acme.read"]
argument = "0"
kind = "path"
inferred = true
"""

    for text, rule in ((by_name, "sql-injection"), (beyond, "command-injection")):
        assert rule in [finding.rule for finding in told(text, "")]
        assert {rule, "path-traversal-inferred"} <= {finding.rule for finding in told(text, models)}


def test_only_what_adds_findings_can_be_inferred() -> None:
    with pytest.raises(CatalogueError, match="what hides findings needs a person"):
        told(APP, '[[barrier]]\ncall = "acme.clean"\nclears = ["@text"]\ninferred = true\n')


def test_the_twin_of_a_rule_is_found_by_name_and_not_listed() -> None:
    rules = builtin().rules

    assert rules["sql-injection-inferred"].title == f"{rules['sql-injection'].title} (inferred by the model)"
    assert "sql-injection-inferred" in rules
    assert "nothing-inferred" not in rules
    assert not [name for name in rules if name.endswith("-inferred")]
