import { expect, test } from "vitest";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import { createIdSource, systemRandom } from "../../../src/core/ids.ts";
import { createAgentIndex } from "../../../src/runtime/agents/agent-index.ts";
import { cleanUp, endsUnder, GONE_MS, startHeldProcess } from "../../support/clean-up-scene.ts";
import { createDeployScene, OWNER, type Process } from "../../support/deploy-scene.ts";
import { createHold, letRun } from "../../support/deploy-steps.ts";
import { ECHO_API } from "../../support/graphs.ts";
import type { MemoryDocuments } from "../../support/memory-documents.ts";
import { createMortal } from "../../support/run-crash-mortal.ts";
import { hookStore, type StoreCall } from "../../support/store-hooks.ts";

const DAY_MS = 86_400_000;

/** As a deployer elsewhere makes it: this Worker has no record of its server. */
async function createAgent(process: Process, serverId: string, graph: object = ECHO_API): Promise<string> {
  const metadata = { createdBy: "elsewhere", serverId, createdAt: "2026-02-13T10:30:00.000Z", ownerId: OWNER };
  const body = { name: "Test API", ...graph, description: "", inputSchema: { type: "object" }, metadata };
  const created = await process.call("POST", "/mcp/agents", body);
  expect([200, 201], JSON.stringify(created.body)).toContain(created.status);
  return created.body.agentId;
}

async function run(process: Process, agentId: string): Promise<void> {
  expect((await process.call("POST", `/agents/${agentId}`, { hello: "world" })).status).toBe(200);
  await process.settle();
}

const tracesOf = (documents: MemoryDocuments, agentId: string) =>
  documents.named("runs").filter((document) => document.agentId === agentId);
const leftOf = (documents: MemoryDocuments, agentId: string) =>
  documents.all().filter((document) => JSON.stringify(document).includes(agentId));

test("old runs of an agent without a server's record go, the later ones stay", async () => {
  const { documents, clock, startProcess } = createDeployScene();
  const process = startProcess();
  const agentId = await createAgent(process, "elsewhere-1");
  await run(process, agentId);
  await clock.advance(20 * DAY_MS);
  await run(process, agentId);
  await clock.advance(11 * DAY_MS);
  expect(tracesOf(documents, agentId)).toHaveLength(2);
  expect(await cleanUp(process)).toMatchObject({ agentsVisited: 1, runsRemoved: 1 });
  expect(tracesOf(documents, agentId)).toHaveLength(1);
  expect((await process.call("GET", `/mcp/agents/${agentId}`)).status).toBe(200);
});

test("an agent from before there was an index is entered by way of its server's record", async () => {
  const { documents, clock, startProcess } = createDeployScene();
  const process = startProcess();
  await process.call("POST", "/mcp/servers", { ...ECHO_API, serverId: "mcp-1", ownerId: OWNER });
  const deployed = await process.call("POST", "/mcp/servers/mcp-1/deploy", { ownerId: OWNER, target: "edge" });
  await run(process, deployed.body.agentId);
  for (const { _id } of documents.named("agent_index")) {
    await documents.deleteOne({ kind: "system", name: "agent_index", partition: "any" }, { _id });
  }
  await clock.advance(31 * DAY_MS);
  expect(await cleanUp(process)).toMatchObject({ agentsVisited: 1, runsRemoved: 1 });
});

test("a removed agent's runs go, those too that end after it went, and then nothing is left of it", async () => {
  const { documents, clock, startProcess } = createDeployScene();
  const process = startProcess();
  const agentId = await createAgent(process, "elsewhere-1");
  await run(process, agentId);
  const [trace] = tracesOf(documents, agentId);
  expect((await process.call("DELETE", `/mcp/agents/${agentId}`)).status).toBe(204);
  await process.settle();
  await documents.insertOne({ kind: "system", name: "runs", partition: "any" }, { ...trace });
  await cleanUp(process);
  await clock.advance(GONE_MS);
  await cleanUp(process);
  expect(leftOf(documents, agentId)).toEqual([]);
  expect(await cleanUp(process)).toMatchObject({ agentsVisited: 0 });
});

test.each(["dbFind", "dbInsert"])(
  "a run under way in %s when its agent is removed leaves nothing for ever",
  async (name) => {
    const { documents, clock, startProcess } = createDeployScene();
    const { process, hold } = startHeldProcess(startProcess);
    const config = name === "dbFind" ? { filter: {} } : { document: { a: 1 } };
    const agentId = await createAgent(process, "elsewhere-1", {
      tools: [
        { toolId: "input", name: "input" },
        { toolId: "slow", name, config: { collection: "slow", ...config } },
      ],
      executionOrder: ["input", "slow"],
    });
    const letGo = hold();
    const running = process.call("POST", `/agents/${agentId}`, {});
    await letGo.reached;
    // Only what changes something is on record before its end.
    expect(tracesOf(documents, agentId)).toHaveLength(name === "dbFind" ? 0 : 1);
    expect((await process.call("DELETE", `/mcp/agents/${agentId}`)).status).toBe(204);
    await clock.advance(5_000);
    letGo.release();
    expect((await running).status).toBe(200);
    await process.settle();
    // What was on record went with the agent; what was not comes in now.
    expect(tracesOf(documents, agentId)).toHaveLength(name === "dbFind" ? 1 : 0);
    await cleanUp(process);
    expect(tracesOf(documents, agentId)).toEqual([]);
    await clock.advance(GONE_MS);
    await cleanUp(process);
    expect(leftOf(documents, agentId)).toEqual([]);
  },
);

