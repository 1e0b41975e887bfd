/**
 * Commits, however they are made: what the Git extension says of HEAD, compared with what it said before.
 *
 * Its own event of commits fires for those made inside VS Code alone. HEAD is undefined until it has looked, and has no
 * commit in a repository that has none yet; a checkout changes HEAD's name as well. The server hears of each commit from
 * its own watcher too, and reviews it once.
 */
import * as vscode from "vscode";

/** What the Git extension offers, as far as it is used here. */
interface Repository {
  state: { HEAD?: { name?: string; commit?: string }; onDidChange: vscode.Event<void> };
}

interface GitExtension {
  getAPI(version: 1): { repositories: Repository[]; onDidOpenRepository: vscode.Event<Repository> };
}

/** Call `review` with the id of each new commit. */
export async function watchCommits(review: (commit: string) => void): Promise<vscode.Disposable> {
  const git = await vscode.extensions.getExtension<GitExtension>("vscode.git")?.activate();
  if (!git?.getAPI) {
    return new vscode.Disposable(() => undefined); // the server has its watcher
  }
  const api = git.getAPI(1);
  const listening: vscode.Disposable[] = [];
  const watch = (repository: Repository): void => {
    let before = repository.state.HEAD;
    listening.push(
      repository.state.onDidChange(() => {
        const now = repository.state.HEAD;
        if (before && now?.commit && now.commit !== before.commit && now.name === before.name) {
          review(now.commit);
        }
        before = now ?? before;
      }),
    );
  };
  api.repositories.forEach(watch);
  listening.push(api.onDidOpenRepository(watch));
  return new vscode.Disposable(() => vscode.Disposable.from(...listening).dispose());
}
