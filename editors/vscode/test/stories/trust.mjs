/** A folder that nobody trusts: it is analysed, and what it says about how the server is started counts only when it is trusted. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";

import { codeServer, untrusted } from "../code-server.mjs";
import { project } from "../project.mjs";
import { Workbench } from "../workbench.mjs";

let workbench;
let page;
let started;

before(async () => {
  const { home } = await codeServer();
  const folder = project({ folder: untrusted(home) });
  started = path.join(folder, "started");
  // The folder brings an interpreter, names it in its settings, and the path leads through the folder too.
  const script = `#!/bin/sh\necho "$0" >> ${started}\nexec ${process.env.CLOSEREAD_PYTHON} "$@"\n`;
  mkdirSync(path.join(folder, "bin"));
  mkdirSync(path.join(folder, ".vscode"));
  for (const name of ["chosen", "python3", "python", "closeread"]) {
    writeFileSync(path.join(folder, "bin", name), script, { mode: 0o755 });
  }
  const settings = { "closeread.interpreter": path.join(folder, "bin", "chosen"), "closeread.importStrategy": "fromEnvironment" };
  writeFileSync(path.join(folder, ".vscode", "settings.json"), JSON.stringify(settings));
  workbench = await Workbench.start({ "security.workspace.trust.enabled": true, "security.workspace.trust.startupPrompt": "always" });
  page = workbench.page;
  await workbench.open(folder);
});

after(() => workbench?.stop());

test("not trusted, it is analysed with a Python from outside, and nothing of it is run", async () => {
  await page.locator(".monaco-dialog-box").getByRole("button", { name: "No, I don't trust the authors" }).click();
  await workbench.openFile("app.py");
  await page.locator(".squiggly-error").first().waitFor();
  await workbench.screenshot("untrusted");
  assert.equal(existsSync(started), false);
});

test("trusted, its settings count", async () => {
  await workbench.command("Workspaces: Manage Workspace Trust");
  await page.locator(".workspace-trust-buttons-row").getByText("Trust", { exact: true }).click();
  const end = Date.now() + 60_000;
  while (!existsSync(started)) {
    assert.ok(Date.now() < end, "the folder's interpreter was not started");
    await page.waitForTimeout(200);
  }
});
