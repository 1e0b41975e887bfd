/** For tests that run inside the extension host, beside the extension: what they share. */
const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const vscode = require("vscode");

const PATIENCE = Number(process.env.CLOSEREAD_PATIENCE ?? 120_000); // milliseconds
const IDENTITY = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org", "-c", "init.defaultBranch=main"];

/** The tests of a file, in order, each told in the log; the first that fails ends it. */
exports.story = (tests) => async () => {
  for (const [name, test] of Object.entries(tests)) {
    try {
      await test();
      console.log(`inside: ok - ${name}`);
    } catch (error) {
      console.log(`inside: not ok - ${name}: ${error?.stack ?? error}`);
      throw error;
    }
  }
};

/** The first answer that is true. */
exports.eventually = async (ask, what) => {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const answer = await ask();
    if (answer) {
      return answer;
    }
    assert.ok(Date.now() < end, `not in time: ${what}; there is ${JSON.stringify(vscode.languages.getDiagnostics())}`);
    await new Promise((later) => setTimeout(later, 100));
  }
};

exports.root = (number = 0) => vscode.workspace.workspaceFolders[number].uri.fsPath;
exports.file = (name, number = 0) => vscode.Uri.file(path.join(exports.root(number), name));
exports.write = (name, text, number = 0) => fs.writeFileSync(path.join(exports.root(number), name), text);
exports.git = (folder, ...words) => execFileSync("git", [...IDENTITY, ...words], { cwd: folder, encoding: "utf8" }).trim();

/** Rules of Closeread's diagnostics of a file, by line. */
exports.rules = (uri) => {
  const ours = vscode.languages.getDiagnostics(uri).filter((diagnostic) => diagnostic.source === "closeread");
  return ours.sort((a, b) => a.range.start.compareTo(b.range.start)).map((diagnostic) => String(diagnostic.code.value ?? diagnostic.code));
};

/** Open a file, with the cursor at a line counted from 1. */
exports.open = async (uri, line = 1) => {
  const at = new vscode.Range(line - 1, 8, line - 1, 8);
  return vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), { selection: at, preview: false });
};

exports.shows = (uri, ...expected) =>
  exports.eventually(() => JSON.stringify(exports.rules(uri)) === JSON.stringify(expected), `${uri} with ${expected}, in order`);

/** The text of a page that the extension shows. */
exports.page = async (name) => {
  const uri = vscode.Uri.from({ scheme: "closeread-page", path: `/${name}` });
  return (await vscode.workspace.openTextDocument(uri)).getText();
};

exports.activeTab = () => vscode.window.tabGroups.activeTabGroup.activeTab;

/** The extension's log, from its output channel. */
exports.log = async () => {
  await vscode.commands.executeCommand("closeread.log");
  const shown = () => vscode.window.visibleTextEditors.find(({ document }) => document.uri.scheme === "output" && document.uri.path.includes("Closeread"));
  return (await exports.eventually(shown, "the log")).document.getText();
};

/** Servers: the children of this extension host that serve. */
exports.servers = () => {
  const listed = execFileSync("ps", ["-o", "pid=,args=", "--ppid", String(process.pid)], { encoding: "utf8" });
  return listed.split("\n").filter((line) => / serve$/.test(line)).map((line) => Number(line.trim().split(" ")[0]));
};
