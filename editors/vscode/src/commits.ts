/**
 * Commits, however they are made: each time the Git extension has another HEAD than before, the server is told both.
 *
 * Whether that was a commit, and not a checkout or a reset, the server finds out; it hears of each from its own watcher
 * too, and reviews it once. The extension's own event of commits fires for those made inside VS Code alone. HEAD is
 * undefined until Git has looked, and has no commit in a repository that has none yet.
 */
import * as vscode from "vscode";

/** What the Git extension offers, as far as it is used here. */
interface Repository {
  state: { HEAD?: { commit?: string }; onDidChange: vscode.Event<void> };
}

interface GitExtension {
  enabled: boolean;
  getAPI(version: 1): { repositories: Repository[]; onDidOpenRepository: vscode.Event<Repository> };
}

/** Call `moved` with each new commit of a HEAD and the one before, which is "" if there was none. */
export async function watchHeads(moved: (commit: string, before: string) => void): Promise<vscode.Disposable> {
  const git = await vscode.extensions.getExtension<GitExtension>("vscode.git")?.activate();
  if (!git?.enabled) {
    return new vscode.Disposable(() => undefined); // switched off, or no git: the server has its watcher
  }
  const api = git.getAPI(1);
  const listening: vscode.Disposable[] = [];
  const watch = (repository: Repository): void => {
    let before = repository.state.HEAD;
    listening.push(
      repository.state.onDidChange(() => {
        const now = repository.state.HEAD;
        if (before && now?.commit && now.commit !== before.commit) {
          moved(now.commit, before.commit ?? "");
        }
        before = now ?? before;
      }),
    );
  };
  api.repositories.forEach(watch);
  listening.push(api.onDidOpenRepository(watch));
  return new vscode.Disposable(() => vscode.Disposable.from(...listening).dispose());
}
