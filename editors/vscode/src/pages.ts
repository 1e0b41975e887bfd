/** Texts of the server's, shown as documents that nobody can edit. */
import * as vscode from "vscode";

const SCHEME = "closeread-page";

/** Milliseconds after which a preview surely listens: what changes while it is being opened, it does not hear of. */
const OPENED = 2000;

/** Links to files, which a preview shows as their source: only the words of them are of use. */
const LOCAL = /\[([^\]]+)\]\(file:[^)]*\)/g;

export class Pages implements vscode.TextDocumentContentProvider {
  private readonly texts = new Map<string, string>();
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;
  private again?: NodeJS.Timeout;

  register(): vscode.Disposable {
    const forget = new vscode.Disposable(() => clearTimeout(this.again));
    return vscode.Disposable.from(vscode.workspace.registerTextDocumentContentProvider(SCHEME, this), forget);
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.path) ?? "";
  }

  /** Change a text, where it may be seen. */
  put(name: string, text: string): vscode.Uri {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${name}` });
    this.texts.set(uri.path, text.replace(LOCAL, "$1"));
    this.changed.fire(uri);
    clearTimeout(this.again);
    this.again = setTimeout(() => void vscode.commands.executeCommand("markdown.preview.refresh"), OPENED);
    return uri;
  }

  /** Show a text: one in Markdown (a name in `.md`) as its preview. */
  async show(name: string, text: string): Promise<void> {
    const uri = this.put(name, text);
    if (name.endsWith(".md")) {
      await vscode.commands.executeCommand("markdown.showPreview", uri);
    } else {
      await vscode.window.showTextDocument(uri, { preview: true });
    }
  }
}
