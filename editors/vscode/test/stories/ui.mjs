/** What a user of VS Code sees: the .vsix installed in a fresh workbench, a Python file opened. One story, in order. */
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { readdir, readlink } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";

import { git, project, SINK } from "../project.mjs";
import { PATIENCE, Workbench } from "../workbench.mjs";

const HOVER_ONLY = "How the data gets here"; // in the server's hover, and in no diagnostic

let workbench;
let page;
let folder;
let older; // the logs of windows before this one

before(async () => {
  folder = project();
  const started = performance.now();
  workbench = await Workbench.start({ "closeread.trace.server": "messages" });
  older = await logFiles();
  page = workbench.page;
  await workbench.open(folder);
  await workbench.openFile("app.py");
  await page.locator(".squiggly-error").first().waitFor();
  const seconds = (performance.now() - started) / 1000;
  console.log(`fresh code-server, from installing the extension to the first squiggle: ${seconds.toFixed(1)} s`);
});

after(() => workbench?.stop());

/** The log of the extension's output channel in this window, from the disk. */
async function log() {
  const files = (await logFiles()).filter((file) => !older.includes(file));
  return files.map((file) => readFileSync(file, "utf8")).join("\n");
}

async function logFiles() {
  const folder = path.join(workbench.home, "data", "logs");
  const files = await readdir(folder, { recursive: true });
  return files.filter((file) => file.endsWith("Closeread.log")).map((file) => path.join(folder, file));
}

async function eventually(condition, what) {
  const end = Date.now() + PATIENCE;
  while (!(await condition())) {
    assert.ok(Date.now() < end, what);
    await new Promise((later) => setTimeout(later, 200));
  }
}

test("a row in the Problems, with the steps of the trace and a link that opens the rule's page", async () => {
  await workbench.command("Problems: Focus on Problems View");
  const problems = page.locator(".markers-panel");
  await problems.locator(".monaco-list-row", { hasText: "becomes part of a shell command" }).waitFor();
  await problems.locator(".monaco-list-row", { hasText: "assigned to `command`" }).waitFor();
  await problems.locator("a", { hasText: "command-injection" }).first().click();
  await page.locator(".tab", { hasText: "command-injection.md" }).waitFor();
  await workbench.inWebview().getByRole("heading", { name: "Untrusted data in a shell command" }).waitFor();
  await workbench.screenshot("rule");
  await page.keyboard.press("Control+W");
});

test("a step of the trace leads to its line", async () => {
  await page.locator('.tab[data-resource-name="app.py"]').click();
  await page.locator(".markers-panel .monaco-list-row", { hasText: "assigned to `command`" }).first().click();
  await page.locator(".statusbar-item", { hasText: "Ln 11, " }).waitFor();
});

test("hovering shows the server's page of the finding", async () => {
  await page.locator(".squiggly-error").first().waitFor();
  const word = page.locator(".view-line", { hasText: "check_output" }).locator("span span").filter({ hasText: "check_output" }).first();
  await word.hover();
  await page.locator(".monaco-hover", { hasText: HOVER_ONLY }).first().waitFor();
  await workbench.screenshot("hover");
});

test("the tree has the finding and its steps, and a step leads to its line", async () => {
  await page.keyboard.press("Escape");
  await workbench.command("Closeread: Focus on Findings View");
  const tree = page.locator(".tree-explorer-viewlet-tree-view, .pane-body").filter({ hasText: "is under a client's control" });
  const finding = tree.locator(".monaco-list-row", { hasText: "is under a client's control" }).first();
  await finding.waitFor();
  const step = page.locator(".monaco-list-row", { hasText: "2. assigned to host" }).first();
  // The tree is drawn anew whenever a diagnostic changes, and may close again.
  await eventually(async () => {
    await finding.locator(".monaco-tl-twistie").click();
    return step.waitFor({ timeout: 2000 }).then(() => true, () => false);
  }, "the finding did not open");
  await step.click();
  await page.locator(".statusbar-item", { hasText: "Ln 10, " }).waitFor();
  await workbench.screenshot("findings");
});

test("the language status says how many findings there are", async () => {
  await workbench.goTo(SINK, 25);
  await workbench.languageStatus(/Closeread: 1 finding.*cache .*no model/s);
  await workbench.screenshot("status");
});

test("explaining the rule under the cursor opens its page", async () => {
  await workbench.goTo(SINK, 25);
  await workbench.command("Closeread: Explain Rule");
  await page.locator(".tab", { hasText: "command-injection.md" }).waitFor();
  await page.keyboard.press("Control+W");
});

