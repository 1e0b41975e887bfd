"""The plug-in in a real Neovim against the real server: what its user sees."""

from __future__ import annotations

import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
import tomllib
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import needs
from closeread import version
from closeread_analyzers.languages import language_of, languages
from editors.neovim import PLUGIN, Neovim, clean_path, neovim, program
from editors.projects import SINK, VULNERABLE
from editors.schema import settings
from server.lsp.test_mend import SAFE, TEXT, TITLE, answered
from server.lsp.test_teach import taught

SETUP = f'require("closeread").setup({{ python = "{sys.executable}" }})'

HARMLESS = "def double(number):\n    return number * 2\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text("")
    (folder / "app.py").write_text(VULNERABLE)
    (folder / "other.py").write_text(VULNERABLE.replace("ping", "probe"))
    (folder / "harmless.py").write_text(HARMLESS)
    return folder


@pytest.fixture
def editor(tmp_path: Path) -> Iterator[Neovim]:
    with neovim(tmp_path / "home", SETUP) as editor:
        yield editor


def shows(editor: Neovim, rule: str, buffer: int = 0) -> bool:
    return rule in editor.rules(buffer)


def floating(editor: Neovim) -> str:
    """The text of the floating window, if there is one."""
    return str(
        editor.lua(
            """for _, window in ipairs(vim.api.nvim_list_wins()) do
                 if vim.api.nvim_win_get_config(window).relative ~= "" then
                   return table.concat(vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, true), "\\n")
                 end
               end
               return "" """
        )
    )


def test_finding_hover_trace_and_quick_fix(editor: Neovim, project: Path) -> None:
    editor.open(project / "app.py")
    editor.until(lambda: shows(editor, "command-injection"))
    finding = next(found for found in editor.diagnostics() if found["rule"] == "command-injection")

    assert (finding["line"], finding["source"]) == (SINK, "closeread")
    assert finding["steps"] >= 2

    editor.vim.current.window.cursor = (SINK, 20)
    editor.lua("vim.lsp.buf.hover()")
    editor.until(lambda: "How the data gets here" in floating(editor))
    assert "Fix:" in floating(editor)

    editor.vim.command("Closeread trace")
    steps = editor.lua("return vim.fn.getloclist(0)")
    assert len(steps) == finding["steps"] + 1
    editor.vim.command("ll 2")
    assert "flask.request" in editor.vim.current.line
    editor.vim.command("lclose")

    editor.vim.current.window.cursor = (SINK, 20)
    editor.lua(
        """vim.lsp.buf.code_action({ apply = true, filter = function(action)
             return action.title:match("^Suppress command%-injection with a comment$") end })"""
    )
    editor.until(lambda: not shows(editor, "command-injection"))
    line = editor.vim.current.buffer[SINK - 1]
    above = editor.vim.current.buffer[SINK - 2]
    assert "closeread: ignore[command-injection]" in line + above
    assert editor.notified(3) == []


