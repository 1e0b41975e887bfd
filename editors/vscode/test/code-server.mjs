/**
 * code-server, which serves VS Code's workbench, with folders of its own and the extension installed, and a headless Chromium
 * for its windows: one for all stories, started for the first.
 *
 * The environment says where things are: CLOSEREAD_WORKBENCH (the folder that `install-workbench` printed), CLOSEREAD_VSIX,
 * CLOSEREAD_CHROMIUM.
 */
import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { chromium } from "playwright-core";

const run = promisify(execFile);
const NOWHERE = "http://127.0.0.1:9/"; // nobody answers there: what would be downloaded is not

let started;

/** The one that runs: its `home`, `port` and `browser`, the Chromium. */
export function codeServer() {
  started ??= start();
  return started;
}

/** A folder that is not there until somebody makes it, and has a `bin` that the search path leads through. */
export const untrusted = (home) => path.join(home, "untrusted");

async function start() {
  const home = await mkdtemp(path.join(tmpdir(), "closeread-workbench-"));
  await mkdir(path.join(home, "data", "User"), { recursive: true });
  const code = path.join(process.env.CLOSEREAD_WORKBENCH, "node_modules", "code-server", "out", "node", "entry.js");
  const common = ["--user-data-dir", path.join(home, "data"), "--extensions-dir", path.join(home, "extensions")];
  const env = {
    HOME: home,
    PATH: `${path.join(untrusted(home), "bin")}:${process.env.PATH}`,
    LANG: "C.UTF-8",
    EXTENSIONS_GALLERY: '{"serviceUrl":""}',
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "Somebody",
    GIT_AUTHOR_EMAIL: "somebody@example.org",
    GIT_COMMITTER_NAME: "Somebody",
    GIT_COMMITTER_EMAIL: "somebody@example.org",
    CLOSEREAD_STUB_PYTHON: await python(home, "chosen"),
    CLOSEREAD_STUB_OTHER: await python(home, "other"),
    https_proxy: NOWHERE,
    http_proxy: NOWHERE,
    PIP_INDEX_URL: NOWHERE,
    PIP_RETRIES: "0",
    PIP_NO_CACHE_DIR: "1",
    PIP_CONFIG_FILE: "/dev/null",
  };
  await run(process.execPath, [code, ...common, "--install-extension", process.env.CLOSEREAD_VSIX], { env });
  const port = await freePort();
  const server = spawn(
    process.execPath,
    [code, ...common, "--auth", "none", "--bind-addr", `127.0.0.1:${port}`, "--disable-telemetry", "--disable-update-check"],
    { env, stdio: ["ignore", "pipe", "pipe"] },
  );
  await new Promise((listening, failed) => {
    const heard = (data) => `${data}`.includes("HTTP server listening") && listening();
    server.stdout.on("data", heard);
    server.stderr.on("data", heard);
    server.once("exit", (code) => failed(new Error(`code-server ended with ${code}`)));
  });
  const browser = await chromium.launch({
    executablePath: process.env.CLOSEREAD_CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  return { home, port, server, browser };
}

/** A Python of its own name, with these variables in its environment. */
export async function python(folder, name, variables = {}) {
  const file = path.join(folder, name);
  const assigned = Object.entries(variables).map(([key, value]) => `${key}=${value} `);
  await writeFile(file, `#!/bin/sh\n${assigned.join("")}exec ${process.env.CLOSEREAD_PYTHON} "$@"\n`, { mode: 0o755 });
  return file;
}

async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

/** End it, if it was started, and remove all it wrote. */
export async function stop() {
  if (!started) {
    return;
  }
  const { home, server, browser } = await started;
  await browser.close();
  server.removeAllListeners("exit");
  const ended = new Promise((gone) => server.once("exit", gone));
  server.kill("SIGTERM");
  await Promise.race([ended, new Promise((late) => setTimeout(late, 10_000))]);
  server.kill("SIGKILL");
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
}
