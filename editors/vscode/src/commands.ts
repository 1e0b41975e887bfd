/** The commands. Those of the server are offered only if it has them: each sets a `when` key of its own. */
import * as vscode from "vscode";

import { findingsOf, ruleOf } from "./findings";
import type { Pages } from "./pages";
import { showReport } from "./report";
import type { Server, Status } from "./server";
import { counted, detail } from "./status";

type Run = () => unknown;

/** The server's commands that ours rest on. */
const ASKED = ["scanWorkspace", "scanStaged", "reviewCommit", "explain", "why", "showRoutes", "status", "clearCache", "restartModel"];

/** The page that a model's explanation is written on, sentence by sentence. */
const EXPLANATION = "explanation.md";

export function registerCommands(server: Server, pages: Pages, log: vscode.LogOutputChannel): vscode.Disposable {
  const page = (name: string, command: string, ...args: unknown[]) => show(server, pages, name, command, args);
  const commands: Record<string, Run> = {
    scan: () => found(server, "closeread.scanWorkspace"),
    staged: () => found(server, "closeread.scanStaged"),
    review: () => server.execute("closeread.reviewCommit"),
    explainRule: async () => {
      const rule = await chosenRule();
      return rule && page(`${rule}.md`, "closeread.explain", rule);
    },
    explainFinding: async () => {
      const editor = vscode.window.activeTextEditor;
      if (editor) {
        await pages.show(EXPLANATION, "…");
        const { document, selection } = editor;
        pages.put(EXPLANATION, String(await server.execute("closeread.explain", document.uri.toString(), selection.active.line)));
      }
    },
    whyLine: () => {
      const editor = vscode.window.activeTextEditor;
      const line = editor?.selection.active.line ?? 0;
      return editor && page(`why line ${line + 1}.txt`, "closeread.why", editor.document.uri.toString(), line);
    },
    routes: () => page("routes.md", "closeread.showRoutes"),
    showStatus: async () => {
      const status = (await server.execute("closeread.status")) as Status;
      void vscode.window.showInformationMessage(`Closeread: ${counted(status.findings)} · ${detail(status)}`);
      return status;
    },
    clear: () => server.execute("closeread.clearCache"),
    model: () => server.execute("closeread.restartModel"),
    pull: () => pull(server),
    report: () => showReport(server),
    restart: () => server.restart(),
    log: () => log.show(),
  };
  const registered = Object.entries(commands).map(([name, run]) =>
    vscode.commands.registerCommand(`closeread.${name}`, () => told(run)),
  );
  const offering = server.onDidChange(() => {
    for (const name of ASKED) {
      void vscode.commands.executeCommand("setContext", `closeread.offers.${name}`, server.offers(`closeread.${name}`));
    }
  });
  const explaining = server.onDidExplain(({ markdown }) => pages.put(EXPLANATION, markdown));
  const answering = server.onDidAnswer(({ command, answer }) => {
    if (typeof answer === "string") {
      void pages.show(`${command.replace("closeread.show", "").toLowerCase()}.md`, answer);
    }
  });
  return vscode.Disposable.from(...registered, offering, explaining, answering);
}

/** Run, and give what the server answered; what goes wrong is one message. */
async function told(run: Run): Promise<unknown> {
  try {
    return await run();
  } catch (error) {
    void vscode.window.showErrorMessage(`Closeread: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

async function show(server: Server, pages: Pages, name: string, command: string, args: unknown[]): Promise<void> {
  const text = await server.execute(command, ...args);
  if (typeof text === "string") {
    await pages.show(name, text);
  }
}

async function found(server: Server, command: string): Promise<unknown> {
  const answer = (await server.execute(command)) as { findings?: number } | null;
  if (answer?.findings !== undefined) {
    void vscode.window.showInformationMessage(`Closeread: ${counted(answer.findings)}`);
  }
  return answer;
}

/** The rule of the finding under the cursor, or else the one that the user types. */
async function chosenRule(): Promise<string | undefined> {
  const editor = vscode.window.activeTextEditor;
  const at = editor?.selection.active;
  const here = editor && at && findingsOf(editor.document.uri).find((diagnostic) => diagnostic.range.start.line === at.line);
  return here ? ruleOf(here) : vscode.window.showInputBox({ prompt: "The rule", placeHolder: "command-injection" });
}

/** Download the model, if the user wants it, where the progress can be seen and stopped. */
async function pull(server: Server): Promise<void> {
  const [python, ...args] = server.program ?? [];
  const download = "Download";
  const detail = "It is a gigabyte, once, and the only thing that Closeread ever gets from outside. All else works without it.";
  if (python && (await vscode.window.showInformationMessage("Download the local model?", { modal: true, detail }, download)) === download) {
    // As a task, since its terminal stays when the program has ended, with what it said.
    const program = new vscode.ProcessExecution(python, [...args, "model", "pull"], { cwd: server.folder });
    const task = new vscode.Task({ type: "process" }, vscode.TaskScope.Workspace, "model", "Closeread", program);
    task.presentationOptions = { reveal: vscode.TaskRevealKind.Always, focus: true, clear: true };
    await vscode.tasks.executeTask(task);
  }
}
