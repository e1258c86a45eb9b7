import { expect, test } from "vitest";
import { systemClock } from "../../../src/core/clock.ts";
import { agentBindings, agentIndex, agents, runs } from "../../../src/storage/documents/collections.ts";
import { createTestApp, newOwner, type TestApp } from "../../support/app.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { ECHO_API } from "../../support/graphs.ts";

const DAY_MS = 86_400_000;

async function finishRound(app: TestApp): Promise<void> {
  for (let finished = false; !finished; ) {
    finished = (await app.jobs["clean-up"]({ thorough: false })).roundFinished === true;
  }
}

test("on the embedded store the clean-up finds agents that no server's record leads to, and what they left", async () => {
  const clock = createFakeClock(systemClock.now());
  const app = createTestApp({ clock });
  const serverId = `elsewhere-${crypto.randomUUID()}`;
  const metadata = { createdBy: "elsewhere", serverId, createdAt: "2026-02-13T10:30:00.000Z", ownerId: newOwner() };
  const body = { ...ECHO_API, description: "", inputSchema: { type: "object" }, metadata };
  const created = await app.call("POST", "/mcp/agents", { body });
  expect(created.status, created.text).toBe(201);
  const { agentId } = created.body;
  const readRuns = () => app.documents.find(runs(agentId), { filter: { agentId }, limit: 10 });
  const run = async () => {
    const answer = await app.call("POST", `/agents/${agentId}`, { body: { hello: "world" } });
    expect(answer.status).toBe(200);
    await app.settle();
    return answer.headers.get("X-Run-Id") ?? "";
  };

  await run();
  await clock.advance(31 * DAY_MS);
  const later = await run();
  // One run in 32 prunes by itself.
  if (!later.endsWith("0")) expect(await readRuns()).toHaveLength(2);
  await finishRound(app);
  expect((await readRuns()).map(({ _id }) => _id)).toEqual([later]);

  // The process ended right after the agent went.
  const removed = await app.documents.deleteOne(agents(agentId), { _id: agentId });
  expect(removed.deletedCount).toBe(1);
  await app.documents.updateOne(agentBindings(serverId), { agentId }, { $set: { removing: true } });
  await finishRound(app);
  expect(await readRuns()).toEqual([]);
  await clock.advance(601_000);
  await finishRound(app);
  expect(await app.documents.find(agentIndex(agentId.slice(-1)), { filter: { agentId }, limit: 1 })).toEqual([]);
  expect(await app.documents.find(agentBindings(serverId), { filter: { agentId }, limit: 1 })).toEqual([]);
  expect(await app.documents.find(runs(agentId), { filter: {}, limit: 1 })).toEqual([]);
});
