// What Closeread uses of the Python extension's API, in that extension's shape; `choose` is the test's hand on it.
const vscode = require("vscode");

exports.activate = () => {
  const changed = new vscode.EventEmitter();
  let chosen = process.env.CLOSEREAD_STUB_PYTHON;
  const choose = (path) => {
    chosen = path;
    changed.fire({ path });
  };
  const environments = {
    getActiveEnvironmentPath: () => ({ id: chosen, path: chosen }),
    resolveEnvironment: async ({ path }) => ({ executable: { uri: vscode.Uri.file(path) } }),
    onDidChangeActiveEnvironmentPath: changed.event,
  };
  return { environments, choose };
};
