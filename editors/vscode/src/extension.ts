/** Closeread for VS Code: finds Python, starts the server, and shows what it says. All the rest is the server's. */
import * as vscode from "vscode";

import { registerCommands } from "./commands";
import { watchHeads } from "./commits";
import { Findings } from "./findings";
import { Pages } from "./pages";
import { onChosenElsewhere } from "./python";
import { Server } from "./server";
import { StatusItem } from "./status";

/** Settings that say how the server is started; all others reach it while it runs. */
const STARTING = ["closeread.interpreter", "closeread.importStrategy"];

let server: Server | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const log = vscode.window.createOutputChannel("Closeread", { log: true });
  const running = new Server(context, log);
  server = running;
  const pages = new Pages();
  context.subscriptions.push(
    log,
    pages.register(),
    new Findings().register(),
    new StatusItem(running).register(),
    registerCommands(running, pages, log),
    vscode.workspace.onDidGrantWorkspaceTrust(() => running.restart()),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (STARTING.some((setting) => change.affectsConfiguration(setting))) {
        void running.restart();
      }
    }),
  );
  await running.restart();
  const review = async (commit: string, before: string): Promise<boolean> => {
    try {
      const answer = running.offers("closeread.reviewCommit") && (await running.execute("closeread.reviewCommit", commit, before));
      const { commits = [] } = (answer || {}) as { commits?: string[] };
      commits.forEach((id) => log.info(`Commit ${id} was reviewed`));
      return commits.length > 0;
    } catch (error) {
      log.error(`The review of commit ${commit} failed: ${error}`);
      return false;
    }
  };
  context.subscriptions.push(await watchHeads(review));
  const elsewhere = await onChosenElsewhere(() => void running.restart());
  if (elsewhere) {
    context.subscriptions.push(elsewhere);
  }
}

export async function deactivate(): Promise<void> {
  await server?.dispose();
}
