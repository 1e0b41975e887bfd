/** The language status item: findings, cache and model, or why there is no server. */
import * as vscode from "vscode";

import { SELECTOR } from "./files";
import { count } from "./findings";
import type { Model, Server, Status } from "./server";

export class StatusItem {
  private readonly item = vscode.languages.createLanguageStatusItem("closeread", SELECTOR as vscode.DocumentSelector);
  private said?: Status;

  constructor(private readonly server: Server) {
    this.item.name = "Closeread";
    this.item.command = { command: "closeread.log", title: "Show Log" };
  }

  register(): vscode.Disposable {
    const told = this.server.onDidTell((status) => {
      this.said = status;
      this.show();
    });
    const changed = this.server.onDidChange(() => {
      this.said = this.server.client?.isRunning() ? this.said : undefined;
      this.show();
    });
    const counted = vscode.languages.onDidChangeDiagnostics(() => this.show());
    this.show();
    return vscode.Disposable.from(this.item, told, changed, counted);
  }

  private show(): void {
    const { client, python } = this.server;
    const problem = python?.problem;
    this.item.busy = !problem && !client?.isRunning();
    const { Error, Warning, Information } = vscode.LanguageStatusSeverity;
    this.item.severity = problem ? Error : this.said?.model?.problem ? Warning : Information;
    if (problem) {
      this.item.text = "Closeread: no server";
      this.item.detail = problem;
      return;
    }
    const found = this.said?.findings ?? count();
    this.item.text = `Closeread: ${counted(found)}${this.said?.paused ? " (paused)" : ""}`;
    this.item.detail = this.said ? detail(this.said) : `Python ${python?.version ?? "…"}`;
  }
}

/** "1 finding", "2 findings". */
export function counted(findings: number): string {
  return findings === 1 ? "1 finding" : `${findings} findings`;
}

/** Version, cache and model. */
export function detail(status: Status): string {
  const { hits, misses, rate } = status.cache;
  const cache = hits + misses ? `cache ${Math.round(rate * 100)} % of ${hits + misses}` : "cache unused";
  return `${status.version} · ${cache} · ${status.model ? ofModel(status.model) : "no model"}`;
}

/** Its name and state, the memory it takes, how many questions were answered, and how many of them from memory. */
function ofModel({ name, state, memory, answered, cached, problem }: Model): string {
  const facts = [state, memory && `${(memory / 1e9).toFixed(1)} GB`, answered && `${answered} questions, ${cached} from memory`];
  return `model ${problem || `${name} (${facts.filter(Boolean).join(", ")})`}`;
}
