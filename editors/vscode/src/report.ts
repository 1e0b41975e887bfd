/** The report of the whole workspace as one page. The only webview: a list would not do. */
import { execFile } from "node:child_process";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import * as vscode from "vscode";

import type { Server } from "./server";

/** Scan every folder with the command line, and show its HTML report. */
export async function showReport(server: Server): Promise<void> {
  const folders = (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
  const [command, ...args] = server.program ?? [];
  if (!command || !folders.length) {
    void vscode.window.showErrorMessage("Closeread: a report needs an open folder and a running server.");
    return;
  }
  const output = path.join(server.folder, "report.html");
  const asked = [...args, "analyze", ...folders.flatMap((folder) => ["--path", folder]), "--format", "html", "--output", output];
  const title = "Closeread: scanning for the report";
  const failed = await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title, cancellable: true }, (_, token) => {
    return new Promise<string | undefined>((resolve) => {
      const child = execFile(command, asked, { cwd: server.folder }, (error, _output, said) => {
        resolve(error && !token.isCancellationRequested ? said.trim() || error.message : token.isCancellationRequested ? "" : undefined);
      });
      token.onCancellationRequested(() => child.kill());
    });
  });
  if (failed) {
    void vscode.window.showErrorMessage(`Closeread: ${failed}`);
  }
  if (failed !== undefined) {
    return;
  }
  const panel = vscode.window.createWebviewPanel("closeread.report", "Closeread Report", vscode.ViewColumn.Active, {
    enableScripts: false,
    localResourceRoots: [],
  });
  panel.webview.html = await fs.readFile(output, "utf8");
}
