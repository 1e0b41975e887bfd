/** Without the Git extension, which the folder has switched off, the server's own watcher sees the commits. */
const assert = require("node:assert/strict");
const vscode = require("vscode");

const { eventually, file, git, open, root, shows, story, write } = require("./inside.cjs");

exports.run = story({
  "the extension is well": async () => {
    await open(file("app.py"));
    await shows(file("app.py"), "command-injection");
    assert.equal(vscode.extensions.getExtension("vscode.git").exports.enabled, false);
    const ours = vscode.extensions.getExtension("closeread.closeread");
    await eventually(() => ours.isActive, "its activation");
  },

  "a commit is reviewed": async () => {
    await new Promise((later) => setTimeout(later, 3000)); // the watcher has looked at HEAD; nothing tells when
    write("more.py", "import os, flask\n\ndef more():\n    os.system(flask.request.args['x'])\n");
    git(root(), "add", ".");
    git(root(), "commit", "--quiet", "--message", "The second");
    await shows(file("more.py"), "command-injection");
  },
});
