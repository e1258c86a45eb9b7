import { expect, test } from "vitest";
import { cleanUp, GONE_MS } from "../../support/clean-up-scene.ts";
import { createDeployScene, OWNER, type Process } from "../../support/deploy-scene.ts";
import { ECHO_API } from "../../support/graphs.ts";
import { holdFirst } from "../../support/held-call.ts";

const OTHER = "another-owner";
const PATH = "/mcp/servers/echo";

const create = (process: Process, more: object = {}) =>
  process.call("POST", "/mcp/servers", { ...ECHO_API, serverId: "echo", ownerId: OWNER, ...more });
const remove = (process: Process) => process.call("DELETE", `${PATH}?ownerId=${OWNER}`);

test("an id that its owner takes again while a delete goes on stays the owner's, and is free after the next delete", async () => {
  const { startProcess, clock, documents } = createDeployScene();
  const hold = holdFirst("deleteOne", "server_owners");
  const deleting = startProcess(hold.documents);
  const process = startProcess();
  await create(process);
  const deletion = remove(deleting);
  await hold.reached;
  expect((await create(process, { name: "Made anew" })).status).toBe(201);
  hold.release();
  expect((await deletion).status).toBe(204);
  await deleting.settle();

  expect((await process.call("GET", PATH)).body).toMatchObject({ ownerId: OWNER, name: "Made anew" });
  expect((await create(process, { ownerId: OTHER })).status).toBe(409);
  expect(documents.named("server_owners")).toMatchObject([{ _id: "echo", ownerId: OWNER }]);

  expect((await remove(process)).status).toBe(204);
  await process.settle();
  await clock.advance(GONE_MS);
  await cleanUp(process);
  expect((await create(process, { ownerId: OTHER })).status).toBe(201);
});

test("a create under the id of a server that is there does not keep the id from others after that one's delete", async () => {
  const { startProcess } = createDeployScene();
  const process = startProcess();
  await create(process);
  expect((await create(process)).status).toBe(409);
  expect((await create(process, { ownerId: OTHER })).status).toBe(409);
  expect((await remove(process)).status).toBe(204);
  expect((await create(process, { ownerId: OTHER })).status).toBe(201);
});

test("an id that was entered before entries had a time is free after the delete", async () => {
  const { startProcess, documents } = createDeployScene();
  const process = startProcess();
  for (const update of [{ $unset: { takenAt: "" } }, { $unset: { takenAt: "", place: "" } }]) {
    expect((await create(process)).status).toBe(201);
    await documents.updateOne({ kind: "system", name: "server_owners", partition: "" }, { _id: "echo" }, update);
    expect((await remove(process)).status).toBe(204);
    expect(documents.named("server_owners")).toEqual([]);
  }
});

test("an update of a deleted server does not change the one that was made anew, nor what that one keeps", async () => {
  const { startProcess, documents } = createDeployScene();
  const process = startProcess();
  await create(process, { access: "public" });
  const hold = holdFirst("replaceOne", "server_versions");
  const late = startProcess(hold.documents);
  const update = late.call("PATCH", PATH, { version: 1, description: "for the first" });
  await hold.reached;
  await remove(process);
  await create(process, { name: "Made anew", access: "key" });
  expect((await process.call("PATCH", PATH, { version: 1, description: "second version" })).status).toBe(200);
  hold.release();
  expect(await update).toMatchObject({ status: 409, body: { code: "VERSION_CONFLICT" } });

  expect((await process.call("GET", PATH)).body).toMatchObject({ name: "Made anew", access: "key", version: 2 });
  expect((await process.call("GET", `${PATH}/versions/1`)).body).toMatchObject({ name: "Made anew", access: "key" });
  expect(documents.named("server_versions")).toHaveLength(1);
});

test("what a late update has kept of a deleted server gives way to what the one made anew keeps", async () => {
  const { startProcess, documents } = createDeployScene();
  const process = startProcess();
  await create(process);
  const keeping = holdFirst("replaceOne", "server_versions");
  const writing = holdFirst("updateOne", "servers");
  const late = startProcess((inner) => writing.documents(keeping.documents(inner)));
  const update = late.call("PATCH", PATH, { version: 1, description: "for the first" });
  await keeping.reached;
  await remove(process);
  await create(process, { name: "Made anew" });
  keeping.release();
  await writing.reached;
  expect(documents.named("server_versions")).toMatchObject([{ version: 1, name: ECHO_API.name }]);
  expect((await process.call("PATCH", PATH, { version: 1, description: "second" })).status).toBe(200);
  writing.release();
  expect((await update).body.code).toBe("VERSION_CONFLICT");
  expect((await process.call("GET", `${PATH}/versions/1`)).body).toMatchObject({ name: "Made anew" });
  expect((await process.call("GET", PATH)).body).toMatchObject({ description: "second", version: 2 });
});

