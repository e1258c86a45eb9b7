import { expect, test } from "vitest";
import { createDeployScene, OWNER } from "../support/deploy-scene.ts";

test("a key that was read slowly while it was revoked works no longer than one that was read at once", async () => {
  const { documents, clock, startProcess } = createDeployScene();
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const slow = startProcess(() => ({
    ...documents,
    async findOne(place, filter) {
      const found = await documents.findOne(place, filter);
      if (place.name !== "keys") return found;
      reached.resolve();
      await released.promise;
      return found;
    },
  }));
  const other = startProcess();
  const made = await other.call("POST", "/keys", { ownerId: OWNER, name: "k", scopes: ["servers:read"] });
  const list = async () => {
    const headers = { Authorization: `Bearer ${made.body.key}` };
    return (await slow.app.fetch(new Request("https://orchestrix.test/mcp/servers", { headers }))).status;
  };
  const first = list();
  await reached.promise;
  expect((await other.call("DELETE", `/keys/${made.body.id}`)).status).toBe(204);
  await clock.advance(12_000);
  released.resolve();
  expect(await first).toBe(200);
  await clock.advance(9_000);
  expect(await list()).toBe(401);
});
