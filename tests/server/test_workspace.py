from __future__ import annotations

from pathlib import Path

import pytest

from closeread.settings import Settings
from closeread.workspace.files import Workspace, digest, find_root


def tree(root: Path, *paths: str, **texts: str) -> None:
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(texts.get(path, "x = 1\n"), "utf-8")


def ignore(root: Path, text: str, folder: str = "") -> None:
    (root / folder).mkdir(parents=True, exist_ok=True)
    (root / folder / ".gitignore").write_text(text, "utf-8")


def listed(root: Path, *under: str, **settings: object) -> tuple[str, ...]:
    workspace = Workspace(root, Settings(**settings))  # type: ignore[arg-type]
    return workspace.sources([root / path for path in under]).files


def test_sources_only_and_in_order(tmp_path: Path) -> None:
    tree(tmp_path, "b.py", "a/c.js", "a.py", "README.md", "data.bin")

    assert listed(tmp_path) == ("a.py", "a/c.js", "b.py")


def test_configuration_is_found_by_name_and_data_is_left_out(tmp_path: Path) -> None:
    tree(
        tmp_path,
        ".env",
        ".env.production",
        "Dockerfile",
        ".github/workflows/a.yml",
        "package.json",
        "package-lock.json",
    )
    (tmp_path / "data.json").write_text("[" + "1, " * 200_000 + "1]", "utf-8")

    listing = Workspace(tmp_path, Settings()).sources()

    assert listing.files == (".env", ".env.production", ".github/workflows/a.yml", "Dockerfile", "package.json")
    assert listing.ignored == 1


def test_what_is_never_the_projects_own(tmp_path: Path) -> None:
    tree(tmp_path, "a.py", "node_modules/m/i.js", ".git/hooks/x.py", "__pycache__/a.py", "env/lib/x.py", "app.min.js")
    tree(tmp_path, "env/pyvenv.cfg", "build/kept.py", "dist/kept.py")

    assert listed(tmp_path) == ("a.py", "build/kept.py", "dist/kept.py")


def test_gitignore_at_every_level(tmp_path: Path) -> None:
    tree(tmp_path, "a.py", "gen/a.py", "sub/gen.py", "sub/keep.py", "sub/deep/gen.py", "sub/only/a.py", "only/a.py")
    ignore(tmp_path, "gen/\ngen.py\n# a comment\n\n")
    ignore(tmp_path, "!gen.py\n/only\n", "sub")

    assert listed(tmp_path) == ("a.py", "only/a.py", "sub/deep/gen.py", "sub/gen.py", "sub/keep.py")


def test_a_folder_left_out_cannot_be_entered_by_a_later_pattern(tmp_path: Path) -> None:
    tree(tmp_path, "gen/a.py", "b.py")
    ignore(tmp_path, "gen/\n!gen/a.py\n")

    assert listed(tmp_path) == ("b.py",)


def test_git_info_exclude(tmp_path: Path) -> None:
    tree(tmp_path, "a.py", "mine.py", ".git/info/x")
    (tmp_path / ".git/info/exclude").write_text("mine.py\n")

    assert listed(tmp_path) == ("a.py",)


def test_gitignore_of_the_repository_above_the_root(tmp_path: Path) -> None:
    tree(tmp_path, ".git/HEAD", "sub/closeread.toml", "sub/a.py", "sub/gen/b.py", "sub/top.py")
    ignore(tmp_path, "gen/\n/top.py\n/sub/a.py\n")

    assert find_root(tmp_path / "sub") == tmp_path / "sub"
    assert listed(tmp_path / "sub") == ("top.py",)


def test_exclude(tmp_path: Path) -> None:
    tree(tmp_path, "a.py", "tests/b.py", "src/tests/c.py", "src/d.py")

    assert listed(tmp_path, exclude=("/tests/", "src/d.*")) == ("a.py", "src/tests/c.py")


def test_what_is_named_outright_is_read_though_ignored(tmp_path: Path) -> None:
    tree(tmp_path, ".venv/lib/a.py", ".venv/pyvenv.cfg", "gen/b.py", "x.min.js", "c.py")
    ignore(tmp_path, ".venv\ngen\n")

    assert listed(tmp_path) == ("c.py",)
    assert listed(tmp_path, ".venv/lib") == (".venv/lib/a.py",)
    assert listed(tmp_path, "gen/b.py", "x.min.js") == ("gen/b.py", "x.min.js")


def test_paths_that_overlap_are_listed_once(tmp_path: Path) -> None:
    tree(tmp_path, "a/b.py")

    assert listed(tmp_path, "a", ".", "a/b.py") == ("a/b.py",)


def test_ignored_counts_and_agrees_for_one_file(tmp_path: Path) -> None:
    tree(tmp_path, "a.py", "gen/x/b.py", "node_modules/c.js")
    ignore(tmp_path, "gen\n")
    workspace = Workspace(tmp_path)

    assert workspace.sources().ignored == 2
    assert [workspace.ignored(path) for path in ("a.py", "gen/x/b.py", "node_modules/c.js")] == [False, True, True]


def test_the_root_is_the_nearest_configuration_or_repository(tmp_path: Path) -> None:
    tree(tmp_path, ".git/HEAD", "a/b/c.py", "p/pyproject.toml", "p/q/d.py", "t/pyproject.toml", "t/u/e.py")
    (tmp_path / "p/pyproject.toml").write_text("[tool.closeread]\n")
    (tmp_path / "t/pyproject.toml").write_text("[tool.other]\n")

    assert find_root(tmp_path / "a/b/c.py") == tmp_path
    assert find_root(tmp_path / "p/q") == tmp_path / "p"
    assert find_root(tmp_path / "t/u") == tmp_path


def test_reading(tmp_path: Path) -> None:
    tree(tmp_path, "a.py", "sub/b.py")
    workspace = Workspace(tmp_path)

    assert workspace.read("sub/b.py") == b"x = 1\n"
    assert workspace.digest("sub/b.py") == digest(b"x = 1\n")
    assert workspace.exists("sub/b.py")
    assert not workspace.exists("sub/c.py")
    assert not workspace.exists("sub")
    assert workspace.read("sub/c.py") is None
    assert workspace.digest("sub/c.py") == ""


def test_a_changed_file_is_seen_when_it_is_forgotten(tmp_path: Path) -> None:
    tree(tmp_path, "a.py")
    workspace = Workspace(tmp_path)
    before = workspace.digest("a.py"), workspace.exists("b.py")
    (tmp_path / "a.py").write_text("y = 2\n")
    (tmp_path / "b.py").write_text("y = 2\n")
    unseen = workspace.digest("a.py"), workspace.exists("b.py")
    workspace.forget("a.py")

    assert unseen == before
    assert (workspace.digest("a.py"), workspace.exists("b.py")) == (digest(b"y = 2\n"), True)


@pytest.mark.parametrize("path", ["../secret.py", "a/../../secret.py", "/etc/hostname", "", "a\0b.py", "a/../a.py"])
def test_no_path_leads_out(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    tree(root, "a/x.py", "a.py")
    (tmp_path / "secret.py").write_text("secret = 1\n")
    workspace = Workspace(root)

    assert not workspace.exists(path)
    assert workspace.read(path) is None
