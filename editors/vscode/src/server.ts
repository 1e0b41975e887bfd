/** The server's life: found, started isolated, started anew when what it rests on has changed. */
import * as fs from "node:fs";
import * as path from "node:path";
import * as vscode from "vscode";
import { type ConfigurationParams, type ErrorHandler, LanguageClient, RevealOutputChannelOn, State } from "vscode-languageclient/node";

import { SELECTOR } from "./files";
import { find, type Python } from "./python";

/** What the server says of itself. */
export interface Status {
  version: string;
  findings: number;
  cache: { hits: number; misses: number; rate: number };
  model: Model | null;
  paused: boolean;
}

/** The local model in use, and how its process is. */
export interface Model {
  name: string;
  state: "stopped" | "starting" | "ready" | "busy" | "failed";
  memory: number; // bytes
  answered: number;
  cached: number;
  problem: string;
}

/** What the local model has written so far of the findings on a line. */
export interface Explanation {
  uri: string;
  line: number;
  markdown: string;
  done: boolean;
}

/** What a command gave. */
export interface Answer {
  command: string;
  answer: unknown;
}

export class Server implements vscode.Disposable {
  /** The running client, if there is one. */
  client?: LanguageClient;
  /** The Python it runs in, or the one that would not do. */
  python?: Python;

  private readonly changed = new vscode.EventEmitter<void>();
  /** It started, ended, or would not start. */
  readonly onDidChange = this.changed.event;

  private readonly told = new vscode.EventEmitter<Status>();
  /** It has something new to say of itself. */
  readonly onDidTell = this.told.event;

  private readonly explained = new vscode.EventEmitter<Explanation>();
  /** The local model has written another sentence. */
  readonly onDidExplain = this.explained.event;

  private readonly answered = new vscode.EventEmitter<Answer>();
  /** It has answered a command that it put into the editor itself, such as a code lens's. */
  readonly onDidAnswer = this.answered.event;

  private queue: Promise<void> = Promise.resolve();

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /** How to run the command line of the server in use: an isolated Python, and what it is told. */
  get program(): string[] | undefined {
    const bundled = this.bundled;
    return this.python && !this.python.problem ? [this.python.path, "-I", ...(bundled ? [bundled] : ["-m", "closeread"])] : undefined;
  }

  /** A folder of our own, outside every workspace. */
  get folder(): string {
    return this.context.globalStorageUri.fsPath;
  }

  /** Start, or start anew. One start waits for the other. */
  restart(): Promise<void> {
    this.queue = this.queue.then(() => this.stop()).then(() => this.start());
    return this.queue;
  }

  /** Whether the server has this command. */
  offers(command: string): boolean {
    return this.client?.initializeResult?.capabilities.executeCommandProvider?.commands.includes(command) ?? false;
  }

  /** Have the server run a command. */
  async execute(command: string, ...args: unknown[]): Promise<unknown> {
    return this.client?.sendRequest("workspace/executeCommand", { command, arguments: args });
  }

  async dispose(): Promise<void> {
    await this.queue;
    await this.stop();
  }

  /** The folder that carries the server, if it is to be used. */
  private get bundled(): string | undefined {
    const strategy = vscode.workspace.getConfiguration("closeread").get<string>("importStrategy");
    return strategy === "fromEnvironment" ? undefined : path.join(this.context.extensionPath, "bundled");
  }

  private async start(): Promise<void> {
    fs.mkdirSync(this.folder, { recursive: true });
    this.python = await find(this.bundled, this.folder);
    const program = this.program;
    if (!program) {
      this.changed.fire();
      void this.complain(this.python.problem ?? "");
      return;
    }
    this.log.info(`Python ${this.python.version} at ${this.python.path}, Closeread ${this.python.closeread}: ${program.join(" ")} serve`);
    const [command = "", ...args] = program;
    let usual: ErrorHandler;
    const client: LanguageClient = new LanguageClient(
      "closeread",
      "Closeread",
      { command, args: [...args, "serve"], options: { cwd: this.folder } },
      {
        documentSelector: SELECTOR,
        outputChannel: this.log,
        traceOutputChannel: this.log,
        // A server that ends takes its open requests with it: that is one event and no message, as it is started anew.
        revealOutputChannelOn: RevealOutputChannelOn.Never,
        errorHandler: {
          error: async (...what) => ({ ...(await usual.error(...what)), handled: true }),
          closed: () => usual.closed(),
        },
        synchronize: { configurationSection: "closeread" },
        middleware: {
          workspace: { configuration: (params) => params.items.map(settingsOf) },
          executeCommand: async (command, args, next) => {
            const answer: unknown = await next(command, args);
            this.answered.fire({ command, answer });
            return answer;
          },
        },
      },
    );
    usual = client.createDefaultErrorHandler();
    client.onNotification("closeread/status", (status: Status) => this.told.fire(status));
    client.onNotification("closeread/explanation", (explanation: Explanation) => this.explained.fire(explanation));
    client.onDidChangeState(({ newState }) => {
      if (newState !== State.Starting) {
        this.changed.fire();
      }
    });
    this.client = client;
    try {
      await client.start();
    } catch (error) {
      this.log.error(`The server did not start: ${error}`); // the client has told the user
    }
    this.changed.fire();
  }

  private async stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    if (client?.needsStop()) {
      await client.stop().catch((error) => this.log.warn(`The server did not stop: ${error}`));
    }
    await client?.dispose().catch(() => undefined);
  }

  private async complain(problem: string): Promise<void> {
    this.log.error(problem);
    const settings = "Open Settings";
    if ((await vscode.window.showErrorMessage(`Closeread: ${problem}`, settings, "Show Log")) === settings) {
      await vscode.commands.executeCommand("workbench.action.openSettings", "closeread.interpreter");
    } else {
      this.log.show();
    }
  }
}

/**
 * What the user has set for a folder. Defaults are left out: sent along, they would lie over what the project's own
 * `closeread.toml` says.
 */
function settingsOf(item: ConfigurationParams["items"][number]): Record<string, unknown> | null {
  const { section } = item;
  if (section !== "closeread") {
    return null;
  }
  const scope = item.scopeUri === undefined ? undefined : vscode.Uri.parse(item.scopeUri);
  const configuration = vscode.workspace.getConfiguration(section, scope);
  const set: Record<string, unknown> = {};
  for (const name of Object.keys(configuration)) {
    const { globalValue, workspaceValue, workspaceFolderValue } = configuration.inspect(name) ?? {};
    if ([globalValue, workspaceValue, workspaceFolderValue].some((value) => value !== undefined)) {
      set[name] = configuration.get(name);
    }
  }
  return set;
}
