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
