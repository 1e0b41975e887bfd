"""Library models: every word is read into its entry, and every mistake names its file, its line and a way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from closeread_analyzers.catalogue import (
    ArgRef,
    Auth,
    CatalogueError,
    Condition,
    Guard,
    HandlerModel,
    Models,
    Route,
    Sink,
    Source,
    StepModel,
    TypeModel,
    Use,
    builtin,
    load,
    name_words,
)


@pytest.fixture
def read(tmp_path: Path):
    def read(text: str) -> Models:
        folder = tmp_path / "models" / "python"
        folder.mkdir(parents=True)
        (folder / "library.toml").write_text(text)
        return load(tmp_path / "rules", tmp_path / "models").models("python")

    return read


def test_a_sink_is_found_by_its_path(read) -> None:
    models = read("""
[[sink]]
call = ["subprocess.run", "subprocess.call"]
argument = ["0", "args"]
when = { shell = true }
kind = "shell-command"
""")

    (sink,) = models.calls["subprocess.call"]

    assert models.calls["subprocess.run"] == (sink,)
    assert isinstance(sink, Sink)
    assert sink.kind == "shell-command"
    assert sink.arguments == (ArgRef("position", 0), ArgRef("keyword", name="args"))
    assert sink.when == (Condition((ArgRef("keyword", name="shell"),), "is", (True,)),)
    assert sink.library == "library"
    assert models.known_modules == {"subprocess"}


def test_every_word_makes_its_entry(read) -> None:
    models = read("""
[[source]]
attribute = "flask.request.args"
kind = "remote"
crumb = "a query parameter"

[[step]]
call = "shlex.join"
from = "0"
clears = ["shell-command"]

[[barrier]]
call = "int"
clears = ["@text"]

[[guard]]
compare = "in"
subject = "self"
holds = false
clears = ["path"]

[[type]]
call = "sqlite3.connect"
returns = "sqlite3.Connection"

[[use]]
decorator = "csrf.exempt"
kind = "csrf-off"
message = "Words."

[[handler]]
base = "views.View"
methods = ["get", "post"]
parameters = "remote"
returns = "html-response"

[[handler]]
decorator = "app.post"
types = ["", "web.Request"]
route = { path = "0", method = "POST" }

[[auth]]
base = "mixins.LoginRequired"
""")
    source = models.attributes["flask.request.args"][0]
    step, barrier = models.calls["shlex.join"][0], models.calls["int"][0]
    guard, type_ = models.compares["in"][0], models.calls["sqlite3.connect"][0]
    use = models.decorators["csrf.exempt"][0]
    view, post = models.bases["views.View"][0], models.decorators["app.post"][0]

    assert isinstance(source, Source) and (source.kind, source.crumb) == ("remote", "a query parameter")
    assert isinstance(step, StepModel) and not step.barrier
    assert (step.inputs, step.outputs) == ((ArgRef("position", 0),), (ArgRef("return"),))
    assert isinstance(barrier, StepModel) and barrier.barrier
    assert barrier.inputs == (ArgRef("self"), ArgRef("all"))
    assert barrier.clears >= {"sql", "html", "path"}
    assert isinstance(guard, Guard) and (guard.holds, guard.clears) == (False, {"path"})
    assert isinstance(type_, TypeModel) and type_.returns == "sqlite3.Connection"
    assert isinstance(use, Use) and (use.kind, use.message) == ("csrf-off", "Words.")
    assert isinstance(view, HandlerModel) and view.methods == ("get", "post") and view.parameters == "remote"
    assert view.returns == "html-response"
    assert isinstance(post, HandlerModel) and post.types == ("", "web.Request")
    assert post.route == Route(path=ArgRef("position", 0), method="POST")
    assert isinstance(models.bases["mixins.LoginRequired"][0], Auth)


def test_conditions(read) -> None:
    models = read("""
[[use]]
call = "rsa.new"
kind = "weak-key"
when = { "0,bits" = "< 2048", mode = ["<absent>", "ECB", "<none>"], "1[kid][id]" = "<text>" }
unless = { self = "<unknown>" }
""")
    bits, mode, key = (use := models.calls["rsa.new"][0]).when
    places = (ArgRef("keyword", name="mode"),)

    assert bits == Condition((ArgRef("position", 0), ArgRef("keyword", name="bits")), "<", (2048.0,))
    assert mode == Condition(
        places,
        "any",
        alternatives=(Condition(places, "is", ("ECB", None)), Condition(places, "absent")),
    )
    assert key == Condition((ArgRef("position", 1, keys=("kid", "id")),), "text")
    assert use.unless == (Condition((ArgRef("self"),), "unknown"),)


def test_a_wild_path_stands_under_its_last_name(read) -> None:
    models = read("""
[[sink]]
call = "?.execute"
receiver = "cur|cursor|conn"
argument = "0"
kind = "sql"
""")
    (sink,) = models.wild_calls["execute"]

    assert sink.receiver
    assert [
        name for name in ("cur", "dbCursor", "CONN", "recur", "task") if sink.receiver.search(name_words(name))
    ] == [
        "cur",
        "dbCursor",
        "CONN",
    ]
    assert models.known_modules == frozenset()


def test_a_named_sink_matches_whole_words(read) -> None:
    (sink,) = read("""
