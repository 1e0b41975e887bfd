/** Beside a Python extension (a stub in its place): its choice is taken, followed, and passed over where it will not do. */
const assert = require("node:assert/strict");
const vscode = require("vscode");

const { eventually, file, log, open, servers, shows, story } = require("./inside.cjs");

const started = async () => [...(await log()).matchAll(/Python 3\.\d+\.\d+ at (\S+),/g)].map((match) => match[1]);
const stub = () => vscode.extensions.getExtension("ms-python.python").exports;

exports.run = story({
  "the interpreter that it has chosen runs the server": async () => {
    await open(file("app.py"));
    await shows(file("app.py"), "command-injection");
    assert.deepEqual(await started(), [process.env.CLOSEREAD_STUB_PYTHON]);
  },

  "another choice starts the server anew": async () => {
    const [old] = servers();
    stub().choose(process.env.CLOSEREAD_STUB_OTHER);
    await eventually(async () => (await started()).at(-1) === process.env.CLOSEREAD_STUB_OTHER, "the other Python");
    await eventually(() => servers().length === 1 && servers()[0] !== old, "a new server");
    await shows(file("app.py"), "command-injection");
  },

  "one that does not run is passed over for one on the path": async () => {
    stub().choose("/nowhere/python");
    await eventually(async () => (await started()).length === 3, "a third start");
    assert.ok(![process.env.CLOSEREAD_STUB_OTHER, "/nowhere/python"].includes((await started()).at(-1)));
    await shows(file("app.py"), "command-injection");
  },
});
