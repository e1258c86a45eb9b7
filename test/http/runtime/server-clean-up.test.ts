import { expect, test } from "vitest";
import { cleanUp, endsUnder, GONE_MS, startHeldProcess } from "../../support/clean-up-scene.ts";
import { createDeployScene, OWNER, type Process } from "../../support/deploy-scene.ts";
import { ECHO_API } from "../../support/graphs.ts";
import { holdFirst } from "../../support/held-call.ts";
import type { MemoryDocuments } from "../../support/memory-documents.ts";
import { createMortal } from "../../support/run-crash-mortal.ts";

const OTHER = "another-owner";
/** Longer than isolates' clocks may differ by: what is younger may be of a server that has just been made anew. */
const CLOCKS_APART_MS = 16_000;
const SLOW_API = {
  ...ECHO_API,
  tools: [
    { toolId: "input", name: "input" },
    { toolId: "slow", name: "dbFind", config: { collection: "slow", filter: {} } },
  ],
  executionOrder: ["input", "slow"],
};

async function createServer(process: Process, ownerId: string, graph: object = SLOW_API): Promise<void> {
  const created = await process.call("POST", "/mcp/servers", { ...graph, serverId: "mcp-1", ownerId });
  expect(created.status, JSON.stringify(created.body)).toBe(201);
}

async function testRunsOf(process: Process, ownerId: string): Promise<readonly unknown[]> {
  const listed = await process.call("GET", `/mcp/servers/mcp-1/runs?ownerId=${ownerId}`);
  expect(listed.status).toBe(200);
  return listed.body.items;
}

/** What people see of it. */
const historyOf = (documents: MemoryDocuments) =>
  [...documents.named("runs"), ...documents.named("execution_logs")].filter(({ _id }) => /^(?:run|log)_/.test(_id));
const leftOf = (documents: MemoryDocuments) =>
  ["servers", "server_owners", "server_versions", "runs", "run_sums", "execution_logs", "removed_servers"].flatMap(
    (name) => documents.named(name),
  );

test("a test that ends after its server was deleted is nobody's who takes the id, and goes", async () => {
  const { documents, clock, startProcess } = createDeployScene();
  const { process, hold } = startHeldProcess(startProcess);
  await createServer(process, OWNER);
  const letGo = hold();
  const testing = process.call("POST", `/mcp/servers/mcp-1/run?ownerId=${OWNER}`, { input: { mine: "private" } });
  await letGo.reached;
  expect((await process.call("DELETE", `/mcp/servers/mcp-1?ownerId=${OWNER}`)).status).toBe(204);
  await clock.advance(1_000);
  await createServer(process, OTHER);
  letGo.release();
  expect((await testing).body.success).toBe(true);
  await process.settle();
  expect(JSON.stringify(documents.named("runs"))).toContain("private");
  expect(await testRunsOf(process, OTHER)).toEqual([]);
  const logs = await process.call("GET", `/mcp/servers/mcp-1/logs?ownerId=${OTHER}`);
  expect(logs.body.items.map(({ type }: { type: string }) => type)).toEqual(["server_created"]);

  await clock.advance(CLOCKS_APART_MS);
  await cleanUp(process);
  expect(documents.named("runs")).toEqual([]);
  expect(documents.named("removed_servers")).toHaveLength(1);
  await clock.advance(GONE_MS);
  await cleanUp(process);
  expect(documents.named("removed_servers")).toEqual([]);
});

test("a server that its owner makes anew keeps what it has", async () => {
  const { documents, clock, startProcess } = createDeployScene();
  const process = startProcess();
  await createServer(process, OWNER);
  await process.call("DELETE", `/mcp/servers/mcp-1?ownerId=${OWNER}`);
  await process.settle();
  await clock.advance(1_000);
  await createServer(process, OWNER);
  await process.call("POST", `/mcp/servers/mcp-1/run?ownerId=${OWNER}`, { input: {} });
  await process.settle();
  await cleanUp(process);
  await clock.advance(GONE_MS);
  await cleanUp(process);
  expect(documents.named("removed_servers")).toEqual([]);
  expect(await testRunsOf(process, OWNER)).toHaveLength(1);
});

test("a clean-up that comes just before the record goes forgets nothing of what ends after it", async () => {
  const { documents, clock, startProcess } = createDeployScene();
  const { process, hold } = startHeldProcess(startProcess);
  const removing = holdFirst("deleteOne", "servers");
  const deleting = startProcess(removing.documents);
  await createServer(process, OWNER);
  const letGo = hold();
  const testing = process.call("POST", `/mcp/servers/mcp-1/run?ownerId=${OWNER}`, { input: {} });
  await letGo.reached;
  const deletion = deleting.call("DELETE", `/mcp/servers/mcp-1?ownerId=${OWNER}`);
  await removing.reached;
  await cleanUp(process);
  removing.release();
  expect((await deletion).status).toBe(204);
  await deleting.settle();
  letGo.release();
  expect((await testing).body.success).toBe(true);
  await process.settle();
  await clock.advance(GONE_MS);
  await cleanUp(process);
  expect(leftOf(documents)).toEqual([]);
});

test("a delete whose entry the clean-up strikes as it notes it is noted all the same", async () => {
  const { documents, clock, startProcess } = createDeployScene();
  const process = startProcess();
  await createServer(process, OWNER);
  await process.call("DELETE", `/mcp/servers/mcp-1?ownerId=${OWNER}`);
  await createServer(process, OWNER);
  await clock.advance(GONE_MS);
  const noting = holdFirst("updateOne", "removed_servers");
  const deleting = startProcess(noting.documents);
  const second = deleting.call("DELETE", `/mcp/servers/mcp-1?ownerId=${OWNER}`);
  await noting.reached;
  await cleanUp(process);
  expect(documents.named("removed_servers")).toEqual([]);
  noting.release();
  expect((await second).status).toBe(204);
  expect(documents.named("removed_servers")).toHaveLength(1);
});

test("a delete that ends at any of its calls leaves nothing for ever, and the server whole where it stays", async () => {
  let crashes = 0;
  for (const ends of ["before", "after"] as const) {
    for (let lastCall = 1; ; lastCall++) {
      const { documents, clock, startProcess } = createDeployScene();
      const process = startProcess();
      await createServer(process, OWNER);
      await process.call("PATCH", `/mcp/servers/mcp-1?ownerId=${OWNER}`, { description: "another" });
      await process.call("POST", `/mcp/servers/mcp-1/run?ownerId=${OWNER}`, { input: {} });
      await process.settle();
      const history = historyOf(documents).map(({ _id }) => _id);
      const mortal = createMortal(lastCall, ends);
      const dying = startProcess(() => mortal.documents(documents));
      const deletion = dying.call("DELETE", `/mcp/servers/mcp-1?ownerId=${OWNER}`).then(() => dying.settle());
      if (!(await endsUnder(deletion, mortal))) break;
      crashes++;
      await cleanUp(process);
      await clock.advance(GONE_MS);
      await cleanUp(process);
      const stays = documents.named("servers").length === 1;
      if (stays) expect(historyOf(documents).map(({ _id }) => _id)).toEqual(history);
      else expect(leftOf(documents), `${ends} call ${lastCall}`).toEqual([]);
    }
  }
  expect(crashes).toBeGreaterThan(8);
});
