/** A window of VS Code's workbench, as a person uses it. CLOSEREAD_SCREENSHOTS is the folder for pictures. */
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

import { codeServer } from "./code-server.mjs";

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

/** How many there were. A window's title is a setting, so that it tells whose settings the window has: its own, or those before. */
let windows = 0;

export class Workbench {
  /** A new window, with the user's settings as they are to be for it. */
  static async start(settings = {}) {
    const made = new Workbench();
    const { home, port, browser } = await codeServer();
    const title = `window (${++windows})`;
    Object.assign(made, { home, port, title });
    const written = { ...SETTINGS, "window.title": title, ...settings };
    await writeFile(path.join(home, "data", "User", "settings.json"), JSON.stringify(written));
    made.page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    made.page.setDefaultTimeout(PATIENCE);
    return made;
  }

  /** Open a folder, or the file of a `workspace`; `payload` is what the workbench is told besides. */
  async open(place, payload, kind = "folder") {
    const more = payload ? `&payload=${encodeURIComponent(JSON.stringify(payload))}` : "";
    for (let turn = 0; turn < 4; turn++) {
      await this.page.goto(`http://127.0.0.1:${this.port}/?${kind}=${encodeURIComponent(place)}${more}`);
      await this.page.locator(".monaco-workbench").waitFor();
      const shown = this.page.waitForFunction((title) => document.title.includes(title), this.title, { timeout: 10_000 });
      if (await shown.then(() => true, () => false)) {
        return;
      }
    }
    throw new Error(`the window never had its settings: ${await this.page.title()}`);
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

  /** Show the language status, until it says this. */
  async languageStatus(text) {
    await this.page.mouse.move(0, 0); // a pointer that is there already shows nothing
    await this.page.locator('.statusbar-item[id="status.languageStatus"] a').hover();
    await this.page.locator(".hover-language-status", { hasText: text }).first().waitFor();
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

  /** Keep a picture; what fades in has come. */
  async screenshot(name) {
    const folder = process.env.CLOSEREAD_SCREENSHOTS;
    await mkdir(folder, { recursive: true });
    await this.page.screenshot({ path: path.join(folder, `${name}.png`), animations: "disabled" });
  }

  /** Close the window; its extension host, and the servers of that, end with it. */
  async stop() {
    await this.page.goto("about:blank"); // the workbench hears of it, and says goodbye
    await this.page.close();
  }
}
