"""The hook that runs before a commit: what it does, and how it is put in place for plain git and taken away.

Whoever was there before still runs. The command line's libraries are not imported for it: somebody waits.

Hooks live where git looks for them: the user's `core.hooksPath`, or the repository's own folder, which linked work trees
share. A place outside the repository that the repository's own configuration names is refused.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from closeread_analyzers.finding import Severity

from .errors import Mistake
from .workspace.git import Repository

NAME = "pre-commit"
PREVIOUS = "pre-commit.before-closeread"
_MARK = "# Put here by `closeread hook install`; `closeread hook uninstall` takes it away."


def before_commit(threshold: Severity | None = None, *, callers: bool = False) -> int:
    """Look at what is staged, print what there is to say, and give the exit code: 0 lets the commit happen, 1 stops it.

    2 stops it too: something is wrong with the repository, or with us. With `callers`, the files that rest on what is staged
    are looked at too. Never raises.
    """
    try:
        return _look(threshold, callers)
    except Mistake as error:
        return _complain(str(error), 2)
    except Exception as error:
        return _complain(f"internal error: {type(error).__name__}: {error}", 2)


def _look(threshold: Severity | None, callers: bool) -> int:
    from .reports import text
    from .review import of_staged, repository_of

    index = os.environ.get("GIT_INDEX_FILE")  # of `git commit FILE`, which commits not all that is staged
    repository = repository_of(Path.cwd(), os.path.abspath(index) if index else None)  # noqa: PTH100
    try:
        review = of_staged(repository, threshold=threshold, with_dependents=callers)
    finally:
        repository.close()
    report = review.report
    if report.findings or report.problems:
        for line in text.lines(report):
            print("".join(piece for piece, _ in line).rstrip())
    if not review.gate:
        return 0
    found = f"{review.gate} {'finding' if review.gate == 1 else 'findings'}"
    return _complain(f"the commit is stopped: it would bring {found} (git commit --no-verify commits anyway).", 1)


def _complain(message: str, code: int) -> int:
    print(f"closeread: {message}", file=sys.stderr)
    return code


def script() -> str:
    """The hook. It runs the one that was there before, then us, isolated from the working folder."""
    python = shlex.quote(sys.executable)
    return f"""#!/bin/sh
{_MARK}
previous="$(dirname "$0")/{PREVIOUS}"
if [ -x "$previous" ]; then "$previous" "$@" || exit $?; fi
if [ ! -x {python} ]; then
    echo "closeread: {python} is gone; run closeread hook install again, or closeread hook uninstall" >&2
    exit 1
fi
exec {python} -I -m closeread hook
"""


def install(repository: Repository) -> Path:
    """Put the hook in place. Raises `Mistake` and OSError."""
    folder = _folder(repository)
    folder.mkdir(parents=True, exist_ok=True)
    hook, previous = folder / NAME, folder / PREVIOUS
    if _is_there(hook) and not _is_ours(hook):
        if _is_there(previous):
            raise Mistake(f"there are both {hook} and {previous}; move one of them away first.")
        hook.rename(previous)
    if hook.is_symlink():
        hook.unlink()
    hook.write_text(script(), "utf-8")
    hook.chmod(0o755)
    return hook


def uninstall(repository: Repository) -> Path:
    """Take the hook away, and put back what was there before. Raises `Mistake` where it is not ours."""
    folder = _folder(repository)
    hook, previous = folder / NAME, folder / PREVIOUS
    if not _is_there(hook) or not _is_ours(hook):
        raise Mistake(f"there is no hook of closeread's in {folder}.")
    hook.unlink()
    if _is_there(previous):
        previous.rename(hook)
    return hook


def _folder(repository: Repository) -> Path:
    scope, path = repository.hooks_path()
    if not path:
        return repository.common_dir / "hooks"
    folder = Path(path).expanduser()
    folder = folder if folder.is_absolute() else repository.top / folder
    inside = any(folder.resolve().is_relative_to(place.resolve()) for place in (repository.top, repository.common_dir))
    if scope in ("local", "worktree") and not inside:
        raise Mistake(f"this repository's core.hooksPath leads outside it, to {folder}; nothing is written there.")
    return folder


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _is_ours(hook: Path) -> bool:
    try:
        return not hook.is_symlink() and _MARK in hook.read_text("utf-8", "replace")
    except OSError:
        return False