def test_an_edit_is_answered_at_once(editor: Neovim, project: Path) -> None:
    """The median of 20 edits, each of which makes a finding come or go, stays under 50 ms (on a quiet machine)."""
    editor.open(project / "app.py")
    editor.until(lambda: shows(editor, "command-injection"))
    # Measured inside Neovim: from the change of the text to the event that its diagnostics are new.
    took = editor.lua(
        """
        local times, harmless = {}, "    command = 'ping -c 1 localhost'"
        local tainted = vim.api.nvim_buf_get_lines(0, 10, 11, true)[1]
        local function flagged()
          return #vim.tbl_filter(function(d) return d.code == "command-injection" end, vim.diagnostic.get(0)) > 0
        end
        for turn = 1, 20 do
          local wanted, started = turn % 2 == 0, vim.uv.hrtime()
          vim.api.nvim_buf_set_lines(0, 10, 11, true, { wanted and tainted or harmless })
          assert(vim.wait(30000, function() return flagged() == wanted end, 1), "no new diagnostics")
          table.insert(times, (vim.uv.hrtime() - started) / 1e6)
        end
        return times
        """
    )
    median = statistics.median(took)
    print(f"edit to diagnostic in Neovim: median {median:.1f} ms, longest {max(took):.1f} ms")

    assert median < 50


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["SIGKILL", "SIGTERM"])
def test_a_killed_server_comes_back_with_all_diagnostics(editor: Neovim, project: Path, how: signal.Signals) -> None:
    editor.open(project / "app.py")
    first = editor.vim.current.buffer.number
    editor.until(lambda: shows(editor, "command-injection", first))
    editor.open(project / "other.py")
    second = editor.vim.current.buffer.number
    editor.until(lambda: shows(editor, "command-injection", second))
    # What was not saved is known only to the editor.
    editor.vim.current.buffer.append(["", "", "def risky(text):", "    return eval(flask.request.args['code'])"])
    editor.until(lambda: shows(editor, "code-injection", second))
    before = {buffer: editor.diagnostics(buffer) for buffer in (first, second)}
    (server,) = editor.servers()

    os.kill(server, how)
    editor.until(lambda: editor.servers() not in ([], [server]))
    editor.until(lambda: {buffer: editor.diagnostics(buffer) for buffer in (first, second)} == before)

    assert len(editor.servers()) == 1


def test_a_server_that_keeps_dying_is_left_alone(editor: Neovim, project: Path) -> None:
    editor.open(project / "app.py")
    for _ in range(5):
        (server,) = editor.until(editor.servers)
        os.kill(server, signal.SIGKILL)
        editor.until(lambda server=server: server not in editor.servers())  # type: ignore[misc]
    editor.until(lambda: editor.notified(4))
    time.sleep(0.5)

    assert editor.servers() == []
    (said,) = editor.notified(4)
    assert re.search(r"ended 5 times .* `:Closeread restart`", said)

    editor.vim.command("Closeread restart")
    editor.until(lambda: shows(editor, "command-injection"))


def test_settings_take_effect_without_a_restart(editor: Neovim, project: Path) -> None:
    editor.open(project / "app.py")
    editor.until(lambda: shows(editor, "command-injection"))
    before = editor.servers()

    editor.lua('require("closeread").configure({ disable = { "command-injection" } })')
    editor.until(lambda: not shows(editor, "command-injection"))
    editor.lua("""require("closeread").setup({ python = ..., settings = { minSeverity = "low" } })""", sys.executable)
    editor.until(lambda: shows(editor, "command-injection"))

    assert editor.servers() == before


def test_the_server_runs_isolated_and_outside_the_workspace(editor: Neovim, project: Path) -> None:
    editor.vim.command(f"cd {project}")
    editor.open(project / "app.py")
    (server,) = editor.until(editor.servers)
    command = Path(f"/proc/{server}/cmdline").read_bytes().split(b"\0")[:-1]

    assert command[1:] == [b"-I", b"-m", b"closeread", b"serve"]
    assert project not in [folder := Path(f"/proc/{server}/cwd").resolve(), *folder.parents]


def test_commands(editor: Neovim, project: Path) -> None:
    editor.open(project / "harmless.py")
    editor.until(lambda: editor.lua("return #vim.lsp.get_clients({ name = 'closeread' })") == 1)
    editor.vim.command("Closeread scan")
    editor.until(lambda: any("findings" in said for said in editor.notified()))
    editor.vim.command("Closeread findings")
    listed = editor.lua("return vim.fn.getqflist()")
    files = {Path(editor.vim.buffers[entry["bufnr"]].name).name for entry in listed}

    assert files == {"app.py", "other.py"}
    assert any(entry["text"].strip().startswith("1. ") for entry in listed)

    editor.vim.command("cclose | Closeread explain command-injection")
    editor.until(lambda: editor.vim.current.buffer.options["filetype"] == "markdown")
    assert "command-injection" in "\n".join(editor.vim.current.buffer[:])
    editor.vim.command("close")

    editor.open(project / "app.py")
    editor.vim.current.window.cursor = (SINK, 0)
    editor.vim.command("Closeread explain")
    editor.until(lambda: editor.vim.current.buffer.options["filetype"] == "markdown")
    assert "check_output" in "\n".join(editor.vim.current.buffer[:])
    editor.vim.command("close")

    editor.vim.command("Closeread why")
    editor.until(lambda: editor.vim.current.buffer.options["filetype"] == "markdown")
    assert "flask.request" in "\n".join(editor.vim.current.buffer[:])
    editor.vim.command("close")

    editor.vim.command("Closeread nonsense")
    assert editor.notified(4)[-1].startswith("Closeread: there is no command nonsense; there are ")


