/** The tree of findings: file, finding, the steps of its trace. It shows what the Problems have, and nothing else. */
import * as vscode from "vscode";

type Node =
  | { kind: "file"; uri: vscode.Uri }
  | { kind: "finding"; uri: vscode.Uri; diagnostic: vscode.Diagnostic }
  | { kind: "step"; number: number; step: vscode.DiagnosticRelatedInformation };

const ICONS = ["error", "warning", "info", "lightbulb"];
const COLOURS = ["Error", "Warning", "Info"].map((name) => new vscode.ThemeColor(`problems${name}Icon.foreground`));

/** Closeread's diagnostics of a file, worst first. */
export function findingsOf(uri: vscode.Uri): vscode.Diagnostic[] {
  const ours = vscode.languages.getDiagnostics(uri).filter((diagnostic) => diagnostic.source === "closeread");
  return ours.sort((a, b) => a.severity - b.severity || a.range.start.compareTo(b.range.start));
}

/** Files that have any, those with the worst first. */
function files(): vscode.Uri[] {
  const found = vscode.languages.getDiagnostics().map(([uri]) => ({ uri, worst: findingsOf(uri)[0]?.severity }));
  const some = found.filter((file): file is { uri: vscode.Uri; worst: vscode.DiagnosticSeverity } => file.worst !== undefined);
  return some.sort((a, b) => a.worst - b.worst || a.uri.path.localeCompare(b.uri.path)).map((file) => file.uri);
}

/** How many there are. */
export function count(): number {
  return files().reduce((sum, uri) => sum + findingsOf(uri).length, 0);
}

/** A diagnostic's rule. */
export function ruleOf(diagnostic: vscode.Diagnostic): string {
  const code = diagnostic.code;
  return String(typeof code === "object" ? code.value : (code ?? ""));
}

export class Findings implements vscode.TreeDataProvider<Node> {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.changed.event;

  register(): vscode.Disposable {
    const view = vscode.window.createTreeView("closeread.findings", { treeDataProvider: this, showCollapseAll: true });
    const listening = vscode.languages.onDidChangeDiagnostics(() => {
      this.changed.fire();
      const found = count();
      view.badge = found ? { value: found, tooltip: `${found} findings` } : undefined;
    });
    return vscode.Disposable.from(view, listening, this.changed);
  }

  getChildren(node?: Node): Node[] {
    if (!node) {
      return files().map((uri) => ({ kind: "file", uri }));
    }
    if (node.kind === "file") {
      return findingsOf(node.uri).map((diagnostic) => ({ kind: "finding", uri: node.uri, diagnostic }));
    }
    const steps = node.kind === "finding" ? (node.diagnostic.relatedInformation ?? []) : [];
    return steps.map((step, place) => ({ kind: "step", number: place + 1, step }));
  }

  getTreeItem(node: Node): vscode.TreeItem {
    if (node.kind === "file") {
      const item = new vscode.TreeItem(node.uri, vscode.TreeItemCollapsibleState.Expanded);
      item.iconPath = vscode.ThemeIcon.File;
      const relative = vscode.workspace.asRelativePath(node.uri);
      item.description = relative.includes("/") ? relative.slice(0, relative.lastIndexOf("/")) : "";
      return item;
    }
    if (node.kind === "finding") {
      const { message, range, severity, relatedInformation } = node.diagnostic;
      const open = relatedInformation?.length ? vscode.TreeItemCollapsibleState.Collapsed : vscode.TreeItemCollapsibleState.None;
      const item = new vscode.TreeItem(ruleOf(node.diagnostic), open);
      item.description = `line ${range.start.line + 1} · ${message.replaceAll("`", "")}`;
      item.iconPath = new vscode.ThemeIcon(ICONS[severity] ?? "info", COLOURS[severity]);
      item.tooltip = new vscode.MarkdownString(message);
      item.command = opening(node.uri, range);
      return item;
    }
    const { uri, range } = node.step.location;
    const item = new vscode.TreeItem(`${node.number}. ${node.step.message.replaceAll("`", "")}`);
    item.description = `${vscode.workspace.asRelativePath(uri)}:${range.start.line + 1}`;
    item.tooltip = node.step.message;
    item.command = opening(uri, range);
    return item;
  }
}

function opening(uri: vscode.Uri, selection: vscode.Range): vscode.Command {
  return { command: "vscode.open", title: "Open", arguments: [uri, { selection }] };
}
