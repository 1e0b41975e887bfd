/**
 * What the local model adds. What it says is remembered from before, so that no model has to run: CLOSEREAD_TAUGHT is a folder
 * with a user's `data` and `cache`, and `app.py`, which they are about.
 */
import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";

import { python } from "../code-server.mjs";
import { project } from "../project.mjs";
import { Workbench } from "../workbench.mjs";

const TAUGHT = process.env.CLOSEREAD_TAUGHT;
const SINK = 6;

let workbench;
let page;

before(async () => {
  const folder = project();
  copyFileSync(path.join(TAUGHT, "app.py"), path.join(folder, "app.py"));
  const variables = { XDG_DATA_HOME: path.join(TAUGHT, "data"), XDG_CACHE_HOME: path.join(TAUGHT, "cache") };
  workbench = await Workbench.start({ "closeread.interpreter": await python(TAUGHT, "python", variables) });
  page = workbench.page;
  await workbench.open(folder);
  await workbench.openFile("app.py");
  await page.locator(".squiggly-error").first().waitFor();
});

after(() => workbench?.stop());

test("the language status names the model and its state", async () => {
  await workbench.languageStatus("model tiny (stopped)");
  await workbench.screenshot("model-status");
});

test("a finding is explained by the engine, and in the model's words", async () => {
  await workbench.goTo(SINK, 6);
  await workbench.command("Closeread: Explain Finding");
  await workbench.inWebview().getByText("In the words of tiny").waitFor();
  await workbench.screenshot("model-explanation");
});

test("what it proposes is shown as a diff that waits for an answer, and nothing is changed", async () => {
  await page.locator('.tab[data-resource-name="app.py"]').click();
  await workbench.goTo(SINK, 6);
  await page.keyboard.press("Control+.");
  const fix = page.locator(".action-widget .monaco-list-row", { hasText: "Propose a fix for command-injection (tiny)" }).first();
  await fix.waitFor();
  // The pointer is blocked while the menu is open: it is a menu of keys.
  for (let turn = 0; turn < 20 && !(await fix.getAttribute("class")).includes("focused"); turn++) {
    await page.keyboard.press("ArrowDown");
  }
  await page.keyboard.press("Enter");
  await page.locator(".pane-body, .panel").getByRole("button", { name: "Apply" }).first().waitFor();
  await workbench.screenshot("model-proposal");
  assert.equal(await page.locator(".view-lines .view-line", { hasText: "shlex" }).count(), 0);
  await page.locator(".squiggly-error").first().waitFor();
});

test("ticked and applied, it is in the file, and the finding is gone", async () => {
  await page.locator(".panel .monaco-list-row input[type=checkbox]").first().check();
  await page.locator(".panel").getByRole("button", { name: "Apply" }).click();
  await page.locator(".view-lines .view-line", { hasText: "shlex.quote(host)" }).first().waitFor();
  await page.locator(".squiggly-error").first().waitFor({ state: "detached" });
  await workbench.screenshot("model-applied");
});
