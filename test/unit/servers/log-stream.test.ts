import { expect, test } from "vitest";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import { createIdSource, systemRandom } from "../../../src/core/ids.ts";
import { acceptsEventStream } from "../../../src/http/accept.ts";
import { createExecutionLog, type ExecutionLog, type LogEvent } from "../../../src/servers/execution-log.ts";
import { logIdAt, parseLogCursor, writeLogCursor } from "../../../src/servers/log-cursor.ts";
import { type LogStreamOptions, streamLogs } from "../../../src/servers/log-stream.ts";
import { executionLogs } from "../../../src/storage/documents/collections.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createMemoryDocuments } from "../../support/memory-documents.ts";
import { createTestLog } from "../../support/runtime/runtime.ts";

const SERVER = "mcp_1";
const OWNER = "user-1";
const POLL_MS = 1_000;
const MAX_MS = 240_000;

interface Seen {
  readonly id: string;
  readonly type: string;
  readonly event: LogEvent;
}

function createScene() {
  const clock = createFakeClock();
  const documents = createMemoryDocuments();
  const ids = createIdSource(clock, systemRandom);
  const executionLog = createExecutionLog({ documents, ids, clock });
  const { log, lines } = createTestLog();
  let events = 0;

  async function append(count = 1): Promise<void> {
    for (let i = 0; i < count; i++) {
      const message = `event ${events++}`;
      const about = { serverId: SERVER, ownerId: OWNER, actor: "key_1", requestId: "req_1" };
      await executionLog.append({ ...about, type: "deployment_start", message, data: { lines: "a\nb\r\nc" } });
    }
  }

  /** An event of an isolate whose clock is off by `ms`, or whose insert took as long. */
  async function appendAt(ms: number, message: string): Promise<void> {
    const skewed = createFakeClock(clock.now() + ms);
    const other = createExecutionLog({ documents, ids: createIdSource(skewed, systemRandom), clock: skewed });
    const about = { serverId: SERVER, ownerId: OWNER, actor: "key_1", requestId: "req_1" };
    await other.append({ ...about, type: "run_complete", message });
  }

  async function open(lastEventId?: string, changes: Partial<LogStreamOptions> = {}) {
    const made = await streamLogs({
      executionLog,
      clock,
      log,
      serverId: SERVER,
      ownerId: OWNER,
      lastEventId,
      ...changes,
    });
    if (!made.ok) throw new Error(made.error.detail);
    return read(made.value);
  }

  return { clock, documents, executionLog, lines, append, appendAt, open, log };
}

/** A client: reads what comes, and knows the last id as a browser does. */
function read(response: Response) {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) throw new Error("no body");
  let text = "";
  let ended = false;
  const done = (async () => {
    for (;;) {
      const chunk = await reader.read();
      if (chunk.done) break;
      text += chunk.value;
    }
    ended = true;
  })();
  return {
    response,
    text: () => text,
    ended: () => ended,
    blocks: () => text.split("\n\n").slice(0, -1),
    seen: () => parse(text).seen,
    messages: () => parse(text).seen.map(({ event }) => event.message),
    lastId: () => parse(text).lastId,
    async hangUp() {
      await reader.cancel();
      await done;
    },
  };
}

function parse(text: string) {
  const seen: Seen[] = [];
  let lastId: string | undefined;
  for (const block of text.split("\n\n").slice(0, -1)) {
    const fields = new Map(
      block
        .split("\n")
        .filter((line) => !line.startsWith(":"))
        .map((line) => {
          const at = line.indexOf(": ");
          return [line.slice(0, at), line.slice(at + 2)] as const;
        }),
    );
    const [id, type, data] = [fields.get("id"), fields.get("event"), fields.get("data")];
    if (id !== undefined) lastId = id;
    if (data !== undefined) seen.push({ id: String(id), type: String(type), event: JSON.parse(data) });
  }
  return { seen, lastId };
}

const named = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `event ${from + i}`);

