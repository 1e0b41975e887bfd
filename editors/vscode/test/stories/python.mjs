/** A Python that will not do: one clear notification, with the way out. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { before, test } from "node:test";

import { fresh, project } from "../project.mjs";
import { Workbench } from "../workbench.mjs";

const tools = fresh("pythons");

function script(name, text) {
  const file = path.join(tools, name);
  writeFileSync(file, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return file;
}

// The real interpreter, telling the version of an old one.
const old = script("old", `exec ${process.env.CLOSEREAD_PYTHON} -I -c 'import sys; sys.version_info = (3, 9, 2); exec(sys.argv.pop(1))' "$3"`);
const broken = script("broken", "echo 'error while loading shared libraries: libpython3.so' >&2\nexit 127");
const bare = script("bare", `exec ${process.env.CLOSEREAD_PYTHON} -I -S "$@"`);

const CASES = [
  ["an old Python", old, {}, "old is Python 3.9.2, and Closeread needs 3.11 or later"],
  ["a broken one", broken, {}, "broken does not run (exit code 127: error while loading shared libraries: libpython3.so)"],
  ["one without the package", bare, { "closeread.importStrategy": "fromEnvironment" }, "-m pip install closeread"],
];

let folder;
before(() => {
  folder = project();
});

for (const [name, interpreter, settings, message] of CASES) {
  test(name, async () => {
    const workbench = await Workbench.start({ ...settings, "closeread.interpreter": interpreter });
    try {
      await workbench.open(folder);
      await workbench.openFile("app.py");
      const toasts = workbench.page.locator(".notification-toast").filter({ hasText: "Closeread:" });
      await toasts.filter({ hasText: message }).waitFor();
      await workbench.page.waitForTimeout(2000);
      await workbench.screenshot(name.replaceAll(" ", "-"));
      assert.equal(await toasts.count(), 1);
      assert.equal(await toasts.getByText("Open Settings").count(), 1);
    } finally {
      await workbench.stop();
    }
  });
}