test("a removal that ends at any of its calls leaves nothing for ever, and the agent whole where it stays", async () => {
  let crashes = 0;
  for (const ends of ["before", "after"] as const) {
    for (let lastCall = 1; ; lastCall++) {
      const { documents, clock, startProcess } = createDeployScene();
      const process = startProcess();
      const agentId = await createAgent(process, "elsewhere-1");
      await run(process, agentId);
      const mortal = createMortal(lastCall, ends);
      const dying = startProcess(() => mortal.documents(documents));
      const removal = dying.call("DELETE", `/mcp/agents/${agentId}`).then(() => dying.settle());
      if (!(await endsUnder(removal, mortal))) break;
      crashes++;
      await cleanUp(process);
      await clock.advance(GONE_MS);
      await cleanUp(process);
      const left = leftOf(documents, agentId);
      const stays = documents.named("agents").length === 1;
      expect(left.length > 0, `${ends} call ${lastCall}`).toBe(stays);
      expect(tracesOf(documents, agentId), `${ends} call ${lastCall}`).toHaveLength(stays ? 1 : 0);
    }
  }
  expect(crashes).toBeGreaterThan(8);
});

test("a create that ends at any of its calls leaves an agent that is visited, or none", async () => {
  let crashes = 0;
  for (const ends of ["before", "after"] as const) {
    for (let lastCall = 1; ; lastCall++) {
      const { documents, clock, startProcess } = createDeployScene();
      const mortal = createMortal(lastCall, ends);
      const creation = createAgent(
        startProcess(() => mortal.documents(documents)),
        "elsewhere-1",
      );
      if (!(await endsUnder(creation, mortal))) break;
      crashes++;
      const process = startProcess();
      await cleanUp(process);
      await clock.advance(GONE_MS);
      const { agentsVisited } = await cleanUp(process);
      expect(agentsVisited, `${ends} call ${lastCall}`).toBeGreaterThanOrEqual(documents.named("agents").length);
      expect(documents.named("agent_index").length, `${ends} call ${lastCall}`).toBe(documents.named("agents").length);
      const bound = documents.named("agent_bindings").map((binding) => binding.agentId);
      expect(bound, `${ends} call ${lastCall}`).toEqual(documents.named("agents").map(({ _id }) => _id));
      const agentId = await createAgent(process, "elsewhere-1");
      expect(documents.named("agent_index").map((entry) => entry.agentId)).toEqual([agentId]);
    }
  }
  expect(crashes).toBeGreaterThan(4);
});

test("a deploy that ends behind its binding leaves nothing when its server is deleted", async () => {
  const { documents, clock, startProcess } = createDeployScene();
  const process = startProcess();
  await process.call("POST", "/mcp/servers", { ...ECHO_API, serverId: "mcp-1", ownerId: OWNER });
  let ended = false;
  const dying = startProcess(hookStore({ endsAfter: (call) => (ended ||= call.collection === "agent_bindings") }));
  void dying.call("POST", "/mcp/servers/mcp-1/deploy", { ownerId: OWNER, target: "edge" });
  await letRun(() => ended);
  await clock.advance(20_000);
  await process.jobs["reconcile-deployments"]({ thorough: true });
  expect((await process.call("DELETE", "/mcp/servers/mcp-1")).status).toBe(204);
  await process.settle();
  expect(documents.named("agent_bindings")).toHaveLength(1);
  await cleanUp(process);
  await clock.advance(GONE_MS);
  await cleanUp(process);
  expect(documents.named("agent_bindings")).toEqual([]);
  expect(documents.named("agent_index")).toEqual([]);
});

test("a create that goes on while its broken-off forerunner is cleared makes an agent that is bound", async () => {
  for (let heldCall = 1; ; heldCall++) {
    const { documents, clock, startProcess } = createDeployScene();
    let ended = false;
    const dying = startProcess(hookStore({ endsAfter: (call) => (ended ||= call.collection === "agent_bindings") }));
    void createAgent(dying, "elsewhere-1");
    await letRun(() => ended);
    const process = startProcess();
    await cleanUp(process);
    await clock.advance(GONE_MS);
    const { hold, release, isReached } = createHold();
    let calls = 0;
    const slow = startProcess(hookStore({ before: () => ++calls === heldCall && hold() }));
    const creating = createAgent(slow, "elsewhere-1");
    let made = false;
    void creating.then(() => {
      made = true;
    });
    await letRun(() => made || isReached());
    if (!isReached()) break;
    await cleanUp(process);
    release();
    const agentId = await creating;
    const [binding] = documents.named("agent_bindings");
    expect(binding, `held at call ${heldCall}`).toMatchObject({ agentId, removing: false });
    expect(documents.named("agents").map(({ _id }) => _id)).toEqual([agentId]);
    expect(documents.named("agent_index").map((entry) => entry.agentId)).toContain(agentId);
  }
});