test("without an id the newest 20 come first, oldest of them first, then what happens", async () => {
  const { clock, append, open } = createScene();
  await append(30);
  const client = await open();
  await clock.advance(0);
  expect(client.response.headers.get("content-type")).toBe("text/event-stream");
  expect(client.response.headers.get("cache-control")).toBe("no-store");
  expect(client.text()).toMatch(/^retry: \d+\n\n/);
  expect(client.messages()).toEqual(named(10, 30));
  await append(2);
  expect(client.seen()).toHaveLength(20);
  await clock.advance(POLL_MS);
  expect(client.messages()).toEqual(named(10, 32));
  expect(client.seen()[0]?.type).toBe("deployment_start");
  expect(client.seen()[0]?.event).toMatchObject({ serverId: SERVER, data: { lines: "a\nb\r\nc" } });
  await client.hangUp();
});

test("a stream begins with as many of the newest events as are asked for", async () => {
  const { clock, append, appendAt, open } = createScene();
  await append(30);
  await clock.advance(60_000);
  for (const [limit, from] of [
    [1, 29],
    [25, 5],
    [100, 0],
  ] as const) {
    const client = await open(undefined, { limit });
    await clock.advance(0);
    expect(client.messages()).toEqual(named(from, 30));
    await client.hangUp();
  }
  const client = await open(undefined, { limit: 1 });
  await appendAt(-5_000, "late");
  await clock.advance(2 * POLL_MS);
  expect(client.messages()).toEqual([...named(29, 30), "late"]);
  await client.hangUp();
});

test("every event is one block of id, event and data, whatever its text holds", async () => {
  const { clock, append, open } = createScene();
  await append(3);
  const client = await open();
  await clock.advance(0);
  const events = client.blocks().filter((block) => block.includes("data: "));
  expect(events).toHaveLength(3);
  for (const block of events) expect(block).toMatch(/^id: log_\S+\nevent: \w+\ndata: \{[^\n]*\}$/);
  await client.hangUp();
});

test("after an id of the list only what is newer comes", async () => {
  const { clock, append, open, executionLog } = createScene();
  await append(5);
  const [newest, before] = await executionLog.list(SERVER, OWNER, 2);
  const client = await open(before?.id);
  await clock.advance(0);
  expect(client.seen().map(({ event }) => event.id)).toEqual([newest?.id]);
  await client.hangUp();
});

test("a client that was away for long gets all that it missed, page by page", async () => {
  const { clock, append, open } = createScene();
  await append(1);
  const client = await open();
  await clock.advance(0);
  await client.hangUp();
  await append(700);
  await clock.advance(3_600_000);
  const back = await open(client.lastId());
  await clock.advance(0);
  expect(back.messages()).toEqual(named(1, 701));
  await back.hangUp();
});

test("a client that began at an empty log and came back has missed nothing", async () => {
  const { clock, append, open } = createScene();
  const client = await open();
  await clock.advance(0);
  expect(client.seen()).toEqual([]);
  await client.hangUp();
  await append(30);
  const back = await open(client.lastId());
  await clock.advance(0);
  expect(back.messages()).toEqual(named(0, 30));
  await back.hangUp();
});

test("an event that shows up late, with an id before one already sent, is sent once", async () => {
  const { clock, append, appendAt, open } = createScene();
  await clock.advance(60_000);
  await append(2);
  const client = await open();
  await clock.advance(POLL_MS);
  await appendAt(-9_000, "late");
  await clock.advance(10 * POLL_MS);
  expect(client.messages()).toEqual(["event 0", "event 1", "late"]);
  await clock.advance(60_000);
  expect(client.messages()).toEqual(["event 0", "event 1", "late"]);
  await client.hangUp();
});

test("an event of an isolate whose clock runs ahead hides none of the others, and is sent once", async () => {
  const { clock, append, appendAt, open } = createScene();
  const client = await open();
  await appendAt(10_000, "ahead");
  await clock.advance(POLL_MS);
  await append(2);
  await clock.advance(40_000);
  await append(1);
  await clock.advance(POLL_MS);
  expect(client.messages()).toEqual(["ahead", "event 0", "event 1", "event 2"]);
  await client.hangUp();
});

