import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { createIdSource, systemRandom } from "../../src/core/ids.ts";
import { createExecutionLog } from "../../src/servers/execution-log.ts";
import { streamLogs } from "../../src/servers/log-stream.ts";
import { createPlaces } from "../../src/servers/places.ts";
import { createCleanUp } from "../../src/servers/retention.ts";
import { createServerStore } from "../../src/servers/store.ts";
import { executionLogs, idempotencyKeys, owners, servers } from "../../src/storage/documents/collections.ts";
import { createEmbeddedDocuments } from "../../src/storage/documents/embedded.ts";
import { newOwner } from "../support/app.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { createTestLog } from "../support/runtime/runtime.ts";

/** One isolate on the Durable Objects that all of them share. */
function createIsolate(clock = createFakeClock(systemClock.now())) {
  const ids = createIdSource(clock, systemRandom);
  const documents = createEmbeddedDocuments({ namespace: env.DOCUMENTS, ids });
  const executionLog = createExecutionLog({ documents, ids, clock });
  return { clock, ids, documents, executionLog, log: createTestLog().log };
}

async function append({ executionLog }: ReturnType<typeof createIsolate>, ownerId: string, message: string) {
  const about = { serverId: `mcp_${ownerId}`, ownerId, actor: "key_1", requestId: "req_1" };
  await executionLog.append({ ...about, type: "deployment_start", message });
}

async function open(
  { executionLog, clock, log }: ReturnType<typeof createIsolate>,
  ownerId: string,
  lastEventId?: string,
) {
  const made = await streamLogs({ executionLog, clock, log, serverId: `mcp_${ownerId}`, ownerId, lastEventId });
  if (!made.ok) throw new Error(made.error.detail);
  const reader = made.value.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) throw new Error("no body");
  const messagesOf = (text: string | undefined) => [...(text ?? "").matchAll(/"message":"([^"]*)"/g)].map(([, m]) => m);
  return {
    reader,
    /** What the next chunk brings, and the last id in it. */
    async next() {
      const { value } = await reader.read();
      return { messages: messagesOf(value), lastId: [...(value ?? "").matchAll(/^id: (\S+)$/gm)].at(-1)?.[1] };
    },
  };
}

test("a log is followed on the embedded store across two isolates, and resumed without a loss or a double", async () => {
  const ownerId = newOwner();
  const reading = createIsolate();
  const writing = createIsolate(createFakeClock(reading.clock.now() - 3_000));
  await append(writing, ownerId, "first");
  const client = await open(reading, ownerId);
  expect((await client.next()).messages).toEqual(["first"]);
  await append(reading, ownerId, "second");
  await reading.clock.advance(1_000);
  expect((await client.next()).messages).toEqual(["second"]);
  // Three seconds behind: its id sorts before the one of "second".
  await append(writing, ownerId, "third");
  await reading.clock.advance(1_000);
  const { messages, lastId } = await client.next();
  expect(messages).toEqual(["third"]);
  await client.reader.cancel();

  await append(writing, ownerId, "fourth");
  const back = await open(reading, ownerId, lastId);
  expect((await back.next()).messages).toEqual(["fourth"]);
  await back.reader.cancel();
});

test("the clean-up removes what is past its time from the embedded store", async () => {
  const ownerId = newOwner();
  const serverId = `mcp_${ownerId}`;
  const isolate = createIsolate();
  const { documents, clock, ids, log } = isolate;
  await documents.insertOne(owners(), { _id: ownerId });
  await documents.insertOne(servers(ownerId), { _id: serverId, serverId, ownerId });
  await append(isolate, ownerId, "old");
  const expired = { expiresAt: new Date(clock.now()).toISOString() };
  await documents.insertOne(idempotencyKeys("a"), { _id: `a-${ownerId}`, ...expired });
  await clock.advance(91 * 86_400_000);
  await append(isolate, ownerId, "new");
  const places = createPlaces({ documents, ids, clock });
  const store = createServerStore({ documents, places, clock });
  const cleanUp = createCleanUp({
    trimRuns: async () => ({ interrupted: 0, removed: 0 }),
    places,
    removed: { settle: async () => 0 },
    agents: { pages: async function* () {}, cleanUp: async () => ({ interrupted: 0, removed: 0, calls: 0 }) },
    documents,
    store,
    idempotencyShards: ["a"],
    ids,
    clock,
    log,
  });
  for (let finished = false; !finished; ) finished = (await cleanUp()).roundFinished;
  expect(await isolate.executionLog.list(serverId, ownerId, 10)).toMatchObject([{ message: "new" }]);
  expect(await documents.findOne(idempotencyKeys("a"), { _id: `a-${ownerId}` })).toBeNull();
  expect(await documents.find(executionLogs(serverId), { filter: {}, limit: 10 })).toHaveLength(2);
});