def test_an_explanation_grows_and_stays_closed(editor: Neovim, project: Path) -> None:
    write = """require("closeread.commands").written(nil, { uri = "", line = 0, markdown = ..., done = false })"""
    editor.lua(write, "One sentence.")
    editor.lua(write, "One sentence.\nAnother.")
    said = editor.vim.current.buffer[:]
    editor.vim.command("close")
    editor.lua(write, "One sentence.\nAnother.\nA third.")

    assert said == ["One sentence.", "Another."]
    assert editor.lua("return #vim.api.nvim_list_wins()") == 1


def test_a_model_is_told_of_explains_and_proposes(tmp_path: Path) -> None:
    """What it says is remembered from before, so that no model has to run."""
    home, project = tmp_path / "home", tmp_path / "project"
    for folder in (home, project):
        folder.mkdir()
    (project / "app.py").write_text(TEXT)
    taught(home)
    answered(home / "cache", SAFE)
    with neovim(home, f"{SETUP}\nvim.ui.select = function(items, _, choose) choose(items[1], 1) end") as editor:
        editor.open(project / "app.py")
        editor.until(lambda: shows(editor, "command-injection"))
        editor.until(lambda: editor.lua('return (require("closeread.status").last or {}).model'))
        editor.vim.command("Closeread status")
        editor.until(lambda: "model: tiny (stopped)" in editor.vim.current.buffer[:])
        editor.vim.command("close")

        editor.vim.current.window.cursor = (6, 4)
        editor.vim.command("Closeread explain")
        editor.until(lambda: "In the words of tiny" in "\n".join(editor.vim.current.buffer[:]))
        editor.vim.command("close")

        editor.lua(
            """local title = ...
               vim.lsp.buf.code_action({ apply = true, filter = function(action) return action.title == title end })""",
            TITLE,
        )
        editor.until(lambda: f"    {SAFE}" in editor.vim.current.buffer[:])
        editor.until(lambda: not shows(editor, "command-injection"))


def test_the_lens_over_a_route_shows_the_routes(editor: Neovim, project: Path) -> None:
    editor.open(project / "app.py")
    editor.until(lambda: editor.lua("return #vim.lsp.codelens.get(0)") == 1)
    (title,) = editor.lua("return vim.tbl_map(function(lens) return lens.command.title end, vim.lsp.codelens.get(0))")
    editor.vim.current.window.cursor = (9, 0)
    editor.lua("vim.lsp.codelens.run()")
    editor.until(lambda: editor.vim.current.buffer.options["filetype"] == "markdown")

    assert title == "GET /ping · anyone may call · 1 finding"
    assert "| GET | /ping |" in "\n".join(editor.vim.current.buffer[:])


def test_the_report_is_a_page_for_the_browser(editor: Neovim, project: Path) -> None:
    editor.lua("opened = {}; vim.ui.open = function(path) table.insert(opened, path) end")
    editor.open(project / "app.py")
    editor.until(lambda: shows(editor, "command-injection"))
    editor.vim.command("Closeread report")
    (path,) = editor.until(lambda: editor.lua("return opened"))

    assert "other.py" in Path(path).read_text()
    assert editor.notified()[-2:] == ["Closeread: scanning for the report.", f"Closeread: the report is in {path}"]
    assert project not in Path(path).parents


