/** Commits as the Git extension tells them, in a repository that begins empty; the server's own watcher sees them too. */
const assert = require("node:assert/strict");
const vscode = require("vscode");

const { eventually, file, git, log, open, root, shows, story, write } = require("./inside.cjs");

const repository = () => vscode.extensions.getExtension("vscode.git").exports.getAPI(1).repositories[0];
const RISKY = (name) => `import os, flask\n\ndef ${name}():\n    os.system(flask.request.args['x'])\n`;

/** The commits that were reviewed, as often as each was, and how often the user was told something. */
const reviewed = async () => [...(await log()).matchAll(/Commit ([0-9a-f]{40}) was reviewed/g)].map((match) => match[1]);
const told = async () => (await log()).split("Received notification 'window/showMessage'").length - 1;

/** Time for the server's watcher, which sees the same. */
const settled = () => new Promise((later) => setTimeout(later, 2000));

async function commit(name, ...options) {
  const before = await told();
  git(root(), "add", ".");
  git(root(), "commit", "--quiet", "--message", name, ...options);
  const id = git(root(), "rev-parse", "HEAD");
  await eventually(async () => (await reviewed()).includes(id), `the review of ${name}`);
  await settled();
  assert.equal((await reviewed()).filter((one) => one === id).length, 1, `${name} was reviewed once`);
  assert.equal((await told()) - before, 1, `${name} was told once`);
  return id;
}

exports.run = story({
  "opening a repository is no commit": async () => {
    await open(file("app.py"));
    await shows(file("app.py"), "command-injection");
    await eventually(() => repository()?.state.HEAD, "the Git extension");
    assert.equal(repository().state.HEAD.commit, undefined);
    assert.deepEqual(await reviewed(), []);
  },

  "the first commit of an empty repository": async () => {
    await commit("The first");
    assert.deepEqual((await reviewed()).length, 1);
  },

  "a commit outside, and one that amends it": async () => {
    write("more.py", RISKY("more"));
    await commit("The second");
    await shows(file("more.py"), "command-injection");
    write("more.py", RISKY("changed"));
    await commit("The second again", "--amend");
  },

  "a commit by the Git extension itself": async () => {
    write("inside.py", RISKY("inside"));
    const before = await told();
    await repository().add([file("inside.py").fsPath]);
    await repository().commit("The third");
    const id = git(root(), "rev-parse", "HEAD");
    await eventually(async () => (await reviewed()).includes(id), "its review");
    await settled();
    assert.equal((await told()) - before, 1);
  },

  "a rebase: each of its commits, in one message": async () => {
    git(root(), "checkout", "--quiet", "-b", "side", "HEAD~1");
    const made = ["one", "two", "three"].map((name) => {
      write(`${name}.py`, RISKY(name));
      git(root(), "add", ".");
      git(root(), "commit", "--quiet", "--message", name);
      return git(root(), "rev-parse", "HEAD");
    });
    await eventually(async () => (await reviewed()).filter((id) => made.includes(id)).length === 3, "the review of commits in a row");
    await settled();
    const before = await told();
    git(root(), "rebase", "--quiet", "main");
    const ids = git(root(), "rev-list", "--reverse", "main..side").split("\n");
    await eventually(async () => (await reviewed()).filter((id) => ids.includes(id)).length === 3, "the reviews");
    await settled();
    assert.deepEqual((await reviewed()).slice(-3), ids);
    assert.equal((await told()) - before, 1);
    git(root(), "checkout", "--quiet", "main");
  },

  "a checkout, a reset and a new branch are no commits": async () => {
    const before = await reviewed();
    const heads = [git(root(), "rev-parse", "HEAD"), git(root(), "rev-parse", "HEAD~1")];
    git(root(), "checkout", "--quiet", "-b", "aside", "HEAD~1");
    await eventually(() => repository().state.HEAD.commit === heads[1], "the Git extension's look");
    git(root(), "checkout", "--quiet", "main");
    await eventually(() => repository().state.HEAD.commit === heads[0], "the Git extension's look");
    git(root(), "reset", "--quiet", "--hard", "HEAD~1");
    await eventually(() => repository().state.HEAD.commit === heads[1], "the Git extension's look");
    await settled();
    assert.deepEqual(await reviewed(), before);
  },
});
