import { expect, test } from "vitest";
import type { Documents } from "../../src/storage/documents/documents.ts";
import { createDeployScene, OWNER } from "../support/deploy-scene.ts";
import { ECHO_API } from "../support/graphs.ts";
import { dataApiInNode, driverInWorkerd } from "./stores.ts";

/** What is done after the answer has left, or beside it: nobody waits for these. */
const BESIDE = new Set(["execution_logs", "deployments", "owners"]);

/** What one deploy waits for at its store; `take` empties the list. */
async function countDeploy(store: Documents, serverId: string, take: () => readonly string[]) {
  const scene = createDeployScene();
  const worker = scene.startProcess(() => store);
  await worker.call("POST", "/mcp/servers", { ...ECHO_API, serverId, ownerId: OWNER });
  await worker.settle();
  take();
  scene.host.requests = 0;
  const { status, body } = await worker.call("POST", `/mcp/servers/${serverId}/deploy`, { ownerId: OWNER });
  expect(status, JSON.stringify(body)).toBe(200);
  const waitedFor = take().filter((call) => !BESIDE.has(call.split(" ")[1] ?? ""));
  await worker.settle();
  return { waitedFor, targetCalls: scene.host.requests };
}

test("by way of a gateway, a deploy waits for three HTTP requests and one call to the target", async () => {
  let calls: string[] = [];
  const store = dataApiInNode({
    async fetch(url, init) {
      const { collection } = JSON.parse(String(init.body)) as { collection: string };
      calls.push(`${url.split("/").at(-1)} ${collection}`);
      return fetch(url, init);
    },
  });
  const take = () => calls.splice(0);
  await countDeploy(store, `warm-${crypto.randomUUID()}`, take);
  calls = [];
  const counted = await countDeploy(store, `counted-${crypto.randomUUID()}`, take);
  expect(counted).toEqual({ waitedFor: ["find servers", "updateOne servers", "updateOne servers"], targetCalls: 1 });
});

test("by way of the driver, a deploy waits for three calls to the object that holds it", async () => {
  const calls: string[] = [];
  const driver = driverInWorkerd();
  const store = new Proxy(driver, {
    get(target, name: keyof Documents) {
      return (...args: [{ name: string }, ...unknown[]]) => {
        calls.push(`${name} ${args[0]?.name}`);
        return (target[name] as (...args: unknown[]) => unknown)(...args);
      };
    },
  });
  const counted = await countDeploy(store, `driver-${crypto.randomUUID()}`, () => calls.splice(0));
  expect(counted).toEqual({ waitedFor: ["findOne servers", "updateOne servers", "updateOne servers"], targetCalls: 1 });
});