test("a late update without a new server leaves no version behind", async () => {
  const { startProcess, documents } = createDeployScene();
  const process = startProcess();
  await create(process);
  const hold = holdFirst("replaceOne", "server_versions");
  const late = startProcess(hold.documents);
  const update = late.call("PATCH", PATH, { version: 1, description: "too late" });
  await hold.reached;
  await remove(process);
  hold.release();
  expect((await update).body.code).toBe("VERSION_CONFLICT");
  expect(documents.named("server_versions")).toEqual([]);
});

test("a deploy of a deleted server does not deploy the one that was made anew", async () => {
  const { startProcess, host } = createDeployScene();
  const process = startProcess();
  await create(process, { access: "public" });
  const hold = holdFirst("updateOne", "servers");
  const late = startProcess(hold.documents);
  const deploy = late.call("POST", `${PATH}/deploy`, { ownerId: OWNER });
  await hold.reached;
  await remove(process);
  await create(process, { name: "Made anew", access: "key" });
  hold.release();
  expect(await deploy).toMatchObject({ status: 409, body: { code: "DEPLOY_IN_PROGRESS" } });
  expect(host.agents.size).toBe(0);
  expect((await process.call("GET", PATH)).body).toMatchObject({ name: "Made anew", deployment: { state: "draft" } });
});

test("servers and versions that were stored without a place are updated, deployed and deleted as ever", async () => {
  const { startProcess, documents } = createDeployScene();
  const process = startProcess();
  await create(process);
  expect((await process.call("PATCH", PATH, { version: 1, description: "second" })).status).toBe(200);
  for (const name of ["servers", "server_versions"]) {
    const collection = { kind: "system", name, partition: `owner:${OWNER}` } as const;
    await documents.updateMany(collection, {}, { $unset: { place: "" } });
  }
  expect((await process.call("PATCH", PATH, { version: 2, description: "third" })).status).toBe(200);
  const versions = await process.call("GET", `${PATH}/versions`);
  expect(versions.body.items.map(({ version }: { version: number }) => version)).toEqual([3, 2, 1]);
  expect((await process.call("POST", `${PATH}/deploy`, { ownerId: OWNER })).status).toBe(200);
  expect((await process.call("DELETE", `${PATH}?undeploy=true`)).status).toBe(204);
  await process.settle();
  for (const name of ["servers", "server_versions"]) expect(documents.named(name), name).toEqual([]);
});

/** What people see of it. */
async function lookAt(process: Process) {
  const read = async (of: string): Promise<readonly any[]> => (await process.call("GET", `${PATH}/${of}`)).body.items;
  return {
    versions: (await read("versions")).map(({ version }) => version),
    events: (await read("logs")).map(({ type }) => type),
    runs: (await read("runs")).length,
  };
}

/** A new server under the id, with a version, events and a run of its own. */
async function makeAnew(process: Process): Promise<void> {
  expect((await create(process, { name: "Made anew" })).status).toBe(201);
  expect((await process.call("PATCH", PATH, { version: 1, description: "second" })).status).toBe(200);
  expect((await process.call("POST", `${PATH}/run?ownerId=${OWNER}`, { input: {} })).status).toBe(200);
  await process.settle();
}
const MADE_ANEW = { versions: [2, 1], events: ["run_complete", "server_updated", "server_created"], runs: 1 };

test.each(["server_versions", "execution_logs", "runs"])(
  "what a delete forgets in %s behind the record, a server that is made anew meanwhile keeps",
  async (collection) => {
    const { startProcess, clock } = createDeployScene();
    const process = startProcess();
    await makeAnew(process);
    await clock.advance(1);
    const hold = holdFirst("deleteMany", collection);
    const deleting = startProcess(hold.documents);
    const deletion = remove(deleting);
    await hold.reached;
    // Only within one isolate do ids of one millisecond have an order.
    await clock.advance(1);
    await makeAnew(process);
    hold.release();
    expect((await deletion).status).toBe(204);
    await deleting.settle();
    expect(await lookAt(process)).toEqual(MADE_ANEW);
  },
);

test.each(["server_versions", "execution_logs", "runs", "run_sums"])(
  "what the clean-up forgets in %s of a deleted server, one that is made anew meanwhile keeps",
  async (collection) => {
    const { startProcess, clock, documents } = createDeployScene();
    const process = startProcess();
    await makeAnew(process);
    await remove(process);
    await process.settle();
    await clock.advance(400_000);
    const hold = holdFirst(collection === "run_sums" ? "deleteOne" : "deleteMany", collection);
    const cleaning = startProcess(hold.documents);
    const job = cleanUp(cleaning);
    await hold.reached;
    await makeAnew(process);
    hold.release();
    await job;
    expect(await lookAt(process)).toEqual(MADE_ANEW);
    await clock.advance(GONE_MS);
    await cleanUp(process);
    expect(await lookAt(process)).toEqual(MADE_ANEW);
    expect(documents.named("removed_servers")).toEqual([]);
  },
);
