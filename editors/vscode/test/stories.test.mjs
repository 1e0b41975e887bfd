/**
 * The stories, one after the other, in one workbench: each has windows of its own, with settings of its own. CLOSEREAD_STORIES
 * names those that are wanted, in this order; the first sees the workbench fresh.
 */
import { after, before, describe } from "node:test";

import { stop } from "./code-server.mjs";

const wanted = process.env.CLOSEREAD_STORIES?.split(",") ?? ["ui", "commands", "host", "python", "model", "trust"];

after(stop);

for (const story of wanted) {
  describe(story, async () => {
    await import(`./stories/${story}.mjs`);
  });
}
