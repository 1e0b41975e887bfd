"""The lines for Emacs of editors/README.md, in a real Emacs with eglot, against the real server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import needs
from editors.projects import SINK, VULNERABLE

HERE = Path(__file__).parent
README = HERE.parents[1] / "editors" / "README.md"


def test_the_lines_for_emacs(tmp_path: Path) -> None:
    emacs = needs.program("emacs", "apt install emacs-nox elpa-eglot")
    (snippet,) = re.findall(r"^```elisp\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "snippet.el").write_text(snippet)
    (tmp_path / "app.py").write_text(VULNERABLE)
    environment = os.environ | {"HOME": str(tmp_path), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = [emacs, "--batch", "-l", HERE / "emacs.el", tmp_path / "snippet.el", tmp_path / "app.py"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    if "Cannot open load file" in ran.stderr and "eglot" in ran.stderr:
        needs.missing("needs eglot, which Emacs 29 brings along: apt install elpa-eglot")
    assert ran.returncode == 0, ran.stdout + ran.stderr[-4000:]
    said = dict(line.split(": ", 1) for line in ran.stdout.splitlines())

    assert said["shown"].startswith(f"({SINK} closeread [command-injection]: `flask.request.args` is under a client's")
    assert "How the data gets here" in said["hover"]
    assert "# closeread: ignore[command-injection]" in said["suppressed"]
    assert said["shown after that"] == "nil"
    assert said["shown once switched off"] == "nil"
    assert said["running in the end"] == "nil"