def test_the_model_is_asked_about_first_and_pulled_in_a_terminal(editor: Neovim, project: Path) -> None:
    editor.lua(
        """questions, answer = {}, 2
           vim.fn.confirm = function(question) table.insert(questions, question) return answer end
           vim.env.PIP_INDEX_URL, vim.env.https_proxy, vim.env.PIP_RETRIES = "http://127.0.0.1:9/", "http://127.0.0.1:9/", "0"
           vim.env.PIP_CONFIG_FILE, vim.env.PIP_NO_CACHE_DIR = "/dev/null", "1" """
    )
    editor.vim.command("Closeread pull")
    windows = editor.lua("return #vim.api.nvim_list_wins()")
    editor.lua("answer = 1")
    editor.vim.command("Closeread pull")
    editor.until(lambda: editor.vim.current.buffer.options["buftype"] == "terminal")
    editor.until(lambda: "could not be had" in "".join(editor.vim.current.buffer[:]))

    assert windows == 1
    assert len(editor.lua("return questions")) == 2


def test_routes_status_and_the_review_of_a_commit(editor: Neovim, project: Path) -> None:
    git = ["git", "-c", "user.name=Somebody", "-c", "user.email=somebody@example.org", "-C", str(project)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "harmless.py", "pyproject.toml"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "The first"], check=True)
    editor.open(project / "app.py")
    editor.until(lambda: shows(editor, "command-injection"))
    editor.until(lambda: editor.lua('return require("closeread").status()') == "1 finding")

    editor.vim.command("Closeread routes")
    editor.until(lambda: editor.vim.current.buffer.options["filetype"] == "markdown")
    assert "/ping" in "\n".join(editor.vim.current.buffer[:])
    editor.vim.command("close")

    editor.vim.command("Closeread status")
    editor.until(lambda: editor.vim.current.buffer.options["filetype"] == "markdown")
    assert "findings: 1" in editor.vim.current.buffer[:]
    editor.vim.command("close")

    subprocess.run([*git, "add", "app.py"], check=True)
    editor.vim.command("Closeread staged")
    editor.until(lambda: "Closeread: 1 finding" in editor.notified())

    subprocess.run([*git, "commit", "--quiet", "--message", "The second"], check=True)
    editor.vim.command("Closeread review")
    editor.until(lambda: "The second: 1 introduced." in editor.log())  # what a server shows, Neovim logs too

    editor.vim.command("Closeread clear")
    editor.until(lambda: shows(editor, "command-injection"))
    editor.vim.command("Closeread log")
    assert editor.vim.current.buffer.name == editor.lua("return vim.lsp.get_log_path()")


def test_a_commit_is_reviewed_by_itself(editor: Neovim, project: Path) -> None:
    git = ["git", "-c", "user.name=Somebody", "-c", "user.email=somebody@example.org", "-C", str(project)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "harmless.py"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "The first"], check=True)
    editor.open(project / "harmless.py")
    editor.until(lambda: editor.lua('return require("closeread").status()') == "0 findings")
    time.sleep(2)  # the watcher has looked at HEAD; nothing tells when
    subprocess.run([*git, "add", "app.py"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "The second"], check=True)

    editor.until(lambda: "The second: 1 introduced." in editor.log())


def test_from_a_fresh_neovim_to_the_first_finding(tmp_path: Path, project: Path) -> None:
    """As a package of Neovim's own, with two lines of set-up; the package of Python is installed already."""
    home = tmp_path / "home"
    package = home / "data" / "nvim" / "site" / "pack" / "closeread" / "start" / "closeread"
    package.parent.mkdir(parents=True)
    package.symlink_to(PLUGIN)
    started = time.monotonic()
    with neovim(home, f'vim.opt.runtimepath:remove("{PLUGIN}")\n{SETUP}') as editor:
        editor.open(project / "app.py")
        editor.until(lambda: shows(editor, "command-injection"))
        seconds = time.monotonic() - started
        print(f"fresh Neovim, from its start to the first diagnostic: {seconds:.1f} s")

        assert editor.lua('return vim.api.nvim_get_runtime_file("lua/closeread/init.lua", false)[1]').startswith(
            str(home)
        )


