/** Two folders in one workspace: one server, each folder with settings and a repository of its own. */
const assert = require("node:assert/strict");
const vscode = require("vscode");

const { eventually, file, git, log, open, root, servers, shows, story, write } = require("./inside.cjs");

exports.run = story({
  "one server finds in both": async () => {
    await eventually(() => vscode.workspace.workspaceFolders?.length === 2, "both folders");
    await open(file("app.py", 0));
    await open(file("app.py", 1));
    await shows(file("app.py", 0), "command-injection");
    await shows(file("app.py", 1), "command-injection");
    assert.equal(servers().length, 1);
  },

  "a setting of one folder is for that one": async () => {
    const settings = vscode.workspace.getConfiguration("closeread", file("", 1));
    await settings.update("disable", ["command-injection"], vscode.ConfigurationTarget.WorkspaceFolder);
    await shows(file("app.py", 1));
    await shows(file("app.py", 0), "command-injection");
    await settings.update("disable", undefined, vscode.ConfigurationTarget.WorkspaceFolder);
    await shows(file("app.py", 1), "command-injection");
  },

  "what closeread.toml of one says is for that one": async () => {
    write("closeread.toml", 'disable = ["command-injection"]\n', 0);
    await shows(file("app.py", 0));
    await shows(file("app.py", 1), "command-injection");
  },

  "a commit in the second is reviewed": async () => {
    const api = vscode.extensions.getExtension("vscode.git").exports.getAPI(1);
    await eventually(() => api.repositories.length === 2 && api.repositories.every(({ state }) => state.HEAD?.commit), "both repositories");
    write("more.py", "import os, flask\n\ndef more():\n    os.system(flask.request.args['x'])\n", 1);
    git(root(1), "add", ".");
    git(root(1), "commit", "--quiet", "--message", "In the second");
    const id = git(root(1), "rev-parse", "HEAD");
    await eventually(async () => (await log()).includes(`Commit ${id} was reviewed`), "the review");
    await shows(file("more.py", 1), "command-injection");
  },

  "a folder that is taken out takes its diagnostics along": async () => {
    const gone = file("more.py", 1);
    vscode.workspace.updateWorkspaceFolders(1, 1);
    await eventually(() => vscode.languages.getDiagnostics(gone).length === 0, "none");
  },
});
