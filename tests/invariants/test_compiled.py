"""What the compiler of the analysers cannot do: found in the sources, since most tests run what is interpreted."""

from __future__ import annotations

import ast
import tomllib

import pytest

from invariants.sources import ROOT, Source

HOOK = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"][
    "hooks"
]
FILES = sorted({file for pattern in HOOK["custom"]["compile"] for file in ROOT.glob(pattern)})


def faults(source: Source) -> list[str]:
    """Fields said to be an `object`, which the compiler looks for among the module's own names; classes inside of classes."""
    classes = [node for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef)]
    fields = [(node, one) for node in classes for one in node.body]
    return [
        f"{source.name}:{one.lineno}"
        for node, one in fields
        if isinstance(one, ast.ClassDef)
        or (
            isinstance(one, ast.AnnAssign)
            and (node.bases or node.decorator_list)
            and any(isinstance(name, ast.Name) and name.id == "object" for name in ast.walk(one.annotation))
        )
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_what_is_compiled_can_be(file) -> None:
    assert faults(Source(file.name, file.read_text("utf-8"))) == []


def test_the_faults_are_found() -> None:
    text = "class A(NamedTuple):\n    a: int\n    b: object\n\n\n@dataclass\nclass B:\n    c: list[object]\n\n    class C: ...\n"

    assert faults(Source("x.py", text)) == ["x.py:3", "x.py:8", "x.py:10"]
