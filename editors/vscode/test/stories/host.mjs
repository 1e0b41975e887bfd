/**
 * Tests that run inside the extension host, for what a browser cannot reach: each file of `host/` but `inside.cjs` is one
 * story, in a window of its own. This is what @vscode/test-electron does, without its download: the workbench is told of the tests in its
 * address, and calls `codeAutomationExit` with their exit code.
 */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

import { fresh, project } from "../project.mjs";
import { PATIENCE, Workbench } from "../workbench.mjs";

const HOST = path.join(import.meta.dirname, "..", "host");

/** Run a story in a folder, or in the workspace that a file describes, beside these extensions. */
async function inside(story, { folder, workspace, extensions = [] }) {
  const workbench = await Workbench.start({ "closeread.trace.server": "messages" });
  const lines = [];
  const ended = new Promise((resolve) => workbench.page.exposeFunction("codeAutomationExit", resolve));
  workbench.page.on("console", (message) => lines.push(message.text()));
  const at = (file) => `vscode-remote://127.0.0.1:${workbench.port}${file}`;
  const payload = [
    ...[HOST, ...extensions].map((extension) => ["extensionDevelopmentPath", at(extension)]),
    ["extensionTestsPath", at(path.join(HOST, `${story}.cjs`))],
  ];
  await workbench.open(folder ?? workspace, payload, workspace ? "workspace" : "folder");
  if (workspace) {
    await withFolders(workbench.page);
  }
  const code = await Promise.race([ended, new Promise((late) => setTimeout(late, 3 * PATIENCE, "none in time").unref())]);
  const told = lines.filter((line) => line.includes("inside: "));
  console.log(told.join("\n"));
  await workbench.screenshot(`inside-${story}`);
  assert.equal(code, 0, lines.slice(-40).join("\n"));
  assert.ok(told.length && told.every((line) => line.includes("inside: ok")));
  await workbench.stop();
}

/** A window may read its workspace's file before there is a file system to read it from, and has no folders: it is opened again. */
async function withFolders(page) {
  const none = page.getByText("You have not yet added a folder to the workspace.");
  for (let turn = 0; turn < 4; turn++) {
    await page.waitForTimeout(4000);
    if (!(await none.isVisible())) {
      return;
    }
    await page.reload();
  }
}

test("commands", () => inside("commands", { folder: project() }));

test("commits", () => inside("commits", { folder: project({ commit: false }) }));

test("commits without the Git extension", () => {
  const folder = project();
  mkdirSync(path.join(folder, ".vscode"));
  writeFileSync(path.join(folder, ".vscode", "settings.json"), JSON.stringify({ "git.enabled": false }));
  return inside("watcher", { folder });
});

test("a Python extension", () => inside("python", { folder: project(), extensions: [path.join(HOST, "python-stub")] }));

test("several folders", () => {
  const folders = [project(), project()].map((folder) => ({ path: folder }));
  const workspace = path.join(fresh("workspace"), "both.code-workspace");
  writeFileSync(workspace, JSON.stringify({ folders, settings: {} }));
  return inside("folders", { workspace });
});