test("why a line was reported", async () => {
  await page.locator('.tab[data-resource-name="app.py"]').click();
  await workbench.goTo(SINK, 25);
  await workbench.command("Closeread: Why Is This Line Reported, or Not?");
  await page.locator(".view-line", { hasText: "flask.request" }).first().waitFor();
  await page.locator(".tab.active", { hasText: "why line 12" }).waitFor();
  await page.keyboard.press("Control+W");
});

test("a commit made outside is seen, once, and start-up is none", async () => {
  const reviewed = async () => (await log()).match(/Commit [0-9a-f]{40} was reviewed/g) ?? [];
  assert.deepEqual(await reviewed(), []);
  appendFileSync(path.join(folder, "closeread.toml"), "# said\n");
  git(folder, "commit", "--quiet", "--all", "--message", "The second");
  const id = git(folder, "rev-parse", "HEAD");
  await workbench.toast(`${id.slice(0, 10)} The second: nothing introduced`).waitFor();
  await eventually(async () => (await reviewed()).length > 0, "the commit was not reviewed");
  assert.deepEqual(await reviewed(), [`Commit ${id} was reviewed`]);
  await workbench.screenshot("commit");
});

test("the quick fix that suppresses is applied, and the squiggle goes", async () => {
  await page.keyboard.press("Escape");
  await page.locator('.tab[data-resource-name="app.py"]').click();
  await page.locator(".view-line", { hasText: "check_output" }).first().click();
  await workbench.goTo(SINK, 25);
  await page.keyboard.press("Control+.");
  const fix = page.locator(".action-widget .monaco-list-row", { hasText: /[Ss]uppress command-injection/ }).first();
  await fix.waitFor();
  await workbench.screenshot("quick-fix");
  // The pointer is blocked while the menu is open: it is a menu of keys.
  for (let turn = 0; turn < 20 && !(await fix.getAttribute("class")).includes("focused"); turn++) {
    await page.keyboard.press("ArrowDown");
  }
  await page.keyboard.press("Enter");
  await page.locator(".view-line", { hasText: "ignore[command-injection]" }).first().waitFor();
  await page.locator(".squiggly-error").first().waitFor({ state: "detached" });
});

test("a changed setting takes effect without a restart", async () => {
  await page.keyboard.press("Control+Z");
  await page.locator(".squiggly-error").first().waitFor();
  // The folder's own settings: code-server does not watch those of the user on the disk.
  const settings = path.join(folder, ".vscode", "settings.json");
  mkdirSync(path.dirname(settings));
  writeFileSync(settings, JSON.stringify({ "closeread.disable": ["command-injection"] }));
  await page.locator(".squiggly-error").first().waitFor({ state: "detached" });
  writeFileSync(settings, "{}");
  await page.locator(".squiggly-error").first().waitFor();
  assert.equal((await log()).match(/ serve$/gm).length, 1);
});

test("a server that was killed comes back with the diagnostics", async () => {
  const pids = await serverPids();
  assert.equal(pids.length, 1);
  process.kill(pids[0], "SIGKILL");
  await eventually(async () => (await serverPids()).some((pid) => pid !== pids[0]), "no new server");
  await page.locator(".squiggly-error").first().waitFor();
});

test("the server runs isolated and outside the workspace", async () => {
  const [pid] = await serverPids();
  const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  assert.equal(command[1], "-I");
  assert.match(command[2], /extensions\/closeread\.closeread-[^/]*\/bundled$/);
  assert.ok(!(await readlink(`/proc/${pid}/cwd`)).startsWith(folder));
});

test("the analysers are compiled, where the extension has them for this Python", async () => {
  const [pid] = await serverPids();
  const [, minor] = /Python 3\.(\d+)\.\d+ at /.exec(await log());
  const bundled = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[2];
  const compiled = (await readdir(bundled)).filter((name) => name.startsWith(`closeread_analyzers__mypyc.cpython-3${minor}-`));
  console.log(`compiled analysers: ${compiled.join() || "none"}`);
  assert.equal(readFileSync(`/proc/${pid}/maps`, "utf8").includes("closeread_analyzers__mypyc"), compiled.length > 0);
});

/** Servers of this workbench: those that run out of its own extensions folder. */
async function serverPids() {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      return command.includes(workbench.home) && command.includes("bundled\0serve");
    } catch {
      return false;
    }
  });
}