def test_every_command_is_in_the_help(editor: Neovim) -> None:
    text = (PLUGIN / "doc" / "closeread.txt").read_text()
    commands = editor.lua('return vim.tbl_keys(require("closeread.commands").commands)')

    assert sorted(set(re.findall(r"^:Closeread (\w+)", text, re.MULTILINE))) == sorted(commands)


def test_checkhealth(editor: Neovim, project: Path) -> None:
    editor.open(project / "app.py")
    editor.until(lambda: shows(editor, "command-injection"))
    editor.vim.command("checkhealth closeread")
    report = "\n".join(editor.vim.current.buffer[:])

    assert f"{sys.executable} is Python" in report
    assert "ERROR" not in report
    assert f"serves {project}, 1 buffers" in report


# --- A Python that will not do: one clear notification, with the way out ---------------------------


def complaint(tmp_path: Path, project: Path, python: str | None, environment: dict[str, str] | None = None) -> str:
    """The one thing that the user is told when opening two files with this Python."""
    init = f'require("closeread").setup({{ python = "{python}" }})' if python else 'require("closeread").setup()'
    with neovim(tmp_path / "home", init, environment) as editor:
        editor.open(project / "app.py")
        editor.until(lambda: editor.notified())
        editor.open(project / "other.py")
        time.sleep(0.5)
        (said,) = editor.notified()
        assert editor.servers() == []
        editor.vim.command("checkhealth closeread")
        assert said.removeprefix("Closeread: ") in "\n".join(editor.vim.current.buffer[:])
        return said


def test_an_old_python(tmp_path: Path, project: Path) -> None:
    # The real interpreter, telling the version of an old one.
    old = tmp_path / "python3.9"
    pretend = "import sys; sys.version_info = (3, 9, 2); exec(sys.argv[1])"
    old.write_text(f"#!/bin/sh\n[ \"$1 $2\" = '-I -c' ] && exec {sys.executable} -I -c '{pretend}' \"$3\"\nexit 9\n")
    old.chmod(0o755)

    said = complaint(tmp_path, project, str(old))

    assert f"{old} is Python 3.9.2, and Closeread needs 3.11 or later. Name another with" in said


def test_a_python_without_the_package(tmp_path: Path, project: Path) -> None:
    venv.create(tmp_path / "bare", with_pip=False)
    python = tmp_path / "bare" / "bin" / "python"

    said = complaint(tmp_path, project, str(python))

    assert f"Closeread is not installed for {python}. Run `{python} -m pip install closeread`" in said


