"""Configuration as code: what each format becomes, that no text makes a reading fail, what is found and what is not."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from closeread_analyzers import ir
from closeread_analyzers.configuration import is_for_people
from closeread_analyzers.finding import Finding
from closeread_analyzers.languages import language_of, languages, largest
from closeread_analyzers.languages.config.relevance import is_relevant
from closeread_analyzers.pipeline import Project, merged
from closeread_analyzers.tree import walk
from languages.shapes import shape

CONFIG = [language for language in languages() if "settings" in language.traits]
FILES = ["a.yml", "a.json", "a.toml", ".env", "a.ini", "Dockerfile"]


def lowered(path: str, text: str | bytes) -> ir.Module:
    source = text.encode() if isinstance(text, str) else text
    language = language_of(path)
    assert language is not None
    return language.lower(path, source, language.parse(source))


def shapes(path: str, text: str) -> str:
    return "; ".join(shape(unit.statement) for unit in lowered(path, text).units)


class Files:
    def __init__(self, **texts: str) -> None:
        self.texts = texts

    def read(self, path: str) -> bytes | None:
        text = self.texts.get(path)
        return None if text is None else text.encode()

    def exists(self, path: str) -> bool:
        return path in self.texts


def findings(path: str, text: str) -> list[Finding]:
    result = Project(Files(**{path: text})).analyze(path)

    assert [problem for problem in result.problems if problem.kind == "crash"] == []
    return merged([result])


def found(path: str, text: str) -> list[tuple[str, int, str]]:
    return [
        (at.rule, at.location.start_line, at.severity.label) for at in findings(path, text) if at.suppression is None
    ]


# --- Which files ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/.env", "dotenv"),
        ("a/.env.production", "dotenv"),
        ("prod.env", "dotenv"),
        (".npmrc", "dotenv"),
        ("a/Dockerfile", "dockerfile"),
        ("Dockerfile.dev", "dockerfile"),
        ("build.dockerfile", "dockerfile"),
        ("Containerfile", "dockerfile"),
        ("docker-compose.yml", "yaml"),
        ("A.YAML", "yaml"),
        ("package.json", "json"),
        ("pyproject.toml", "toml"),
        ("application.properties", "ini"),
        ("setup.cfg", "ini"),
        ("Dockerfile.py", "python"),
        (".env.js", "javascript"),
        ("package-lock.json", ""),
        ("poetry.lock", ""),
        ("pnpm-lock.yaml", ""),
        ("data.min.json", ""),
        ("Dockerfile.md", ""),
        ("closeread.toml", ""),
        ("a.env/readme", ""),
        ("env", ""),
        ("README", ""),
        ("", ""),
    ],
)
def test_language_of(path: str, name: str) -> None:
    language = language_of(path)

    assert (language.name if language else "") == name


def test_data_is_told_by_its_size() -> None:
    assert largest("a.json") == 256_000
    assert largest("a.yml") == 1_000_000
    assert largest("a.py") is None
    assert lowered("a.json", '{"password": "' + "x1" * 200_000 + '"}').units == []


@pytest.mark.parametrize(
    ("text", "relevant"),
    [
        (b"password: x1y2z3", True),
        (b'{"apiKey": "abcd"}', True),
        (b"- name: DB_PASSWORD\n  value: abc", True),
        (b"url: postgres://a:b@c", True),
        (b"key: AKIA4XQJ7RBN2WMTUF5K", True),
        (b"debug: true", True),
        (b'{"debug": "^4.0.0", "name": "x"}', False),
        (b'{"password": {"type": "string"}}', False),
        (b"secret: ${SECRET}", False),
        (b"on: push", False),
        (b"", False),
    ],
)
def test_relevance(text: bytes, relevant: bool) -> None:
    assert is_relevant(text) is relevant


def test_an_irrelevant_text_is_not_read() -> None:
    assert lowered("a.yml", "a: [").problems == []
    assert lowered("a.yml", "password: abcd\na: [").problems != []


# --- What it becomes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.yml", "password: abcd", "Assign([password], 'abcd')"),
        (
            "a.yml",
            "pwd: 'that''s'\na: 1\nb: no\nc: ~",
            'Assign([pwd], "that\'s"); Assign([a], 1); Assign([b], False); Assign([c], None)',
        ),
        (
            "a.yml",
            "a: {b: [c, secret: xyzz]}",
            "Assign([a], Mapping([['b' Sequence(list, ['c' Mapping([['secret' 'xyzz']])])]]))",
        ),
        ("a.yml", "secret: !ENV abcd", "Assign([secret], Call(!ENV, ['abcd']))"),
        ("a.yml", "secret: abcd\n<<: *x", "Assign([secret], 'abcd'); Opaque(alias, [])"),
        ("a.yml", "secret: abcd\n---\nb: c", "Block([Assign([secret], 'abcd')]); Block([Assign([b], 'c')])"),
        (
            "a.yml",
            "environment:\n  - SECRET=abcd\n  - B",
            "Assign([environment], Mapping([['SECRET' 'abcd'] ['B' Opaque(inherited, [])]]))",
        ),
        ("a.yml", "env: [{name: SECRET, value: abcd}]", "Assign([env], Mapping([['SECRET' 'abcd']]))"),
        (
            "a.yml",
            "{{ if x }}\nsecret: abcd\nb: {{ .Values.y }}\n{{ end }}",
            "Assign([secret], 'abcd'); Assign([b], '{{ .Values.y }}')",
        ),
        ("a.yml", "[secret=abcd]", "Sequence(list, ['secret=abcd'])"),
        ("a.json", '{"token": "a\\u00e9b\\n"}', "Assign([token], 'aéb\\n')"),
        (
            "a.json",
            '// c\n{"secret": "abcd", "b": [1, 2.5, true, null]}',
            "Assign([secret], 'abcd'); Assign([b], Sequence(list, [1 2.5 True None]))",
        ),
        ("a.json", '["secret=abcd"]', "Sequence(list, ['secret=abcd'])"),
        ("a.toml", "[a.b]\nsecret = 'abcd'", "Assign([Attribute(a, b)], Mapping([['secret' 'abcd']]))"),
        ("a.toml", 'a.secret = """\nabcd"""', "Assign([Attribute(a, secret)], 'abcd')"),
        (".env", "export A_SECRET='abcd'\n", "Assign([A_SECRET], 'abcd')"),
        (".env", "SECRET=abcd # c\nB=x#y\n", "Assign([SECRET], 'abcd'); Assign([B], 'x#y')"),
        (".env", 'SECRET="a\\nb\nc"\nD=2', "Assign([SECRET], 'a\\nb\\nc'); Assign([D], 2)"),
        ("a.properties", "db.password: abcd", "Assign([Attribute(db, password)], 'abcd')"),
        ("a.ini", "[s]\n# password=x\npassword = abcd ; c", "Assign([s], Mapping([['password' 'abcd']]))"),
        ("Dockerfile", 'ENV A=b C="d e"\nARG F', "Assign([A], 'b'); Assign([C], 'd e'); Assign([F], None)"),
        ("Dockerfile", "ENV A b c", "Assign([A], 'b c')"),
        ("Dockerfile", "FROM a AS b\nUSER c", "Call(FROM, ['a' 'AS' 'b']); Call(USER, ['c'])"),
        ("Dockerfile", "RUN --mount=type=x a \\\n # c\n b", "Call(RUN, [Argument('type=x', mount) 'a         b'])"),
        ("Dockerfile", 'CMD ["a", "b"]', "Call(CMD, [Sequence(list, ['a' 'b'])])"),
        ("Dockerfile", "RUN <<E\nx\nE\nUSER a", "Call(RUN, ['<<E\\nx\\nE']); Call(USER, ['a'])"),
    ],
)
def test_shape(path: str, text: str, expected: str) -> None:
    assert shapes(path, text) == expected


def test_many_records_are_data() -> None:
    text = '{"password": "abcd", "users": [' + ", ".join(['{"password": "s3cret-door"}'] * 101) + "]}"

    assert shapes("a.json", text) == "Assign([password], 'abcd'); Assign([users], Opaque(records, []))"


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("a.yml", 'é: ü\nsecret: "äbcd"\nb: c', '"äbcd"'),
        ("a.yml", "x: 1\nenv:\n  - 'SECRET=äbcd'\n", "äbcd"),
        ("a.yml", "{{ é }}\nsecret: äbcd", "äbcd"),
        ("a.json", '{"é": 1, "secret": "äbcd"}', '"äbcd"'),
        ("a.toml", '# é\nsecret = "äbcd"', '"äbcd"'),
        (".env", '# é\nSECRET="äbcd"', '"äbcd"'),
        ("a.ini", "[é]\nsecret = äbcd", "äbcd"),
        ("Dockerfile", "# é\nENV A=1 B=2 \\\n SECRET=äbcd", "äbcd"),
    ],
)
def test_positions_are_exact(path: str, text: str, value: str) -> None:
    module = lowered(path, text)
    places = [
        module.source[unit.start + node.start : unit.start + node.end].decode()
        for unit in module.units
        for node in walk(unit.statement)
        if isinstance(node, ir.Constant) and node.value == "äbcd"
    ]

    assert places == [value]


# --- Any input --------------------------------------------------------------------------------------


def whole(path: str, source: bytes) -> ir.Module:
    """Lowers, and checks that every node lies in its unit and every unit in the file."""
    module = lowered(path, source)
    for unit in module.units:
        assert 0 <= unit.start <= unit.end <= len(source)
        for node in walk(unit.statement):
            assert 0 <= node.start <= node.end <= unit.end - unit.start
    for problem in module.problems:
        assert 0 <= problem.start <= len(source)
        assert problem.message
    return module


PIECES = st.sampled_from(
    (
        *(
            "password",
            "secret: ",
            "= ",
            ":",
            "- ",
            "{",
            "}",
            "[",
            "]",
            '"',
            "'",
            "\n",
            "  ",
            "\\",
            "#",
            "${{ a }}",
            "{{ b }}",
        ),
        *(
            "{% c %}",
            "|",
            "&a ",
            "*a",
            "!t ",
            "ENV ",
            "FROM ",
            "RUN ",
            "<<E",
            "E",
            "é",
            "\U0001f600",
            "\x00",
            "\t",
            "---\n",
        ),
    )
)


@pytest.mark.parametrize("path", FILES)
@settings(max_examples=60, deadline=None)
@given(source=st.binary(max_size=200))
@example(b"")
@example(b"\xff\xfe\x00")
@example(b"secret: \xe9\x85\xa0\n- ")
def test_any_bytes(path: str, source: bytes) -> None:
    whole(path, source)
    whole(path, b"password: hunter22x\n" + source)


@pytest.mark.parametrize("path", FILES)
@settings(max_examples=150, deadline=None)
@given(words=st.lists(PIECES, max_size=40))
def test_any_words(path: str, words: list[str]) -> None:
    whole(path, ("SECRET=abcdef\n" + "".join(words)).encode())
    whole(path, ("".join(words) + "\nsecret: abcdef").encode())


@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize(
    "piece", ["[", "{", "- ", '{"a":', "x=[", "a:\n ", "? ", "x={a=", "{{", "a.", "RUN <<A\n", "'"]
)
def test_deep_and_long_texts(path: str, piece: str) -> None:
    began = time.process_time()

    whole(path, b"password: hunter22x\n" + piece.encode() * 30_000)

    assert time.process_time() - began < 10  # seconds; each takes about one where nothing else runs


def test_deep_nesting_is_said_once_and_costs_no_neighbour() -> None:
    text = "secret: abcd\na: " + "[" * 500 + "]" * 500 + "\n"

    module = lowered("a.yml", text)

    assert [problem.message for problem in module.problems] == [
        "nested deeper than 100 levels: the inner part was not analysed"
    ]
    assert shape(module.units[0].statement) == "Assign([secret], 'abcd')"


def test_a_mistake_costs_what_stands_behind_it() -> None:
    module = lowered("a.yml", "secret: abcd\nb: [1\nc: d\n")

    assert shape(module.units[0].statement) == "Assign([secret], 'abcd')"
    assert len(module.problems) == 1
    assert module.problems[0].message.startswith("not YAML from here on")


def test_other_words_are_no_recipe() -> None:
    assert [p.message for p in lowered("Dockerfile", "hello world\n").problems] == [
        "no instruction of a container image's recipe was found; not analysed"
    ]


# --- What is found ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".env", "DB_PASSWORD=Tr0ub4dor&3"),
        ("a.yml", "db:\n  password: Tr0ub4dor&3"),
        ("docker-compose.yml", "services:\n  db:\n    environment:\n      - POSTGRES_PASSWORD=Tr0ub4dor&3"),
        ("deployment.yaml", "env:\n  - name: API_KEY\n    value: 8f14e45fceea167a5a36dedd4bea2543"),
        ("a.toml", "[db]\npassword = 'Tr0ub4dor&3'"),
        ("a.json", '{"db": {"password": "Tr0ub4dor&3"}}'),
        ("application.properties", "spring.datasource.password=Tr0ub4dor&3"),
        ("a.ini", "[db]\npassword = Tr0ub4dor&3"),
        ("Dockerfile", "FROM a\nENV DB_PASSWORD=Tr0ub4dor&3"),
    ],
)
def test_a_secret_is_found_in_every_format(path: str, text: str) -> None:
    line = text.count("\n") + 1

    assert found(path, text) == [("hard-coded-credential", line, "high")]


@pytest.mark.parametrize(
    "value",
    (
        *("changeme", "xxx", "${DB_PASSWORD}", "$DB_PASSWORD", "<secret>", "{{ .Values.password }}", "/run/secrets/db"),
        *("vault:secret/data/db#password", "ENC[AES256_GCM,data:Tr0ub4dor]", "ENC(Tr0ub4dor3abc)", "your-password-1"),
        *(
            "Password",
            "arn:aws:secretsmanager:eu:1:secret:x",
            "%(DB_PASSWORD)s",
            "op://vault/db/password",
            "''",
            "1.2.3",
        ),
        *(
            "db-credentials-v2",
            "Das Passwort, bitte 1",
            "Contraseña1",
            "$2y$10$abcdefghijklmnopqrstuv",
            "!ENV DB_PASSWORD",
        ),
        *(
            "true",
            "!vault abc123DEF456",
            "${{ secrets.DB }}",
            "$(DB_PASSWORD)",
            "file:/etc/password1",
            "{cipher}a1b2c3d4e5",
        ),
    ),
)
def test_what_stands_in_a_secrets_place(value: str) -> None:
    quoted = f"'{value}'" if value.startswith(("{", "<", "%")) else value

    assert found("config.yml", f"db:\n  password: {quoted}\n") == []


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("docker-compose.yml", "services:\n db:\n  environment:\n   POSTGRES_PASSWORD: postgres", ["low"]),
        ("docker-compose.yml", "services:\n db:\n  environment:\n   MYSQL_ROOT_PASSWORD: example", ["low"]),
        (".env", "DATABASE_URL=postgres://postgres:postgres@db/shop", ["low"]),
        (".env", "DATABASE_URL=postgres://shop:winter2019@db/shop", ["high"]),
        (".env", "PASSWORD=123456", ["low"]),
        (".env.example", "DB_PASSWORD=Tr0ub4dor&3", ["low"]),
        (".env.example", "DB_PASSWORD=123456", []),
        ("config.sample.yml", "password: Tr0ub4dor&3", ["low"]),
        ("tests/config.yml", "password: Tr0ub4dor&3", ["low"]),
        ("locales/de.json", '{"password": "Passw0rt!1"}', []),
        ("messages_de.properties", "login.password=Passw0rt!1", []),
        ("openapi.yml", "password: Tr0ub4dor&3", []),
        ("api.yml", "components:\n  examples:\n    a: {password: Tr0ub4dor&3}", []),
        ("api.json", '{"properties": {"password": {"type": "string", "default": "Tr0ub4dor&3"}}}', []),
        ("package.json", '{"dependencies": {"api-key": "1.0.2-beta3"}}', []),
        ("values.yaml", "existingSecret: shop-db-01x7Q\nsecretName: Tr0ub4dor3", []),
        (".npmrc", "//registry.shop.example/:_authToken=npm_a8Zk3LmQ0vXt7RbN2WsYd5FhJ9Uc1E2AdTsJ", ["high"]),
        ("a.yml", "note: AKIA4XQJ7RBN2WMTUF5K", ["high"]),
        ("a.yml", "note: AKIAIOSFODNN7EXAMPLE", []),
        ("secret.yml", "apiVersion: v1\nkind: Secret\ndata:\n  password: Y2hhbmdlbWU=", []),
        ("secret.yml", "apiVersion: v1\nkind: Secret\ndata:\n  password: VHIwdWI0ZG9yJjM=", ["high"]),
        ("key.yml", "key: |\n  -----BEGIN PRIVATE KEY-----\n  " + "MIIBVgIBADANBgkqhkiG9w0B" * 3, ["high"]),
        (".env", 'KEY="-----BEGIN PRIVATE KEY-----\\n' + "MIIBVgIBADANBgkqhkiG9w0B" * 3 + '"', ["high"]),
    ],
)
def test_severity(path: str, text: str, expected: list[str]) -> None:
    assert [severity for _, _, severity in found(path, text)] == expected


def test_a_comment_answers_a_finding() -> None:
    assert found("a.yml", "password: Tr0ub4dor&3 # closeread: ignore[hard-coded-credential] on a desk\n") == []
    assert found(".env", "# closeread: ignore[hard-coded-credential] on a desk\nPASSWORD=Tr0ub4dor&3\n") == []
    assert found("a.json", '{\n// closeread: ignore[hard-coded-credential] x\n"password": "Tr0ub4dor&3"}') == []
    assert found("a.yml", "a: '# closeread: ignore[hard-coded-credential]'\npassword: Tr0ub4dor&3\n") != []


def test_a_workflow_started_by_proposals_only_is_of_medium_severity() -> None:
    text = "on: {0}\njobs:\n  a:\n    steps:\n      - run: echo ${{{{ github.head_ref }}}}\n"

    assert found(".github/workflows/a.yml", text.format("pull_request")) == [("workflow-script-injection", 5, "medium")]
    assert found(".github/workflows/a.yml", text.format("[push, issues]")) == [("workflow-script-injection", 5, "high")]


def test_texts_for_people() -> None:
    assert is_for_people("src/i18n/a.json")
    assert is_for_people("pt-BR.yml")
    assert not is_for_people("config/database.yml")


def test_every_format_is_one_of_configuration() -> None:
    assert {language.name for language in CONFIG} == {"dockerfile", "dotenv", "ini", "json", "toml", "yaml"}
