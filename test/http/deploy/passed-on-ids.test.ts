import { expect, test } from "vitest";
import { LATE_AGENT_MS } from "../../../src/config/limits.ts";
import { deployments, serverVersions } from "../../../src/storage/documents/collections.ts";
import { createDeployScene, type DeployScene, OWNER, type Process } from "../../support/deploy-scene.ts";
import { ECHO_API } from "../../support/graphs.ts";

const OTHER = "another-owner";
const PATH = "/mcp/servers/echo";
const HOUR_MS = 3_600_000;

async function create(process: Process, ownerId: string, name = ECHO_API.name): Promise<void> {
  const created = await process.call("POST", "/mcp/servers", { ...ECHO_API, name, serverId: "echo", ownerId });
  expect(created.status, JSON.stringify(created.body)).toBe(201);
  await process.settle();
}

async function patch(process: Process, ownerId: string, version: number) {
  const body = { version, name: `Version ${version + 1}` };
  const patched = await process.call("PATCH", `${PATH}?ownerId=${ownerId}`, body);
  await process.settle();
  return patched;
}

async function versionsOf(process: Process, ownerId: string, limit = 100) {
  const found: string[] = [];
  for (let cursor = ""; ; ) {
    const listed = await process.call("GET", `${PATH}/versions?ownerId=${ownerId}&limit=${limit}${cursor}`);
    expect(listed.status).toBe(200);
    for (const { version, name } of listed.body.items) found.push(`${version} ${name}`);
    if (listed.body.nextCursor === null) return found;
    cursor = `&cursor=${listed.body.nextCursor}`;
  }
}

/** Puts what is stored under the id that a version of before gave it. */
async function moveBack({ documents }: DeployScene, name: "deployments" | "server_versions", ownerId = OWNER) {
  const collection = name === "deployments" ? deployments(ownerId) : serverVersions(ownerId);
  const moved = documents.named(name).filter((document) => document.ownerId === ownerId);
  for (const { _id, ...rest } of moved) {
    await documents.deleteOne(collection, { _id });
    await documents.insertOne(collection, { _id: _id.slice(_id.indexOf(":") + 1), ...rest });
  }
  return moved.length;
}

test("what a deleted server may have left at its target is removed, also when another owner deploys under its id", async () => {
  const scene = createDeployScene();
  const process = scene.startProcess();
  await create(process, OWNER);
  scene.host.intercept = ({ method }, work) => {
    if (method === "POST") work();
    return Promise.reject(new TypeError("away"));
  };
  const deploying = process.call("POST", `${PATH}/deploy`, { ownerId: OWNER });
  await scene.clock.advance(3_000);
  expect((await deploying).body.code).toBe("UPSTREAM_FAILED");
  scene.host.intercept = null;
  expect((await process.call("DELETE", `${PATH}?ownerId=${OWNER}`)).status).toBe(204);
  await process.settle();
  await create(process, OTHER);
  const deployed = await process.call("POST", `${PATH}/deploy`, { ownerId: OTHER });
  expect(deployed.status).toBe(200);
  await process.settle();
  expect(scene.host.agents.size).toBe(2);

  await process.jobs["reconcile-deployments"]({ thorough: true });
  expect([...scene.host.agents.values()].map(({ agentId }) => agentId)).toEqual([deployed.body.agentId]);
  // What may yet come is looked for a while longer.
  await scene.clock.advance(LATE_AGENT_MS + 1);
  await process.jobs["reconcile-deployments"]({ thorough: true });
  expect(scene.documents.named("deployments").map(({ ownerId }) => ownerId)).toEqual([OTHER]);
});

test("a change that is still under way for a deleted server leaves the versions of who took its id alone", async () => {
  const scene = createDeployScene();
  const process = scene.startProcess();
  const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const slow = scene.startProcess((documents) => ({
    ...documents,
    async replaceOne(collection, ...rest) {
      if (collection.name === "server_versions") {
        reached.resolve();
        await released.promise;
      }
      return documents.replaceOne(collection, ...rest);
    },
  }));
  await create(process, OWNER, "Private");
  const patching = patch(slow, OWNER, 1);
  await reached.promise;
  expect((await process.call("DELETE", `${PATH}?ownerId=${OWNER}`)).status).toBe(204);
  await create(process, OTHER, "Version 1");
  expect((await patch(process, OTHER, 1)).status).toBe(200);
  released.resolve();
  expect((await patching).body.code).toBe("VERSION_CONFLICT");
  expect(await versionsOf(process, OTHER)).toEqual(["2 Version 2", "1 Version 1"]);
  expect((await process.call("GET", `${PATH}/versions/1?ownerId=${OTHER}`)).body.name).toBe("Version 1");
});