def test_a_broken_python(tmp_path: Path, project: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'error while loading shared libraries: libpython3.so' >&2\nexit 127\n")
    broken.chmod(0o755)

    said = complaint(tmp_path, project, str(broken))

    assert f"{broken} does not run (exit code 127: error while loading shared libraries: libpython3.so)" in said


def test_a_python_that_does_not_exist(tmp_path: Path, project: Path) -> None:
    said = complaint(tmp_path, project, "/nowhere/python")

    assert "/nowhere/python does not run" in said


def test_no_python_at_all(tmp_path: Path, project: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("sh", "uname"):
        (tools / tool).symlink_to(shutil.which(tool) or "")

    said = complaint(tmp_path, project, None, {"PATH": str(tools)})

    assert "No Python was found. Install Python 3.11 or later and `pip install closeread`" in said


def test_the_python_beside_the_program_is_found(tmp_path: Path, project: Path) -> None:
    # As pipx does it: the program is a link into a virtual environment that is not on the path.
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "closeread").symlink_to(Path(sys.executable).parent / "closeread")
    with neovim(tmp_path / "home", 'require("closeread").setup()', {"PATH": f"{tools}:{clean_path()}"}) as editor:
        editor.open(project / "app.py")
        editor.until(lambda: shows(editor, "command-injection"))

        assert editor.notified() == []


# --- Without setup(), and what the files say -------------------------------------------------------


def test_vim_lsp_enable_is_enough(tmp_path: Path, project: Path) -> None:
    bin_ = str(Path(sys.executable).parent)
    with neovim(tmp_path / "home", 'vim.lsp.enable("closeread")', {"PATH": f"{bin_}:{clean_path()}"}) as editor:
        editor.open(project / "app.py")

        editor.until(lambda: shows(editor, "command-injection"))


def test_every_file_that_the_server_reads_has_its_filetype(editor: Neovim, project: Path) -> None:
    names = [f"some{suffix}" for language in languages() for suffix in language.suffixes]
    for language in languages():
        names += [name + ("local" if name.endswith(".") else "") for name in getattr(language, "names", ())]
        names += [name + "local" for name in getattr(language, "prefixes", ())]
    wanted = [name for name in names if language_of(name) is not None]
    left_out = []
    for name in wanted:
        (project / name).write_text("A=b\n" if "env" in name else "\n")
        editor.open(project / name)
        if not editor.lua(
            """local files = require("closeread.files")
               return vim.tbl_contains(files.filetypes, vim.bo.filetype) and files.reads(0)"""
        ):
            left_out.append((name, editor.vim.current.buffer.options["filetype"]))

    assert len(wanted) > 20
    assert left_out == []


def test_the_lua_is_clean() -> None:
    luacheck = needs.program("luacheck", "apt install lua-check")
    checked = subprocess.run([luacheck, "--no-color", "."], cwd=PLUGIN, capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout


def test_the_specs_pass_inside_neovim(tmp_path: Path) -> None:
    needs.program("busted", "apt install lua-busted")
    command = [program(), "-u", "NONE", "-l", PLUGIN / "spec" / "run.lua", PLUGIN]
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "CLOSEREAD_PYTHON": sys.executable}
    ran = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"^ok 1 - ", ran.stdout, re.MULTILINE), ran.stdout


def test_the_entry_for_nvim_lspconfig_works_by_itself(tmp_path: Path, project: Path) -> None:
    entry = PLUGIN / "registries" / "nvim-lspconfig" / "closeread.lua"
    registry = tmp_path / "registry"
    (registry / "lsp").mkdir(parents=True)
    shutil.copy(entry, registry / "lsp")
    init = f'vim.opt.runtimepath:remove("{PLUGIN}")\nvim.opt.runtimepath:prepend("{registry}")\nvim.lsp.enable("closeread")'
    bin_ = str(Path(sys.executable).parent)
    with neovim(tmp_path / "home", init, {"PATH": f"{bin_}:{clean_path()}"}) as editor:
        editor.open(project / "app.py")

        editor.until(lambda: shows(editor, "command-injection"))


def test_the_entry_for_mason_names_what_the_package_has() -> None:
    package = yaml.safe_load((PLUGIN / "registries" / "mason" / "package.yaml").read_text())
    about = tomllib.loads((PLUGIN.parents[1] / "pyproject.toml").read_text())["project"]

    assert package["source"]["id"] == f"pkg:pypi/{about['name']}@{version()}"
    assert package["licenses"] == [about["license"]]
    assert all(about["scripts"][name] for name in package["bin"])


def test_the_help_has_every_setting_with_its_default(editor: Neovim) -> None:
    text = (PLUGIN / "doc" / "closeread.txt").read_text()
    section = text[text.rindex("5. Settings") :].partition("\n====")[0]
    listed = dict(re.findall(r"^(\w+) \((.*)\)$", section, re.MULTILINE))
    written = {name: editor.lua(f"return {default}") for name, default in listed.items()}

    assert written == {name: setting.default for name, setting in settings().items()}
