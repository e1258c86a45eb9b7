import { expect, test } from "vitest";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import { endsUnder } from "../../support/clean-up-scene.ts";
import { createDeployScene, OWNER, type Process } from "../../support/deploy-scene.ts";
import { ECHO_API } from "../../support/graphs.ts";
import { createMortal } from "../../support/run-crash-mortal.ts";

const LEASE_MS = 120_000;
const KEY = { "Idempotency-Key": "key-1" };

const create = (process: Process, more: object = {}) =>
  process.call("POST", "/mcp/servers", { ...ECHO_API, ownerId: OWNER, ...more }, KEY);

async function serversOf(process: Process): Promise<readonly string[]> {
  const { body } = await process.call("GET", `/mcp/servers?ownerId=${OWNER}`);
  return body.items.map(({ serverId }: { serverId: string }) => serverId);
}

test.each([{}, { serverId: "mine" }])(
  "a create that dies at any of its calls, and its retry with the same key, make one server: %j",
  async (more) => {
    let [deaths, found] = [0, 0];
    for (const ends of ["before", "after"] as const) {
      for (let lastCall = 1; ; lastCall++) {
        const scene = createDeployScene();
        const mortal = createMortal(lastCall, ends);
        const dying = scene.startProcess(() => mortal.documents(scene.documents));
        const first = create(dying, more).then(() => dying.settle());
        if (!(await endsUnder(first, mortal))) break;
        deaths++;
        const before = scene.documents.named("servers").map(({ serverId }) => serverId);
        await scene.clock.advance(LEASE_MS);
        const process = scene.startProcess();
        const retried = await create(process, more);
        await process.settle();
        expect(retried.status, `${ends} call ${lastCall}: ${JSON.stringify(retried.body)}`).toBe(201);
        expect(await serversOf(process)).toEqual([retried.body.serverId]);
        if (before.length > 0) expect(before).toEqual([retried.body.serverId]);
        found += before.length;
        expect(await create(process, more)).toEqual(retried);
      }
    }
    expect(deaths).toBeGreaterThan(10);
    expect(found).toBeGreaterThan(3);
  },
);

test("a create whose answer from the store was lost is found by its retry, though there is no room for another", async () => {
  const scene = createDeployScene();
  const env = { QUOTA_SERVERS: "1" };
  const losing = scene.startProcess(
    (documents) => ({
      ...documents,
      async insertOne(collection, ...rest) {
        const inserted = await documents.insertOne(collection, ...rest);
        if (collection.name === "servers") throw new StorageUnavailable("no answer");
        return inserted;
      },
    }),
    env,
  );
  expect((await create(losing)).status).toBe(503);
  const process = scene.startProcess((documents) => documents, env);
  const retried = await create(process);
  expect(retried.status).toBe(201);
  expect(await serversOf(process)).toEqual([retried.body.serverId]);
  const other = await process.call("POST", "/mcp/servers", { ...ECHO_API, ownerId: OWNER });
  expect(other.body.code).toBe("FORBIDDEN");
});

test("a retry takes no server for its own that another create made under the same serverId", async () => {
  const scene = createDeployScene();
  const down = scene.startProcess((documents) => ({
    ...documents,
    insertOne: (collection, ...rest) =>
      collection.name === "server_owners"
        ? Promise.reject(new StorageUnavailable("no answer"))
        : documents.insertOne(collection, ...rest),
  }));
  expect((await create(down, { serverId: "mine" })).status).toBe(503);
  const process = scene.startProcess();
  const other = { ...ECHO_API, name: "Another", serverId: "mine", ownerId: OWNER };
  expect((await process.call("POST", "/mcp/servers", other)).status).toBe(201);
  expect((await create(process, { serverId: "mine" })).body.code).toBe("DUPLICATE");
  expect((await process.call("GET", `/mcp/servers/mine?ownerId=${OWNER}`)).body.name).toBe("Another");
});

test("of two tries that are at work at once, the slow one past its lease, both answer with the same server", async () => {
  const scene = createDeployScene();
  const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const slow = scene.startProcess((documents) => ({
    ...documents,
    async insertOne(collection, ...rest) {
      if (collection.name === "servers") {
        reached.resolve();
        await released.promise;
      }
      return documents.insertOne(collection, ...rest);
    },
  }));
  const first = create(slow);
  await reached.promise;
  await scene.clock.advance(LEASE_MS);
  const process = scene.startProcess();
  const second = await create(process);
  released.resolve();
  const late = await first;
  expect([late.status, second.status]).toEqual([201, 201]);
  expect(late.body).toEqual(second.body);
  expect(await serversOf(process)).toEqual([second.body.serverId]);
});
