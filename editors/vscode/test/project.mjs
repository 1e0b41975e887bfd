/** A project with a finding, in a git repository of its own. CLOSEREAD_PROJECTS is the folder for all of them. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import path from "node:path";

export const VULNERABLE = `import subprocess

import flask

app = flask.Flask(__name__)


@app.get("/ping")
def ping():
    host = flask.request.args["host"]
    command = "ping -c 1 " + host
    return subprocess.check_output(command, shell=True)
`;
export const SINK = 12;

const IDENTITY = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org", "-c", "init.defaultBranch=main"];

export function git(folder, ...words) {
  return execFileSync("git", [...IDENTITY, ...words], { cwd: folder, encoding: "utf8" }).trim();
}

/** A folder that was not there before. */
export const fresh = (name) => mkdtempSync(path.join(process.env.CLOSEREAD_PROJECTS, `${name}-`));

export function project({ commit = true, folder = path.join(fresh("project"), "shop") } = {}) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "app.py"), VULNERABLE);
  writeFileSync(path.join(folder, "closeread.toml"), "");
  git(folder, "init", "--quiet");
  if (commit) {
    git(folder, "add", ".");
    git(folder, "commit", "--quiet", "--message", "The first");
  }
  return folder;
}
