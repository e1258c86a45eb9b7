import { expect, test } from "vitest";
import { createIdSource, systemRandom } from "../../../../src/core/ids.ts";
import { createAgentStore } from "../../../../src/runtime/agents/agent-store.ts";
import { createCachedAgents } from "../../../../src/runtime/agents/cached-agents.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";
import { createMemoryDocuments } from "../../../support/memory-documents.ts";
import { agentBody } from "../../../support/runtime/runtime.ts";

const GRAPH = { tools: [{ toolId: "input", name: "input" }], executionOrder: ["input"] };

async function createScene() {
  const clock = createFakeClock();
  const documents = createMemoryDocuments();
  const store = createAgentStore({ documents, ids: createIdSource(clock, systemRandom), clock });
  let reads = 0;
  const counting = {
    ...store,
    find: (id: string) => {
      reads++;
      return store.find(id);
    },
  };
  const made = await store.create(agentBody(GRAPH), "user-1");
  if (!made.ok) throw new Error("not made");
  return { clock, store, cached: createCachedAgents(counting, clock), agent: made.value.agent, reads: () => reads };
}

test("a hot agent is read once in a second", async () => {
  const { clock, cached, agent, reads } = await createScene();
  for (let n = 0; n < 10; n++) expect((await cached.find(agent._id))?._id).toBe(agent._id);
  expect(reads()).toBe(1);
  await clock.advance(1_000);
  await cached.find(agent._id);
  expect(reads()).toBe(2);
});

test("what another isolate changes is seen within a second, what this one changes at once", async () => {
  const { clock, store, cached, agent } = await createScene();
  await cached.find(agent._id);
  await store.replace(agent, agentBody(GRAPH, { version: 2 }));
  expect((await cached.find(agent._id))?.version).toBe(1);
  await clock.advance(1_000);
  expect((await cached.find(agent._id))?.version).toBe(2);
  await cached.replace(agent, agentBody(GRAPH, { version: 3 }));
  expect((await cached.find(agent._id))?.version).toBe(3);
  await cached.remove(agent);
  expect(await cached.find(agent._id)).toBeNull();
});

test("a read that a change overtook is not remembered", async () => {
  const { store, agent, clock } = await createScene();
  const slow = Promise.withResolvers<void>();
  let held = true;
  const cached = createCachedAgents(
    {
      ...store,
      async find(id) {
        const found = await store.find(id);
        if (held) await slow.promise;
        return found;
      },
    },
    clock,
  );
  const early = cached.find(agent._id);
  await cached.replace(agent, agentBody(GRAPH, { version: 2 }));
  held = false;
  slow.resolve();
  expect((await early)?.version).toBe(1);
  expect((await cached.find(agent._id))?.version).toBe(2);
});