test("what shows up late between two connections is sent on the second, and nothing twice", async () => {
  const { clock, append, appendAt, open } = createScene();
  await append(3);
  const client = await open();
  await clock.advance(0);
  await client.hangUp();
  await appendAt(-2_000, "late");
  await clock.advance(POLL_MS);
  await append(1);
  const back = await open(client.lastId());
  await clock.advance(0);
  expect(back.messages()).toEqual(["late", "event 3"]);
  await back.hangUp();
  const again = await open(back.lastId());
  await clock.advance(60_000);
  expect(again.messages()).toEqual([]);
  await again.hangUp();
});

/** xorshift32: the same numbers for the same seed. */
function createRandom(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

test("whenever connections break, every event reaches the client once", async () => {
  for (let round = 0; round < 15; round++) {
    const scene = createScene();
    const all: string[] = [];
    const got: string[] = [];
    let lastId: string | undefined;
    const random = createRandom(round + 1);
    await scene.clock.advance(100_000);
    for (let connection = 0; connection < 12; connection++) {
      const client = await scene.open(lastId);
      for (let step = 0; step < 4; step++) {
        for (let i = random(12); i > 0; i--) {
          const message = `e${all.length}`;
          all.push(message);
          // Clocks and inserts that together are off by up to 6 s.
          await scene.appendAt(-random(6_000), message);
        }
        await scene.clock.advance(random(2_500));
      }
      // The connection breaks anywhere, in the middle of a block too.
      const text = client.text().slice(0, random(client.text().length + 1));
      await client.hangUp();
      const reached = parse(text);
      got.push(...reached.seen.map(({ event }) => event.message));
      lastId = reached.lastId ?? lastId;
    }
    const last = await scene.open(lastId);
    await scene.clock.advance(20_000);
    got.push(...last.messages());
    await last.hangUp();
    expect([...got].sort(), `round ${round}`).toEqual([...all].sort());
  }
});

test("a stream on which nothing happens says so now and then, and ends itself", async () => {
  const { clock, open } = createScene();
  const client = await open();
  await clock.advance(MAX_MS - POLL_MS);
  expect(client.ended()).toBe(false);
  const comments = client.blocks().filter((block) => block.startsWith(":"));
  expect(comments.length).toBeGreaterThanOrEqual(Math.floor(MAX_MS / 16_000) - 1);
  await clock.advance(2 * POLL_MS);
  expect(client.ended()).toBe(true);
});

/** Counts reads, or makes them fail. */
function watch(executionLog: ExecutionLog, fail: () => Error | null = () => null) {
  const watched = {
    reads: 0,
    list: executionLog.list,
    listAfter: async (...call: Parameters<ExecutionLog["listAfter"]>) => {
      watched.reads++;
      const error = fail();
      if (error !== null) throw error;
      return executionLog.listAfter(...call);
    },
  };
  return watched;
}

test("when the client goes away, reading stops", async () => {
  const { clock, open, executionLog } = createScene();
  const watched = watch(executionLog);
  const client = await open(undefined, { executionLog: watched });
  await clock.advance(5 * POLL_MS);
  expect(watched.reads).toBe(5);
  await client.hangUp();
  await clock.advance(60 * POLL_MS);
  expect(watched.reads).toBe(5);
});

test("while the client does not take what was read, no more is read", async () => {
  const { clock, append, executionLog, log } = createScene();
  await append(2_000);
  const watched = watch(executionLog);
  const made = await streamLogs({
    executionLog: watched,
    clock,
    log,
    serverId: SERVER,
    ownerId: OWNER,
    lastEventId: logIdAt(0),
  });
  await clock.advance(60_000);
  expect(watched.reads).toBeLessThanOrEqual(2);
  if (made.ok) await made.value.body?.cancel();
});

test("a store that goes away ends the stream, and the client comes back without a loss", async () => {
  const { clock, append, open, executionLog, lines } = createScene();
  let down = false;
  const watched = watch(executionLog, () => (down ? new StorageUnavailable("mongodb://user:hunter2@db") : null));
  await append(2);
  const client = await open(undefined, { executionLog: watched });
  await clock.advance(POLL_MS);
  down = true;
  await append(1);
  await clock.advance(POLL_MS);
  expect(client.ended()).toBe(true);
  expect(client.text()).not.toContain("hunter2");
  expect(lines.map((line) => line.event)).toContain("log_stream_broke");
  down = false;
  const back = await open(client.lastId(), { executionLog: watched });
  await clock.advance(0);
  expect(back.messages()).toEqual(["event 2"]);
  await back.hangUp();
});

test("a store that does not answer at the start is an error before any answer", async () => {
  const { open, executionLog } = createScene();
  const watched = watch(executionLog, () => new StorageUnavailable("no answer"));
  await expect(open(logIdAt(0), { executionLog: watched })).rejects.toBeInstanceOf(StorageUnavailable);
});

test("a caller who may no longer read is let go within 10 s", async () => {
  const { clock, open } = createScene();
  let allowed = true;
  const client = await open(undefined, { mayContinue: async () => allowed });
  await clock.advance(20_000);
  expect(client.ended()).toBe(false);
  allowed = false;
  await clock.advance(10_000);
  expect(client.ended()).toBe(true);
});

test("events of another server or owner are not in the stream", async () => {
  const { clock, append, open, documents } = createScene();
  await append(1);
  const strange = { type: "run_failed", timestamp: "2026-02-13T10:30:00.000Z", actor: "a", requestId: "r", data: {} };
  const ids = createIdSource(clock, systemRandom);
  for (const whose of [
    { serverId: SERVER, ownerId: "user-2" },
    { serverId: "mcp_2", ownerId: OWNER },
  ]) {
    await documents.insertOne(executionLogs(SERVER), {
      _id: ids.next("log"),
      ...whose,
      ...strange,
      message: "strange",
    });
  }
  for (const client of [await open(), await open(logIdAt(0))]) {
    await clock.advance(POLL_MS);
    expect(client.messages()).toEqual(["event 0"]);
    await client.hangUp();
  }
});

test.each([
  "1",
  "log_",
  "LOG_01ARZ3NDEKTSV4RRFFQ69G5FAV",
  "run_01arz3ndektsv4rrffq69g5fav",
  "log_01arz3ndektsv4rrffq69g5fav.",
  "log_01arz3ndektsv4rrffq69g5fav..abcd",
  "log_01arz3ndektsv4rrffq69g5fav.$gt.",
  `log_01arz3ndektsv4rrffq69g5fav..${"abcde".repeat(65)}`,
  "log_01arz3ndektsv4rrffq69g5fav\n",
  "x".repeat(10_000),
])("the last id %j is refused", async (text) => {
  expect(parseLogCursor(text)).toBeNull();
  const { executionLog, clock, log } = createScene();
  const refused = await streamLogs({ executionLog, clock, log, serverId: SERVER, ownerId: OWNER, lastEventId: text });
  expect(refused).toMatchObject({ ok: false, error: { code: "VALIDATION_FAILED" } });
});

test("an id of the stream stays small, however much was sent", () => {
  const ids = createIdSource(createFakeClock(), systemRandom);
  const sent = Array.from({ length: 700 }, () => ids.next("log"));
  const text = writeLogCursor("log_", sent);
  expect(text.length).toBeLessThan(400);
  expect(parseLogCursor(text)).toMatchObject({ newest: sent.at(-1), floor: sent.at(-66) });
});

test.each([
  ["text/event-stream", true],
  ["application/json, TEXT/Event-Stream;q=0.9", true],
  ["*/*", false],
  ["application/json", false],
  [undefined, false],
])("Accept: %s asks for events as they happen: %s", (accept, asks) => {
  expect(acceptsEventStream(accept)).toBe(asks);
});