[[sink]]
named = "token|session_id"
kind = "secret-value"
""").named
    names = ("token", "csrfToken", "SESSION_ID", "X-Session-Id", "tokenizer", "session", "Tokens")

    assert sink.name
    assert [name for name in names if sink.name.search(name_words(name))] == [
        "token",
        "csrfToken",
        "SESSION_ID",
        "X-Session-Id",
    ]


def test_the_value_of_an_assignment_is_position_0(read) -> None:
    (use,) = read("""
[[use]]
assign = "flask.Flask.debug"
when = { value = true }
kind = "debug-mode"
""").assigns["flask.Flask.debug"]

    assert use.when == (Condition((ArgRef("position", 0),), "is", (True,)),)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sessionId", "session_id"),
        ("APIKey", "api_key"),
        ("HTTPServer2", "http_server2"),
        ("X-CSRF-Token", "x_csrf_token"),
        ("__private__", "private"),
        ("ALL_CAPS", "all_caps"),
        ("plain", "plain"),
    ],
)
def test_words_of_a_name(name: str, words: str) -> None:
    assert name_words(name) == words


GOOD = '[[sink]]\ncall = "a.b"\nargument = "0"\nkind = "sql"\n\n'


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('[[snk]]\ncall = "a"\n', 1, 'did you mean "sink"?'),
        (GOOD + '[[sink]]\ncall = "a"\nargument = "0"\nkind = "sqll"\n', 9, 'did you mean "sql"?'),
        (GOOD + '[[sink]]\ncall = "a"\nargument = "0"\nknd = "sql"\nkind = "sql"\n', 9, 'did you mean "kind"?'),
        (GOOD + '[[sink]]\ncall = "a"\nargument = "0"\n', 6, "`kind` is missing"),
        (GOOD + '[[sink]]\ncall = "a"\nkind = "sql"\n', 6, "`argument` is missing"),
        (GOOD + '[[sink]]\nargument = "0"\nkind = "sql"\n', 6, "needs one of `call`, `assign`, `named`"),
        (GOOD + '[[sink]]\ncall = 3\nargument = "0"\nkind = "sql"\n', 7, "`call` must be a string or a list"),
        (GOOD + '[[sink]]\ncall = "a b"\nargument = "0"\nkind = "sql"\n', 7, "is no path"),
        (GOOD + '[[sink]]\ncall = "?.a.b"\nargument = "0"\nkind = "sql"\n', 7, 'after "?." comes one name'),
        (GOOD + '[[sink]]\ncall = "a"\nargument = "0["\nkind = "sql"\n', 8, "is no argument"),
        (GOOD + '[[sink]]\ncall = "a"\nargument="0"\nreceiver="b"\nkind = "sql"\n', 9, "`receiver` is for paths"),
        ('[[barrier]]\ncall = "int"\nclears = ["@texts"]\n', 3, 'did you mean "text"?'),
        ('[[barrier]]\ncall = "int"\n', 1, "`clears` is missing"),
        ('[[use]]\ncall = "a"\nwhen = { x = "<absnt>" }\nkind = "shell"\n', 3, 'did you mean "<absent>"?'),
        ('[[use]]\ncall = "a"\nwhen = { x = [] }\nkind = "shell"\n', 3, "has an empty list"),
        ('[[guard]]\ncompare = "has"\nsubject = "self"\nclears = "path"\n', 2, "is not a comparison"),
        ('[[handler]]\ndecorator = "a"\nroute = { pth = "0" }\n', 3, 'did you mean "path"?'),
        ('[sink]\ncall = "a"\n', 1, "must be written [[sink]]"),
        ("[[sink]]\ncall = \n", 2, "not TOML"),
    ],
)
def test_a_mistake_names_its_line(read, text: str, line: int, message: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        read(text)

    assert (caught.value.file.name, caught.value.line) == ("library.toml", line)
    assert message in caught.value.message
    assert str(caught.value).startswith(f"{caught.value.file}:{line}: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[group]\ntext = ["sqll"]\n', 'did you mean "sql"?'),
        ('[prefix]\nsqll = "x"\n', 'did you mean "sql"?'),
        ('[prefix]\nsql = "("\n', "is not a regular expression"),
        ("[use]\nshell = 1\n", "must be a string"),
    ],
)
def test_a_mistake_in_the_kinds_names_its_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "kinds.toml").write_text(f'[sink]\nsql = "SQL."\n\n{text}')

    with pytest.raises(CatalogueError, match=r"kinds\.toml:5: ") as caught:
        load(tmp_path, tmp_path)

    assert message in caught.value.message


def test_a_folder_of_another_name_has_no_models() -> None:
    assert builtin().models("cobol").entries == ()


def test_every_built_in_model_is_read() -> None:
    catalogue = builtin()

    assert set(catalogue.languages) >= {"python", "javascript"}
    assert all(catalogue.models(language).entries for language in catalogue.languages)


def test_every_pattern_of_a_built_in_model_compiles() -> None:
    entries = [entry for language in builtin().languages for entry in builtin().models(language).entries]
    patterns = [entry.receiver for entry in entries] + [entry.name for entry in entries if isinstance(entry, Sink)]
    used = [pattern for pattern in patterns if pattern is not None]

    assert len(used) > 20
    assert all(pattern.search("") is None for pattern in used)
