/**
 * Commits, however they are made: each time the Git extension has another HEAD, the server is told of it, and of where it
 * was when something was reviewed last.
 *
 * What was committed between the two, and whether anything was (a checkout, a reset, the middle of a rebase), the server
 * finds out; it hears of commits from its own watcher too, and reviews each once. The extension's own event of commits
 * fires for those made inside VS Code alone. HEAD is undefined until Git has looked, and has no commit in a repository that
 * has none yet; a rebase that ends gives it its name back.
 */
import * as vscode from "vscode";

/** What the Git extension offers, as far as it is used here. */
interface Repository {
  state: { HEAD?: Head; onDidChange: vscode.Event<void> };
}

interface Head {
  commit?: string;
  name?: string;
}

interface GitExtension {
  enabled: boolean;
  getAPI(version: 1): { repositories: Repository[]; onDidOpenRepository: vscode.Event<Repository> };
}

/** Ask `review` about the commit of each new HEAD, and the one before, which is "" if there was none: it says whether there was anything. */
export async function watchHeads(review: (commit: string, before: string) => Promise<boolean>): Promise<vscode.Disposable> {
  const git = await vscode.extensions.getExtension<GitExtension>("vscode.git")?.activate();
  if (!git?.enabled) {
    return new vscode.Disposable(() => undefined); // switched off, or no git: the server has its watcher
  }
  const api = git.getAPI(1);
  const listening: vscode.Disposable[] = [];
  const watch = (repository: Repository): void => {
    let seen = repository.state.HEAD;
    let reviewed = seen?.commit ?? "";
    const look = async (): Promise<void> => {
      const [now, before] = [repository.state.HEAD, seen];
      seen = now ?? before;
      if (!before) {
        reviewed = now?.commit ?? ""; // Git has looked for the first time
      } else if (now?.commit && now.commit !== reviewed && (now.commit !== before.commit || now.name !== before.name)) {
        reviewed = (await review(now.commit, reviewed)) ? now.commit : reviewed;
      }
    };
    let looking = Promise.resolve(); // one look after the other, each at what there is by then
    listening.push(
      repository.state.onDidChange(() => {
        looking = looking.then(look);
      }),
    );
  };
  api.repositories.forEach(watch);
  listening.push(api.onDidOpenRepository(watch));
  return new vscode.Disposable(() => vscode.Disposable.from(...listening).dispose());
}
