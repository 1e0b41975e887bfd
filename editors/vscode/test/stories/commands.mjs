/** Commands whose end is on the screen: the report, notifications, the model that is asked about first, the walkthrough. */
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";

import { git, project, SINK, VULNERABLE } from "../project.mjs";
import { Workbench } from "../workbench.mjs";

let workbench;
let page;
let folder;

before(async () => {
  folder = project();
  writeFileSync(path.join(folder, "other.py"), VULNERABLE.replaceAll("ping", "tracert"));
  git(folder, "add", "other.py");
  workbench = await Workbench.start();
  page = workbench.page;
  await workbench.open(folder);
  await workbench.openFile("app.py");
  await page.locator(".squiggly-error").first().waitFor();
});

after(() => workbench?.stop());

test("the report of the whole workspace is a page", async () => {
  await workbench.command("Closeread: Show Report");
  await page.locator(".tab.active", { hasText: "Closeread Report" }).waitFor();
  await workbench.inWebview().getByText("other.py").locator("visible=true").first().waitFor();
  await workbench.screenshot("report");
  await page.keyboard.press("Control+W");
});

test("the routes are a table", async () => {
  await workbench.command("Closeread: Show Routes");
  await workbench.inWebview().getByRole("cell", { name: "/tracert" }).waitFor();
  await workbench.screenshot("routes");
  await page.keyboard.press("Control+W");
});

test("what is staged is counted, and shown", async () => {
  await workbench.command("Closeread: Scan Staged Changes");
  await workbench.toast("Closeread: 1 finding").waitFor();
  await workbench.command("Notifications: Clear All Notifications");
});

test("a scan shows its progress and its count, and the tree has both files", async () => {
  await workbench.command("Closeread: Scan Workspace");
  await workbench.toast("Closeread: 2 findings").waitFor();
  await workbench.command("Closeread: Focus on Findings View");
  await page.locator(".monaco-list-row", { hasText: "other.py" }).first().waitFor();
  await workbench.screenshot("scan");
  await workbench.command("Notifications: Clear All Notifications");
});

test("the status", async () => {
  await workbench.command("Closeread: Show Status");
  await workbench.toast(/Closeread: 2 findings · \d.* · cache .* · no model/).waitFor();
  await workbench.command("Notifications: Clear All Notifications");
});

test("a scan that the user stops leaves the status paused, and the next one ends that", async () => {
  const large = path.join(folder, "large");
  const functions = Array.from({ length: 1000 }, (_, number) => `def f${number}(a):\n    return a + ${number}\n\n`);
  mkdirSync(large);
  for (let number = 0; number < 100; number++) {
    writeFileSync(path.join(large, `m${number}.py`), `# ${number}\n${functions.join("")}`);
  }
  await workbench.command("Closeread: Scan Workspace");
  await page.locator(".statusbar-item", { hasText: "Closeread: scanning the workspace" }).waitFor();
  await workbench.command("Notifications: Show Notifications"); // or a click on the bell
  const bar = page.locator(".notifications-center .monaco-list-row", { hasText: "scanning the workspace" });
  await bar.getByRole("button", { name: "Cancel" }).click();
  await workbench.languageStatus(/Closeread: \d+ findings? \(paused\)/);
  await workbench.screenshot("paused");
  rmSync(large, { recursive: true });
  await workbench.command("Notifications: Clear All Notifications");
  await workbench.command("Closeread: Scan Workspace");
  await workbench.languageStatus(/Closeread: 2 findings(?! \(paused)/);
  await workbench.command("Notifications: Clear All Notifications");
});

test("the model is asked about first, and refused", async () => {
  await workbench.command("Closeread: Pull Model");
  const dialog = page.locator(".monaco-dialog-box");
  await dialog.getByText("Download the local model?").waitFor();
  await workbench.screenshot("pull");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await dialog.waitFor({ state: "detached" });
  assert.equal(await page.locator(".terminal-wrapper").count(), 0);
});

test("the model is pulled in a terminal, which says what is wrong", async () => {
  await workbench.command("Closeread: Pull Model");
  await page.locator(".monaco-dialog-box").getByRole("button", { name: "Download" }).click();
  const terminal = page.locator(".xterm-rows");
  await terminal.filter({ hasText: "could not be had" }).filter({ hasText: "press any key to close it" }).waitFor();
  await workbench.screenshot("pulled");
});

test("the walkthrough", async () => {
  await page.keyboard.press("Enter"); // closes the terminal
  await workbench.command("Welcome: Open Walkthrough...");
  await page.locator(".quick-input-list .monaco-list-row").filter({ hasText: "Get started with Closeread" }).first().click();
  for (const [step, said] of [
    ["It needs Python", "no account"],
    ["See where data does harm", "command-injection"],
    ["Walk the trace", "The same steps are the related information"],
    ["Let nothing slip", "git.diagnosticsCommitHook.enabled"],
  ]) {
    await page.locator(".getting-started-step").filter({ hasText: step }).click();
    await workbench.inWebview().getByText(said).first().waitFor();
    await workbench.screenshot(`walkthrough-${step.split(" ")[0].toLowerCase()}`);
  }
});
