/**
 * VS Code's workbench as code-server, fresh for each test run, in a headless Chromium.
 *
 * The environment says where things are: CLOSEREAD_WORKBENCH (the folder that `install-workbench` printed), CLOSEREAD_VSIX,
 * CLOSEREAD_CHROMIUM, CLOSEREAD_PYTHON (an interpreter), CLOSEREAD_SCREENSHOTS.
 */
import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { chromium } from "playwright-core";

const run = promisify(execFile);
export const PATIENCE = Number(process.env.CLOSEREAD_PATIENCE ?? 120_000); // milliseconds; a loaded machine takes long to start everything

const SETTINGS = {
  "git.useEditorAsCommitInput": false,
  "git.autofetch": false,
  "security.workspace.trust.enabled": false,
  "telemetry.telemetryLevel": "off",
  "workbench.startupEditor": "none",
  "workbench.colorTheme": "Default Light Modern",
  "files.autoSave": "off",
  "editor.minimap.enabled": false,
  "editor.hover.delay": 100,
  "chat.commandCenter.enabled": false,
  "terminal.integrated.gpuAcceleration": "off",
};

async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

export class Workbench {
  /** Start one with its own folders; `extension` is a .vsix to install. */
  static async start({ settings = {}, environment = {}, extension = process.env.CLOSEREAD_VSIX } = {}) {
    const made = new Workbench();
    made.home = await mkdtemp(path.join(tmpdir(), "closeread-workbench-"));
    await mkdir(path.join(made.home, "data", "User"), { recursive: true });
    await writeFile(path.join(made.home, "data", "User", "settings.json"), JSON.stringify({ ...SETTINGS, ...settings }));
    const code = path.join(process.env.CLOSEREAD_WORKBENCH, "node_modules", "code-server", "out", "node", "entry.js");
    made.port = await freePort();
    const common = ["--user-data-dir", path.join(made.home, "data"), "--extensions-dir", path.join(made.home, "extensions")];
    made.environment = {
      HOME: made.home,
      PATH: process.env.PATH,
      LANG: "C.UTF-8",
      EXTENSIONS_GALLERY: '{"serviceUrl":""}',
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_AUTHOR_NAME: "Somebody",
      GIT_AUTHOR_EMAIL: "somebody@example.org",
      GIT_COMMITTER_NAME: "Somebody",
      GIT_COMMITTER_EMAIL: "somebody@example.org",
      ...environment,
    };
    if (extension) {
      await run(process.execPath, [code, ...common, "--install-extension", extension], { env: made.environment });
    }
    made.server = spawn(
      process.execPath,
      [code, ...common, "--auth", "none", "--bind-addr", `127.0.0.1:${made.port}`, "--disable-telemetry", "--disable-update-check"],
      { env: made.environment, stdio: ["ignore", "pipe", "pipe"] },
    );
    await new Promise((listening, failed) => {
      const heard = (data) => `${data}`.includes("HTTP server listening") && listening();
      made.server.stdout.on("data", heard);
      made.server.stderr.on("data", heard);
      made.server.once("exit", (code) => failed(new Error(`code-server ended with ${code}`)));
    });
    made.browser = await chromium.launch({
      executablePath: process.env.CLOSEREAD_CHROMIUM,
      args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
    });
    await made.renew();
    return made;
  }

  /** A new window in place of the one there is. */
  async renew() {
    await this.page?.close();
    this.page = await this.browser.newPage({ viewport: { width: 1280, height: 800 } });
    this.page.setDefaultTimeout(PATIENCE);
  }

  /** Open a folder, or the file of a `workspace`; `payload` is what the workbench is told besides. */
  async open(place, payload, kind = "folder") {
    const more = payload ? `&payload=${encodeURIComponent(JSON.stringify(payload))}` : "";
    await this.page.goto(`http://127.0.0.1:${this.port}/?${kind}=${encodeURIComponent(place)}${more}`);
    await this.page.locator(".monaco-workbench").waitFor();
  }

  /** Open a file by its name, with the quick picker. */
  async openFile(name) {
    await this.pick("Control+P", name);
    await this.page.locator(`.tab.active[data-resource-name="${name}"]`).waitFor();
    await this.page.locator(".editor-instance .view-line").first().waitFor();
  }

  /** Run a command by its title. */
  command(title) {
    return this.pick("F1", title, true);
  }

  async pick(key, text, exactly = false) {
    const input = this.page.locator(".quick-input-widget input:visible").first();
    const end = Date.now() + PATIENCE;
    do {
      await this.page.keyboard.press(key); // goes unheard where a webview that is being closed has the focus
    } while (!(await input.waitFor({ timeout: 5000 }).then(() => true, () => false)) && Date.now() < end);
    await input.fill(exactly ? `>${text}` : text);
    const row = this.page.locator(".quick-input-list .monaco-list-row").filter({ hasText: text }).first();
    await row.waitFor();
    await row.click();
  }

  /** The page that the active webview shows. */
  inWebview() {
    return this.page.frameLocator("iframe.webview").last().frameLocator("iframe#active-frame");
  }

  /** A notification that says this. */
  toast(text) {
    return this.page.locator(".notification-toast").filter({ hasText: text });
  }

  /** Put the cursor at a line and a column, both counted from 1. */
  async goTo(line, column = 1) {
    await this.page.keyboard.press("Control+G");
    const input = this.page.locator(".quick-input-widget input:visible").first();
    await input.waitFor();
    await input.fill(`:${line}:${column}`);
    await this.page.keyboard.press("Enter");
    await input.waitFor({ state: "hidden" });
  }

  /** Keep a picture. */
  async screenshot(name) {
    const folder = process.env.CLOSEREAD_SCREENSHOTS;
    await mkdir(folder, { recursive: true });
    await this.page.screenshot({ path: path.join(folder, `${name}.png`) });
  }

  async stop() {
    await this.browser?.close();
    this.server?.removeAllListeners("exit");
    const ended = new Promise((gone) => this.server.once("exit", gone));
    this.server.kill("SIGTERM");
    await Promise.race([ended, new Promise((late) => setTimeout(late, 10_000))]);
    this.server.kill("SIGKILL");
    await rm(this.home, { recursive: true, force: true, maxRetries: 5 });
  }
}
