import { expect, test } from "vitest";
import { createIdSource, systemRandom } from "../../../../src/core/ids.ts";
import { type AgentRecord, type AgentStore, createAgentStore } from "../../../../src/runtime/agents/agent-store.ts";
import { createCachedAgents } from "../../../../src/runtime/agents/cached-agents.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";
import { createMemoryDocuments } from "../../../support/memory-documents.ts";
import { agentBody } from "../../../support/runtime/runtime.ts";

const GRAPH = { tools: [{ toolId: "input", name: "input" }], executionOrder: ["input"] };
const CACHE_MS = 2_000;
const RECHECK_MS = 1_000;

async function createScene(options: { readonly agents?: number } = {}) {
  const clock = createFakeClock();
  const documents = createMemoryDocuments();
  const store = createAgentStore({ documents, ids: createIdSource(clock, systemRandom), clock });
  const agents: AgentRecord[] = [];
  for (let n = 0; n < (options.agents ?? 1); n++) {
    const made = await store.create(agentBody(GRAPH, { serverId: `mcp_${n}` }), "user-1");
    if (!made.ok) throw new Error("not made");
    agents.push(made.value.agent);
  }
  const [agent] = agents;
  if (agent === undefined) throw new Error("none made");
  const asked = { reads: 0, comparisons: [] as number[] };
  let pending: Promise<unknown>[] = [];
  /** Another isolate, which remembers nothing of what this one does. */
  const createIsolate = (hooks: Partial<AgentStore> = {}) =>
    createCachedAgents({
      store: {
        ...store,
        find(id) {
          asked.reads++;
          return store.find(id);
        },
        revisionsOf(ids) {
          asked.comparisons.push(ids.length);
          return store.revisionsOf(ids);
        },
        ...hooks,
      },
      clock,
      defer: (_what, work) => void pending.push(work.catch(() => {})),
    });
  return {
    clock,
    store,
    agent,
    agents,
    asked,
    createIsolate,
    /** What was put behind the answers has been done. */
    async settle() {
      while (pending.length > 0) {
        const all = pending;
        pending = [];
        await Promise.all(all);
      }
    },
  };
}

test("a hot agent is read once and compared once a second, and nobody waits for that", async () => {
  const { clock, createIsolate, agent, asked, settle } = await createScene();
  const cached = createIsolate();
  for (let ms = 0; ms < 10_000; ms += 50) {
    expect((await cached.find(agent._id))?._id).toBe(agent._id);
    await settle();
    await clock.advance(50);
  }
  expect(asked.reads).toBe(1);
  expect(asked.comparisons.length).toBeGreaterThanOrEqual(8);
  expect(asked.comparisons.length).toBeLessThanOrEqual(10);
});

test("hundreds of hot agents are compared together", async () => {
  const { clock, createIsolate, agents, asked, settle } = await createScene({ agents: 300 });
  const cached = createIsolate();
  const askAll = async () => {
    for (const { _id } of agents) expect(await cached.find(_id)).not.toBeNull();
  };
  for (let round = 0; round < 3; round++) {
    await askAll();
    await settle();
    await clock.advance(RECHECK_MS);
  }
  expect(asked).toEqual({ reads: 300, comparisons: [300, 300] });
});

test("an agent that nobody asks for is not compared, and read again when somebody does", async () => {
  const { clock, createIsolate, agents, asked, settle } = await createScene({ agents: 2 });
  const cached = createIsolate();
  for (const { _id } of agents) await cached.find(_id);
  for (let ms = 0; ms < 5_000; ms += 500) {
    await cached.find(agents[0]?._id ?? "");
    await settle();
    await clock.advance(500);
  }
  expect(asked.comparisons).toEqual([2, 1, 1, 1]);
  await cached.find(agents[1]?._id ?? "");
  expect(asked.reads).toBe(3);
});

test("what another isolate changes is seen in time, what this one changes at once", async () => {
  const { clock, store, createIsolate, agent, settle } = await createScene();
  const cached = createIsolate();
  await cached.find(agent._id);
  await store.replace(agent, agentBody(GRAPH, { version: 2 }));
  expect((await cached.find(agent._id))?.version).toBe(1);
  await clock.advance(RECHECK_MS);
  expect((await cached.find(agent._id))?.version).toBe(1);
  await settle();
  expect((await cached.find(agent._id))?.version).toBe(2);
  await cached.replace(agent, agentBody(GRAPH, { version: 3 }));
  expect((await cached.find(agent._id))?.version).toBe(3);
  await cached.remove(agent);
  expect(await cached.find(agent._id)).toBeNull();
});

test("an agent that another isolate removed is gone in time", async () => {
  const { clock, store, createIsolate, agent, settle } = await createScene();
  const cached = createIsolate();
  await cached.find(agent._id);
  await store.remove(agent);
  await clock.advance(RECHECK_MS);
  expect(await cached.find(agent._id)).not.toBeNull();
  await settle();
  expect(await cached.find(agent._id)).toBeNull();
});

test("a store that cannot be compared with leaves agents their time and no more", async () => {
  const { clock, createIsolate, agent, asked, settle } = await createScene();
  const cached = createIsolate({ revisionsOf: () => Promise.reject(new Error("down")) });
  await cached.find(agent._id);
  await clock.advance(RECHECK_MS);
  expect(await cached.find(agent._id)).not.toBeNull();
  await settle();
  await clock.advance(CACHE_MS - RECHECK_MS);
  await cached.find(agent._id);
  expect(asked.reads).toBe(2);
});

test("a comparison that was broken off hinders the next one for seconds alone", async () => {
  const { clock, createIsolate, agent } = await createScene();
  let begun = 0;
  const cached = createIsolate({
    revisionsOf() {
      begun++;
      return new Promise(() => {});
    },
  });
  for (let ms = 0; ms < 12_000; ms += 500) {
    await cached.find(agent._id);
    await clock.advance(500);
  }
  expect(begun).toBe(2);
});

test("a read that a change overtook is not remembered", async () => {
  const { store, createIsolate, agent } = await createScene();
  const slow = Promise.withResolvers<void>();
  let held = true;
  const cached = createIsolate({
    async find(id) {
      const found = await store.find(id);
      if (held) await slow.promise;
      return found;
    },
  });
  const early = cached.find(agent._id);
  await cached.replace(agent, agentBody(GRAPH, { version: 2 }));
  held = false;
  slow.resolve();
  expect((await early)?.version).toBe(1);
  expect((await cached.find(agent._id))?.version).toBe(2);
});

test("a comparison that a change overtook takes nothing away", async () => {
  const { clock, store, createIsolate, agent, settle } = await createScene();
  const slow = Promise.withResolvers<void>();
  const cached = createIsolate({
    async revisionsOf(ids) {
      const found = await store.revisionsOf(ids);
      await slow.promise;
      return found;
    },
  });
  await cached.find(agent._id);
  await clock.advance(RECHECK_MS);
  await cached.find(agent._id);
  await cached.replace(agent, agentBody(GRAPH, { version: 2 }));
  expect((await cached.find(agent._id))?.version).toBe(2);
  slow.resolve();
  await settle();
  expect((await cached.find(agent._id))?.version).toBe(2);
});