test("an agent that a create wrote beside a removal and never looked at again goes, with what it ran", async () => {
  const { documents, clock, startProcess } = createDeployScene();
  const process = startProcess();
  const agentId = await createAgent(process, "elsewhere-1");
  const { hold, release, isReached } = createHold();
  const writes = ({ operation, collection }: StoreCall) => operation === "replaceOne" && collection === "agents";
  let ended = false;
  const dying = startProcess(
    hookStore({ before: (call) => writes(call) && hold(), endsAfter: (call) => (ended ||= writes(call)) }),
  );
  void createAgent(dying, "elsewhere-1");
  await letRun(isReached);
  expect((await process.call("DELETE", `/mcp/agents/${agentId}`)).status).toBe(204);
  await process.settle();
  release();
  await letRun(() => ended);
  await run(process, agentId);
  expect(documents.named("agent_bindings")).toEqual([]);
  await cleanUp(process);
  await run(process, agentId);
  await clock.advance(GONE_MS);
  await cleanUp(process);
  await clock.advance(GONE_MS);
  expect((await process.call("POST", `/agents/${agentId}`, {})).status).toBe(404);
  await cleanUp(process);
  expect(leftOf(documents, agentId).filter(({ _id }) => !_id.startsWith("log_"))).toEqual([]);
});

test("an agent whose removal failed half-way is its server's again, and a create keeps it", async () => {
  const { documents, clock, startProcess } = createDeployScene();
  const process = startProcess();
  const agentId = await createAgent(process, "elsewhere-1");
  const failing = startProcess(
    hookStore({
      before({ operation, collection }) {
        if (operation === "deleteOne" && collection === "agents") throw new StorageUnavailable("down");
      },
    }),
  );
  expect((await failing.call("DELETE", `/mcp/agents/${agentId}`)).status).toBe(503);
  expect(documents.named("agent_bindings")).toMatchObject([{ removing: true }]);
  await cleanUp(process);
  await clock.advance(GONE_MS);
  await cleanUp(process);
  await cleanUp(process);
  expect(documents.named("agent_bindings")).toMatchObject([{ agentId, removing: false }]);
  expect(documents.named("agent_index")).toMatchObject([{ agentId, goneAt: null }]);
  expect(await createAgent(process, "elsewhere-1")).toBe(agentId);
});

test("of many agents each job visits some, and the next goes on, also where one died", {
  timeout: 60_000,
}, async () => {
  const { documents, clock, startProcess } = createDeployScene();
  const process = startProcess();
  const index = createAgentIndex({ documents });
  const ids = createIdSource(clock, systemRandom);
  for (let i = 0; i < 500; i++) {
    await index.note({ agentId: ids.next("agent"), serverId: `elsewhere-${i}`, ownerId: OWNER });
  }
  const mortal = createMortal(400, "before");
  void startProcess(() => mortal.documents(documents)).jobs["clean-up"]({ thorough: false });
  await clock.advance(600_000);
  expect(mortal.isDead()).toBe(true);
  const goneBefore = documents.named("agent_index").filter(({ goneAt }) => goneAt !== null).length;
  const { agentsVisited, jobs } = await cleanUp(process);
  expect(jobs).toBeGreaterThan(1);
  expect(agentsVisited).toBeLessThan(500);
  expect(agentsVisited).toBeGreaterThanOrEqual(500 - goneBefore);
  expect(documents.named("agent_index").filter(({ goneAt }) => goneAt === null)).toEqual([]);
});

test("events of runs go by their age, those of a server that is only an agent's too", async () => {
  const { documents, clock, startProcess } = createDeployScene();
  const process = startProcess();
  const agentId = await createAgent(process, "elsewhere-1");
  const eventsOf = () => documents.named("execution_logs").filter(({ _id }) => _id.startsWith("log_"));
  await run(process, agentId);
  await clock.advance(80 * DAY_MS);
  await run(process, agentId);
  await clock.advance(11 * DAY_MS);
  expect(eventsOf()).toHaveLength(2);
  await cleanUp(process);
  expect(eventsOf()).toHaveLength(1);
});

test("what a removed agent logged stays where its server has a record", async () => {
  const { documents, clock, startProcess } = createDeployScene();
  const process = startProcess();
  await process.call("POST", "/mcp/servers", { ...ECHO_API, serverId: "mcp-1", ownerId: OWNER });
  const deployed = await process.call("POST", "/mcp/servers/mcp-1/deploy", { ownerId: OWNER, target: "edge" });
  await run(process, deployed.body.agentId);
  await process.call("DELETE", "/mcp/servers/mcp-1/deploy", { ownerId: OWNER });
  await process.settle();
  const logged = documents.named("execution_logs").length;
  for (let round = 0; round < 3; round++) {
    await cleanUp(process);
    await clock.advance(GONE_MS);
  }
  expect(documents.named("agent_index")).toEqual([]);
  expect(documents.named("execution_logs").length).toBeGreaterThanOrEqual(logged);
});