test("versions under the ids of before are listed, read, rolled back to and deleted with the others", async () => {
  const scene = createDeployScene();
  const process = scene.startProcess();
  await create(process, OWNER, "Version 1");
  for (let version = 1; version < 4; version++) await patch(process, OWNER, version);
  expect(await moveBack(scene, "server_versions")).toBe(3);
  // What is still current was kept by an update that stopped half-way, and is kept again.
  const [last] = scene.documents.named("server_versions").slice(-1);
  const half = { ...last, _id: "echo:00000004", version: 4, name: "Version 4" };
  await scene.documents.insertOne(serverVersions(OWNER), half);
  for (let version = 4; version < 7; version++) await patch(process, OWNER, version);

  const all = [7, 6, 5, 4, 3, 2, 1].map((version) => `${version} Version ${version}`);
  for (const limit of [1, 2, 3, 4, 100]) expect(await versionsOf(process, OWNER, limit)).toEqual(all);
  for (const version of [1, 4, 6]) {
    const read = await process.call("GET", `${PATH}/versions/${version}?ownerId=${OWNER}`);
    expect(read.body).toMatchObject({ version, name: `Version ${version}` });
  }
  expect((await process.call("POST", `${PATH}/deploy`, { ownerId: OWNER })).status).toBe(200);
  const rolledBack = await process.call("POST", `${PATH}/rollback`, { ownerId: OWNER, version: 2 });
  expect(rolledBack.body).toMatchObject({ success: true, version: 2 });
  expect((await process.call("DELETE", `${PATH}?undeploy=true&ownerId=${OWNER}`)).status).toBe(204);
  expect(scene.documents.named("server_versions")).toEqual([]);
});

test("an entry of the ledger under an id of before is looked at, and struck with the one that came after it", async () => {
  const scene = createDeployScene();
  const process = scene.startProcess();
  const reconcile = () => process.jobs["reconcile-deployments"]({ thorough: false });
  await create(process, OWNER);
  await process.call("POST", `${PATH}/deploy`, { ownerId: OWNER });
  await process.settle();
  expect(await moveBack(scene, "deployments")).toBe(1);
  await scene.clock.advance(HOUR_MS + 1);
  await reconcile();
  const asked = scene.host.requests;
  await reconcile();
  expect(scene.host.requests).toBe(asked);

  await process.call("PUT", `${PATH}/deploy`, { ownerId: OWNER });
  await process.settle();
  expect(scene.documents.named("deployments")).toHaveLength(2);
  scene.host.intercept = () => Promise.resolve(new Response(null, { status: 404 }));
  await scene.clock.advance(HOUR_MS + 1);
  expect(await reconcile()).toMatchObject({ drifted: ["echo"], unsettled: [] });
  await process.call("DELETE", `${PATH}/deploy`, { ownerId: OWNER });
  await process.settle();
  expect(scene.documents.named("deployments")).toEqual([]);
});

test("an agent that only an entry under an id of before still names is removed from its target", async () => {
  const scene = createDeployScene();
  const process = scene.startProcess();
  await create(process, OWNER);
  await process.call("POST", `${PATH}/deploy`, { ownerId: OWNER });
  await process.settle();
  await moveBack(scene, "deployments");
  for (const name of ["servers", "server_owners"] as const) {
    await scene.documents.deleteOne({ kind: "system", name, partition: `owner:${OWNER}` }, { _id: "echo" });
  }
  await create(process, OTHER);
  await scene.clock.advance(HOUR_MS + 1);
  expect(await process.jobs["reconcile-deployments"]({ thorough: true })).toMatchObject({ removed: ["echo"] });
  expect(scene.host.agents.size).toBe(0);
  expect(scene.documents.named("deployments")).toEqual([]);
});
