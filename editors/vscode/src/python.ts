/**
 * The Python that runs the server: where it is looked for, and what is wrong with the one that was found.
 *
 * In this order: `closeread.interpreter`; the one that the Python extension has chosen; with `fromEnvironment`, the one
 * beside the program `closeread`; those on the path. One that the user chose must do; of the others, the first that does.
 * In a folder that nobody trusts, only the path counts, and of the path only what lies outside the folder.
 */
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import * as vscode from "vscode";

/** An interpreter that was asked what it is; `problem` says, for people, why it will not do. */
export interface Python {
  path: string;
  version?: string;
  closeread?: string;
  problem?: string;
}

const OLDEST = [3, 11] as const;
const PATIENCE = 30_000; // milliseconds; a loaded machine starts Python in seconds
const NAMES = ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11"];
const WAY = "Choose another Python with the setting closeread.interpreter.";

// Runs in any Python 3. Its argument is the folder that carries the server, if that is what will be run. The last word
// is empty where there is no Closeread, or none that this version of Python can load.
const QUESTION = `
import sys
sys.path[:0] = sys.argv[1:]
try:
    from importlib import metadata
    import tree_sitter
    closeread = metadata.version("closeread")
except Exception:
    closeread = ""
print("closeread-python %d.%d.%d %s" % (sys.version_info[:3] + (closeread,)))
`;

/** What the Python extension offers, as far as it is used here. */
interface PythonExtension {
  environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { path: string };
    resolveEnvironment(path: { path: string }): Promise<{ executable: { uri?: vscode.Uri } } | undefined>;
    onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

async function pythonExtension(): Promise<PythonExtension | undefined> {
  const extension = vscode.extensions.getExtension<PythonExtension>("ms-python.python");
  try {
    return await extension?.activate();
  } catch {
    return undefined; // its own trouble, and it says so itself
  }
}

/** Hear of another interpreter being chosen in the Python extension. */
export async function onChosenElsewhere(heard: () => void): Promise<vscode.Disposable | undefined> {
  return (await pythonExtension())?.environments?.onDidChangeActiveEnvironmentPath(heard);
}

/** The Python to use. `bundled` is the folder that carries the server, or nothing if Python itself must have it. */
export async function find(bundled: string | undefined, cwd: string): Promise<Python> {
  const chosen = vscode.workspace.getConfiguration("closeread").get<string>("interpreter", "").trim();
  if (chosen) {
    return ask(chosen, bundled, cwd);
  }
  const answers: Python[] = [];
  for (const candidate of await candidates(bundled)) {
    const answer = await ask(candidate, bundled, cwd);
    if (!answer.problem) {
      return answer;
    }
    answers.push(answer);
  }
  const none = `No Python was found. Install Python 3.11 or later. ${WAY}`;
  return answers[0] ?? { path: "", problem: none };
}

async function candidates(bundled: string | undefined): Promise<string[]> {
  const found: string[] = [];
  if (vscode.workspace.isTrusted) {
    const environments = (await pythonExtension())?.environments;
    const resource = vscode.workspace.workspaceFolders?.[0]?.uri;
    const active = environments?.getActiveEnvironmentPath(resource);
    const resolved = active && (await environments?.resolveEnvironment(active));
    if (resolved?.executable.uri) {
      found.push(resolved.executable.uri.fsPath);
    }
  }
  if (!bundled) {
    for (const program of onPath("closeread")) {
      const folder = path.dirname(fs.realpathSync(program));
      found.push(...["python", "python3", "python.exe"].map((name) => path.join(folder, name)).filter(isProgram));
    }
  }
  return [...new Set([...found, ...NAMES.flatMap(onPath)])];
}

/** Programs of that name on the path, none of them inside the workspace. */
function onPath(name: string): string[] {
  const folders = (process.env.PATH ?? "").split(path.delimiter).filter(path.isAbsolute);
  const roots = (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath + path.sep);
  const file = process.platform === "win32" ? `${name}.exe` : name;
  const programs = folders.map((folder) => path.join(folder, file)).filter(isProgram);
  return programs.filter((program) => vscode.workspace.isTrusted || !roots.some((root) => program.startsWith(root)));
}

function isProgram(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Ask an interpreter what it is. */
function ask(interpreter: string, bundled: string | undefined, cwd: string): Promise<Python> {
  const command = ["-I", "-c", QUESTION, ...(bundled ? [bundled] : [])];
  return new Promise((resolve) => {
    execFile(interpreter, command, { cwd, timeout: PATIENCE }, (error, output, complaint) => {
      const [, version, closeread] = /closeread-python (\d+\.\d+\.\d+) ?(\S*)/.exec(output) ?? [];
      if (version === undefined) {
        resolve({ path: interpreter, problem: `${interpreter} does not run (${reason(error, complaint)}). ${WAY}` });
      } else {
        resolve({ path: interpreter, version, closeread, problem: judge(interpreter, version, closeread, bundled) });
      }
    });
  });
}

function reason(error: (Error & { code?: unknown; killed?: boolean }) | null, complaint: string): string {
  const said = complaint.trim().split("\n").at(-1);
  const how = error?.killed ? "no answer" : typeof error?.code === "number" ? `exit code ${error.code}` : error?.message;
  return [how ?? "no answer", said].filter(Boolean).join(": ");
}

function judge(interpreter: string, version: string, closeread: string | undefined, bundled?: string): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    return `${interpreter} is Python ${version}, and Closeread needs 3.11 or later. ${WAY}`;
  }
  if (!closeread && bundled) {
    return `This extension carries no server for ${interpreter} (Python ${version}). ${WAY}`;
  }
  if (!closeread) {
    return `Closeread is not installed for ${interpreter}. Run \`${interpreter} -m pip install closeread\`, or set closeread.importStrategy to useBundled. ${WAY}`;
  }
  return undefined;
}
