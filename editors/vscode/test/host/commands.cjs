/** Every command that needs no look at the screen (those are in `commands.test.mjs`), code lenses, a killed server. */
const assert = require("node:assert/strict");
const { readFileSync, readlinkSync, rmSync } = require("node:fs");
const vscode = require("vscode");

const { activeTab, eventually, file, git, log, open, page, root, rules, servers, shows, story, write } = require("./inside.cjs");

const VULNERABLE = readFileSync(file("app.py").fsPath, "utf8");
const SINK = 12;
const run = (name, ...args) => vscode.commands.executeCommand(`closeread.${name}`, ...args);
const before = new Map();

exports.run = story({
  "the commands of the palette are there, and the server has what they ask for": async () => {
    await open(file("app.py"), SINK);
    await shows(file("app.py"), "command-injection");
    const all = await vscode.commands.getCommands(true);
    const { contributes } = vscode.extensions.getExtension("closeread.closeread").packageJSON;
    const asked = contributes.menus.commandPalette.map(({ when }) => when.replace("offers.", ""));
    assert.deepEqual(contributes.commands.filter(({ command }) => !all.includes(command)), []);
    assert.deepEqual(asked.filter((command) => !all.includes(command) && command !== "closeread.restartModel"), []);
  },

  "scan: files that nobody opened": async () => {
    write("unopened.py", VULNERABLE.replaceAll("ping", "probe"));
    const answer = await run("scan");
    await shows(file("unopened.py"), "command-injection");
    assert.equal(answer.findings, 2);
  },

  "staged: what is staged, not what the file says by now": async () => {
    write("staged.py", VULNERABLE.replaceAll("ping", "tracert"));
    git(root(), "add", "staged.py");
    write("staged.py", "");
    assert.equal((await run("staged")).findings, 1);
    git(root(), "rm", "--quiet", "--force", "staged.py");
  },

  "review: the last commit": async () => {
    const answer = await run("review");
    assert.equal(answer.commit, git(root(), "rev-parse", "HEAD"));
    assert.equal(answer.findings, 1);
  },

  "explain: the page of the rule under the cursor": async () => {
    await open(file("app.py"), SINK);
    await run("explainRule");
    await eventually(() => activeTab()?.label.includes("command-injection.md"), "its tab");
    assert.match(await page("command-injection.md"), /^# .*[\s\S]*CWE-78/m);
  },

  "explain: the finding under the cursor, step by step": async () => {
    await open(file("app.py"), SINK);
    await run("explainFinding");
    await eventually(() => activeTab()?.label.includes("explanation.md"), "its tab");
    assert.match(await page("explanation.md"), /flask\\?\.request/);
  },

  "why: the line under the cursor, reported or not": async () => {
    await open(file("app.py"), SINK);
    await run("whyLine");
    assert.match(vscode.window.activeTextEditor.document.getText(), /command-injection[\s\S]*flask\.request/);
    await open(file("app.py"), 1);
    await run("whyLine");
    assert.match(vscode.window.activeTextEditor.document.getText(), /^app\.py:1: import subprocess\nNot reported/);
  },

  "routes: a table": async () => {
    await run("routes");
    assert.match(await page("routes.md"), /\| GET \| \/ping \|/);
  },

  "a code lens over the route; it shows the routes": async () => {
    await open(file("app.py"));
    const lenses = await eventually(async () => {
      const found = await vscode.commands.executeCommand("vscode.executeCodeLensProvider", file("app.py"));
      return found.length && found;
    }, "a lens");
    const [{ command, range }] = lenses;
    assert.match(command.title, /GET \/ping · anyone may call · 1 finding/);
    assert.ok(range.start.line >= 7 && range.start.line <= 8);
    await vscode.commands.executeCommand("workbench.action.closeAllEditors");
    await vscode.commands.executeCommand(command.command, ...(command.arguments ?? []));
    await eventually(() => activeTab()?.label.includes("routes.md"), "the routes");
  },

  "status: findings, cache, model, paused": async () => {
    const status = await run("showStatus");
    assert.deepEqual(Object.keys(status).sort(), ["cache", "findings", "model", "paused", "version"]);
    assert.equal(status.findings, 2);
  },

  "clear: everything is looked at again, and all is there again": async () => {
    assert.equal(await run("clear"), null);
    await open(file("app.py"));
    await shows(file("app.py"), "command-injection");
  },

  "a quick fix mends what can be mended": async () => {
    write("mend.py", "import yaml\n\n\ndef read(path):\n    with open(path) as file:\n        return yaml.load(file, Loader=yaml.Loader)\n");
    const editor = await open(file("mend.py"));
    const [rule] = await eventually(() => rules(file("mend.py")).length && rules(file("mend.py")), "a finding");
    const here = vscode.languages.getDiagnostics(file("mend.py"))[0].range;
    const actions = await vscode.commands.executeCommand("vscode.executeCodeActionProvider", file("mend.py"), here, undefined, 10);
    const fix = actions.find(({ title }) => title === "Read it with safe_load");
    assert.ok(fix, `${rule}: ${actions.map(({ title }) => title)}`);
    await vscode.workspace.applyEdit(fix.edit);
    assert.match(editor.document.getText(), /safe_load|SafeLoader/);
    await shows(file("mend.py"));
    await vscode.commands.executeCommand("workbench.action.files.revert");
    rmSync(file("mend.py").fsPath);
  },

  "report: one page, which is no list": async () => {
    await run("report");
    await eventually(() => activeTab()?.input instanceof vscode.TabInputWebview, "a webview");
    assert.match(activeTab().input.viewType, /closeread\.report$/);
    assert.equal(activeTab().label, "Closeread Report");
  },

  "restart: another process, the same diagnostics in all open files": async () => {
    await open(file("unopened.py"));
    await open(file("app.py"));
    const [old] = servers();
    await run("restart");
    await eventually(() => servers().length === 1 && servers()[0] !== old, "a new server");
    await shows(file("app.py"), "command-injection");
    await shows(file("unopened.py"), "command-injection");
  },

  "a killed server comes back with the diagnostics of all open files, of unsaved text too": async () => {
    const editor = await open(file("app.py"));
    const end = editor.document.lineAt(editor.document.lineCount - 1).range.end;
    await editor.edit((edit) => edit.insert(end, "\n\ndef risky():\n    return eval(flask.request.args['code'])\n"));
    await shows(file("app.py"), "command-injection", "code-injection");
    for (const name of ["app.py", "unopened.py"]) {
      before.set(name, vscode.languages.getDiagnostics(file(name)).map(({ range, message }) => [range.start.line, message]));
    }
    const [old] = servers();
    process.kill(old, "SIGKILL");
    await eventually(() => servers().length === 1 && servers()[0] !== old, "a new server");
    for (const [name, expected] of before) {
      const now = () => vscode.languages.getDiagnostics(file(name)).map(({ range, message }) => [range.start.line, message]);
      await eventually(() => JSON.stringify(now()) === JSON.stringify(expected), `${name} as before, not ${JSON.stringify(now())}`);
    }
    await vscode.commands.executeCommand("workbench.action.files.revert");
  },

  "a setting takes effect in the same process": async () => {
    const [same] = servers();
    const settings = vscode.workspace.getConfiguration("closeread");
    await settings.update("disable", ["command-injection"], vscode.ConfigurationTarget.Workspace);
    await shows(file("app.py"));
    await settings.update("disable", undefined, vscode.ConfigurationTarget.Workspace);
    await shows(file("app.py"), "command-injection");
    assert.deepEqual(servers(), [same]);
  },

  "the server is isolated, and its folder is none of the workspace": async () => {
    const [pid] = servers();
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    assert.equal(command[1], "-I");
    assert.match(command[2], /extensions\/closeread\.closeread-[^/]*\/bundled$/);
    assert.ok(!readlinkSync(`/proc/${pid}/cwd`).startsWith(root()));
  },

  "log: with how the server was started, and the talk with it": async () => {
    const text = await log();
    assert.match(text, /Python 3\.\d+\.\d+ at .*: .* -I .*bundled serve/);
    assert.match(text, /textDocument\/didOpen/); // closeread.trace.server
  },
});
