import { expect, test } from "vitest";
import { StorageUnavailable } from "../../../../src/core/errors.ts";
import { createIdSource, systemRandom } from "../../../../src/core/ids.ts";
import type { RunTrace } from "../../../../src/runtime/contract.ts";
import { createRunHistory } from "../../../../src/runtime/runs/run-history.ts";
import { runIdAt, runIdTime, testRunsOf } from "../../../../src/runtime/runs/run-ids.ts";
import { type RunStreamOptions, streamRuns } from "../../../../src/runtime/runs/run-stream.ts";
import { createRunTexts } from "../../../../src/runtime/runs/run-texts.ts";
import { runs } from "../../../../src/storage/documents/collections.ts";
import type { Documents } from "../../../../src/storage/documents/documents.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";
import { createMemoryDocuments } from "../../../support/memory-documents.ts";
import { keepByTrace, TESTING_OWNER } from "../../../support/runtime/kept-history.ts";
import { createTestLog } from "../../../support/runtime/runtime.ts";

const AGENT = "agent_1";
const POLL_MS = 1_000;
const DEEP_MS = 5_000;
const MAX_MS = 240_000;

function createScene(wrap = (documents: Documents): Documents => documents) {
  const clock = createFakeClock();
  const documents = wrap(createMemoryDocuments());
  const { log, lines } = createTestLog();
  const history = keepByTrace(createRunHistory({ documents, clock, log, keepDays: 30 }));

  /** A run that began `agoMs` ago. */
  function begin(agoMs = 0, changes: Partial<RunTrace> = {}): RunTrace {
    const startedAt = createFakeClock(clock.now() - agoMs);
    return {
      runId: createIdSource(startedAt, systemRandom).next("run"),
      agentId: AGENT,
      serverId: "mcp_1",
      version: 1,
      requestId: "req",
      traceId: null,
      trigger: "http",
      dryRun: false,
      outcome: "running",
      status: null,
      startedAt: new Date(startedAt.now()).toISOString(),
      durationMs: agoMs,
      error: null,
      steps: [],
      ...changes,
    };
  }

  async function end(run: RunTrace): Promise<RunTrace> {
    const ended: RunTrace = { ...run, outcome: "ok", status: 200 };
    await history.record(ended);
    return ended;
  }

  async function open(lastEventId?: string, changes: Partial<RunStreamOptions> = {}) {
    const made = await streamRuns({ history, clock, log, keeper: AGENT, lastEventId, ...changes });
    if (!made.ok) throw new Error(made.error.detail);
    return read(made.value);
  }

  return { clock, documents, history, log, lines, begin, end, open };
}

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
  const events = () =>
    text
      .split("\n\n")
      .filter((block) => block.includes("\ndata: "))
      .map((block) => {
        const [, id = "", type = "", data = ""] = /^id: (\S+)\nevent: (\w+)\ndata: (\{[^\n]*\})$/.exec(block) ?? [];
        return { id, type, run: JSON.parse(data) as RunTrace };
      });
  return {
    response,
    text: () => text,
    ended: () => ended,
    events,
    seen: () => events().map(({ run }) => [run.runId, run.outcome]),
    lastId: () => [...text.matchAll(/^id: (\S+)$/gm)].at(-1)?.[1],
    async hangUp() {
      await reader.cancel();
      await done;
    },
  };
}

/** What is read of the store, in calls and characters. */
function meter() {
  const read = { calls: 0, chars: 0, traces: 0 };
  const count = (...found: readonly unknown[]) => {
    read.calls++;
    for (const document of found) {
      const text = JSON.stringify(document);
      read.chars += text.length;
      if (text.includes('"steps"')) read.traces++;
    }
  };
  const wrap = (documents: Documents): Documents => ({
    ...documents,
    async find(collection, query) {
      const found = await documents.find(collection, query);
      count(...found);
      return found;
    },
    async findOne(collection, filter) {
      const found = await documents.findOne(collection, filter);
      count(found);
      return found;
    },
  });
  /** What was read since it was last asked. */
  const take = () => {
    const taken = { ...read };
    Object.assign(read, { calls: 0, chars: 0, traces: 0 });
    return taken;
  };
  return { wrap, take };
}

const idsOf = (runs: readonly RunTrace[]) => runs.map(({ runId, outcome }) => [runId, outcome]);

test("without an id the newest 20 runs come first, oldest of them first, then what ends", async () => {
  const { clock, begin, end, open } = createScene();
  const all: RunTrace[] = [];
  for (let i = 0; i < 30; i++) {
    await clock.advance(10);
    all.push(await end(begin()));
  }
  const client = await open();
  await clock.advance(0);
  expect(client.response.headers.get("content-type")).toBe("text/event-stream");
  expect(client.response.headers.get("cache-control")).toBe("no-store");
  expect(client.text()).toMatch(/^retry: \d+\n\n/);
  expect(client.seen()).toEqual(idsOf(all.slice(10)));
  const next = await end(begin());
  await clock.advance(POLL_MS);
  expect(client.seen()).toEqual(idsOf([...all.slice(10), next]));
  expect(client.events().at(-1)).toEqual({ id: next.runId, type: "run", run: next });
  await client.hangUp();
});

test("a run that was journalled shows when it runs and again when it has ended, each once", async () => {
  const { clock, history, begin, end, open } = createScene();
  const client = await open();
  const run = begin();
  await history.write(run);
  await clock.advance(POLL_MS);
  await history.write({ ...run, durationMs: 900 });
  await clock.advance(10 * POLL_MS);
  expect(client.seen()).toEqual([[run.runId, "running"]]);
  await end(run);
  await clock.advance(DEEP_MS + POLL_MS);
  expect(client.seen()).toEqual([
    [run.runId, "running"],
    [run.runId, "ok"],
  ]);
  expect(client.events().map(({ id }) => id)).toEqual([`${run.runId}.running`, run.runId]);
  await clock.advance(60_000);
  expect(client.seen()).toHaveLength(2);
  await client.hangUp();
});

test("a run that ends half a minute after later ones is sent all the same", async () => {
  const { clock, begin, end, open } = createScene();
  const client = await open();
  await clock.advance(40_000);
  const quick = await end(begin());
  await clock.advance(POLL_MS);
  const slow = await end(begin(29_000));
  await clock.advance(DEEP_MS + POLL_MS);
  expect(client.seen()).toEqual(idsOf([quick, slow]));
  await clock.advance(120_000);
  expect(client.seen()).toHaveLength(2);
  await client.hangUp();
});

test("a run whose process ended under it is sent as interrupted, and its true end after that", async () => {
  const { clock, history, begin, end, open } = createScene();
  const run = begin();
  await history.write(run);
  const client = await open();
  await clock.advance(60_000 + DEEP_MS + POLL_MS);
  expect(client.events().map(({ id }) => id)).toEqual([`${run.runId}.running`, `${run.runId}.interrupted`]);
  await end(run);
  await clock.advance(DEEP_MS + POLL_MS);
  expect(client.events().map(({ id }) => id)).toEqual([`${run.runId}.running`, `${run.runId}.interrupted`, run.runId]);
  await client.hangUp();
});

test("of one outcome only such runs are told, those from before and those that come", async () => {
  const { clock, history, begin, end, open } = createScene();
  const fail = async (run: RunTrace) => {
    const failed: RunTrace = { ...run, outcome: "failed", status: 500 };
    await history.record(failed);
    return failed;
  };
  const long = begin();
  await history.write(long);
  const early = await fail(begin());
  for (let i = 0; i < 30; i++) await end(begin());
  const client = await open(undefined, { outcome: "failed" });
  await clock.advance(0);
  expect(client.seen()).toEqual(idsOf([early]));
  await end(begin());
  const late = await fail(begin());
  await clock.advance(20_000);
  const slow = await fail(long);
  await clock.advance(DEEP_MS + POLL_MS);
  expect(client.seen()).toEqual(idsOf([early, late, slow]));
  await client.hangUp();

  await end(begin());
  const missed = await fail(begin());
  const back = await open(client.lastId(), { outcome: "failed" });
  await clock.advance(0);
  expect(back.seen().at(-1)).toEqual([missed.runId, "failed"]);
  expect(new Set(back.seen().map(([, outcome]) => outcome))).toEqual(new Set(["failed"]));
  await back.hangUp();
});

test("who waits for an outcome that no run had, and comes back, has missed none", async () => {
  const { clock, history, begin, end, open } = createScene();
  await end(begin());
  const client = await open(undefined, { outcome: "timeout" });
  await clock.advance(0);
  expect(client.seen()).toEqual([]);
  await client.hangUp();
  const late: RunTrace = { ...begin(), outcome: "timeout", status: 504 };
  await history.record(late);
  await clock.advance(600_000);
  const back = await open(client.lastId(), { outcome: "timeout" });
  await clock.advance(0);
  expect(back.seen()).toEqual(idsOf([late]));
  await back.hangUp();
});

test("a stream begins with as many of the newest runs as are asked for, and loses no end of the others", async () => {
  const { clock, history, begin, end, open } = createScene();
  const slow = begin();
  await history.write(slow);
  const all: RunTrace[] = [];
  for (let i = 0; i < 10; i++) {
    await clock.advance(10);
    all.push(await end(begin()));
  }
  const client = await open(undefined, { limit: 1 });
  await clock.advance(0);
  expect(client.seen()).toEqual(idsOf(all.slice(-1)));
  const ended = await end(slow);
  await clock.advance(DEEP_MS + POLL_MS);
  expect(client.seen()).toEqual(idsOf([...all.slice(-1), ended]));
  await client.hangUp();
  const wide = await open(undefined, { limit: 100 });
  await clock.advance(0);
  expect(wide.seen()).toHaveLength(11);
  await wide.hangUp();
});

test("who comes back gets what ended since, however long that was, and the seen one not again", async () => {
  const { clock, begin, end, open } = createScene();
  const first = await end(begin());
  const client = await open();
  await clock.advance(0);
  await client.hangUp();
  const missed: RunTrace[] = [];
  for (let i = 0; i < 120; i++) {
    await clock.advance(100);
    missed.push(await end(begin()));
  }
  await clock.advance(3_600_000);
  const back = await open(client.lastId());
  await clock.advance(0);
  expect(client.seen()).toEqual(idsOf([first]));
  expect(back.seen()).toEqual(idsOf(missed));
  await back.hangUp();
});

test("who saw a run running and comes back gets its end, and not that it ran", async () => {
  const { clock, history, begin, end, open } = createScene();
  const run = begin();
  await history.write(run);
  const client = await open();
  await clock.advance(0);
  expect(client.lastId()).toBe(`${run.runId}.running`);
  await client.hangUp();
  const still = await open(client.lastId());
  await clock.advance(POLL_MS);
  expect(still.seen()).toEqual([]);
  await still.hangUp();
  await clock.advance(20_000);
  await end(run);
  const back = await open(client.lastId());
  await clock.advance(0);
  expect(back.seen()).toEqual([[run.runId, "ok"]]);
  await back.hangUp();
});

test("nothing is lost where connections break, whatever ends when", async () => {
  const { clock, history, begin, end, open } = createScene();
  const got = new Map<string, string>();
  const expected = new Set<string>();
  let lastId: string | undefined;
  let open_: RunTrace[] = [];
  for (let round = 0; round < 25; round++) {
    const client = await open(lastId);
    for (let step = 0; step < 3; step++) {
      const quick = await end(begin((round * 997 + step * 313) % 6_000));
      const slow = begin();
      await history.write(slow);
      expected.add(quick.runId).add(slow.runId);
      open_.push(slow);
      await clock.advance((round * 37 + step * 411) % 1_500);
    }
    // Those that began some 5 to 25 s ago end now, in another order.
    const due = open_.splice(0, round % 5);
    for (const run of due.toReversed()) await end(run);
    await clock.advance(round % 2 === 0 ? POLL_MS : 0);
    for (const { run } of client.events()) got.set(run.runId, run.outcome);
    lastId = client.lastId() ?? lastId;
    await client.hangUp();
  }
  for (const run of open_) await end(run);
  open_ = [];
  const last = await open(lastId);
  await clock.advance(DEEP_MS + 2 * POLL_MS);
  for (const { run } of last.events()) got.set(run.runId, run.outcome);
  await last.hangUp();
  expect([...got.keys()].sort()).toEqual([...expected].sort());
  expect(new Set(got.values())).toEqual(new Set(["ok"]));
});

test("a client that began where nothing ran yet and came back has missed nothing", async () => {
  const { clock, begin, end, open } = createScene();
  const client = await open();
  await clock.advance(0);
  await client.hangUp();
  const run = await end(begin());
  await clock.advance(600_000);
  const back = await open(client.lastId());
  await clock.advance(0);
  expect(back.seen()).toEqual(idsOf([run]));
  await back.hangUp();
});

test("an agent that is busier than a stream remembers is followed all the same", async () => {
  const { clock, begin, end, open } = createScene();
  const client = await open();
  const all: RunTrace[] = [];
  for (let second = 0; second < 10; second++) {
    for (let i = 0; i < 60; i++) {
      await clock.advance(10);
      all.push(await end(begin()));
    }
    await clock.advance(POLL_MS);
  }
  await clock.advance(DEEP_MS);
  expect(client.seen()).toEqual(idsOf(all));
  await client.hangUp();
});

test("a stream of a busy agent ends after so many reads, and goes on from its last id", {
  timeout: 60_000,
}, async () => {
  const { clock, history, begin, end, open } = createScene();
  let reads = 0;
  const watched = {
    ...history,
    headsAfter: (...call: Parameters<typeof history.headsAfter>) => {
      reads++;
      return history.headsAfter(...call);
    },
  };
  const client = await open(undefined, { history: watched });
  const all: string[] = [];
  while (!client.ended()) {
    for (let i = 0; i < 20; i++) all.push((await end(begin())).runId);
    await clock.advance(POLL_MS);
  }
  expect(reads).toBeLessThanOrEqual(450);
  const back = await open(client.lastId());
  await clock.advance(DEEP_MS);
  const got = new Set([...client.seen(), ...back.seen()].map(([runId]) => runId));
  expect(all.filter((runId) => !got.has(runId))).toEqual([]);
  await back.hangUp();
});

test("while nothing new happens no trace is read, however long the runs just before it", async () => {
  const { wrap, take } = meter();
  const { clock, history, begin, end, open } = createScene(wrap);
  const step = { toolId: "s", name: "transform", status: "ok", attempts: 1, durationMs: 1, error: null } as const;
  const more = { startedAt: new Date(0).toISOString(), outputBytes: 2, rule: null, output: null };
  const steps = Array.from({ length: 40 }, () => ({ ...step, ...more, input: "x".repeat(3_000) }));
  const all: RunTrace[] = [];
  for (let i = 0; i < 30; i++) {
    await clock.advance(10);
    all.push(await end(begin(0, { steps })));
  }
  await clock.advance(10);
  const running = begin();
  await history.write(running);
  take();
  const client = await open();
  await clock.advance(0);
  expect(client.seen()).toEqual(idsOf([...all.slice(-19), running]));
  expect(take().traces).toBe(20);

  await clock.advance(30 * POLL_MS);
  const quiet = take();
  expect(quiet.traces).toBe(0);
  expect(quiet.calls).toBe(30);
  expect(quiet.chars).toBeLessThan(30 * 5_000);

  const ended = await end(running);
  const next = await end(begin());
  take();
  await clock.advance(DEEP_MS + POLL_MS);
  expect(client.seen().slice(20)).toEqual(expect.arrayContaining(idsOf([ended, next])));
  expect(client.seen()).toHaveLength(22);
  expect(take().traces).toBe(2);
  await client.hangUp();
});

test("long traces are read some at a time, as the client takes them", async () => {
  const { wrap, take } = meter();
  const { clock, history, log, begin, end, open } = createScene(wrap);
  const all: RunTrace[] = [];
  for (let i = 0; i < 120; i++) {
    await clock.advance(10);
    all.push(await end(begin()));
  }
  take();
  const made = await streamRuns({ history, clock, log, keeper: AGENT, lastEventId: undefined, limit: 100 });
  if (!made.ok) throw new Error("refused");
  await clock.advance(10 * POLL_MS);
  expect(take().traces).toBeLessThanOrEqual(50);
  await made.value.body?.cancel();
  const client = await open(undefined, { limit: 100 });
  await clock.advance(0);
  expect(client.seen()).toEqual(idsOf(all.slice(-100)));
  await client.hangUp();
});

test("those who follow one agent share what is read of its runs, and each gets all of it", async () => {
  const { wrap, take } = meter();
  const { clock, history, begin, end, open } = createScene(wrap);
  const texts = createRunTexts({ history, clock });
  const all: RunTrace[] = [];
  for (let i = 0; i < 20; i++) {
    await clock.advance(10);
    all.push(await end(begin()));
  }
  // Of two that begin in one millisecond either may come first.
  await clock.advance(10);
  const running = begin();
  await history.write(running);
  take();
  const opening = Array.from({ length: 10 }, () => open(undefined, { texts }));
  await clock.advance(1_000);
  const clients = await Promise.all(opening);
  await clock.advance(1_000);
  for (const client of clients) expect(client.seen()).toEqual(idsOf([...all.slice(-19), running]));
  // The one that still runs is read for each of them: it is never the same for long.
  expect(take().traces).toBeLessThanOrEqual(19 + 10);
  const ended = await end(running);
  await clock.advance(DEEP_MS + POLL_MS);
  for (const client of clients) expect(client.seen().at(-1)).toEqual([ended.runId, "ok"]);
  for (const client of clients) expect(client.seen()).toHaveLength(21);
  for (const client of clients) await client.hangUp();
});

test("a read that was cut off without a sign holds the others up for a moment only", async () => {
  const { clock, history, begin, end, open } = createScene();
  const run = await end(begin());
  let isStuck = true;
  const findAll = (...call: Parameters<typeof history.findAll>) =>
    isStuck ? new Promise<never>(() => {}) : history.findAll(...call);
  const texts = createRunTexts({ history: { findAll }, clock });
  void open(undefined, { texts });
  await clock.advance(100);
  isStuck = false;
  const opening = open(undefined, { texts });
  await clock.advance(3_000);
  const client = await opening;
  await clock.advance(0);
  expect(client.seen()).toEqual(idsOf([run]));
  await client.hangUp();
});

test("a run that is removed, or cannot be read, before it is sent is asked for once", async () => {
  const { wrap, take } = meter();
  const { clock, documents, begin, end, open } = createScene(wrap);
  const client = await open();
  await clock.advance(0);
  const odd = await end(begin());
  await documents.updateOne(runs(AGENT), { _id: odd.runId }, { $set: { startedAt: 1 } });
  const good = await end(begin());
  await clock.advance(POLL_MS);
  expect(client.seen()).toEqual(idsOf([good]));
  take();
  await clock.advance(20 * POLL_MS);
  expect(take().traces).toBe(0);
  await client.hangUp();
});

test("other agents' runs and tests of the graph are not among them", async () => {
  const { clock, begin, end, open } = createScene();
  await end(begin(0, { agentId: "agent_2" }));
  const tested = await end(begin(0, { agentId: null, trigger: "test" }));
  const client = await open();
  const tests = await open(undefined, { keeper: testRunsOf({ ownerId: TESTING_OWNER, serverId: "mcp_1" }) });
  await clock.advance(0);
  expect(client.seen()).toEqual([]);
  expect(tests.seen()).toEqual(idsOf([tested]));
  await client.hangUp();
  await tests.hangUp();
});

test.each([
  "run_1",
  "log_01hzzzzzzzzzzzzzzzzzzzzzzz",
  `${runIdAt(1)}.ended`,
  `${runIdAt(1)}\nid: x`,
  `run_${"u".repeat(26)}`,
])("%j is refused as an id", async (lastEventId) => {
  const { clock, history, log } = createScene();
  const made = await streamRuns({ history, clock, log, keeper: AGENT, lastEventId });
  expect(made.ok ? null : made.error.code).toBe("VALIDATION_FAILED");
});

test("an id of a time to come hides nothing that happens now", async () => {
  const { clock, begin, end, open } = createScene();
  const client = await open(`run_${"7".repeat(26)}`);
  const run = await end(begin());
  await clock.advance(POLL_MS);
  expect(client.seen()).toEqual(idsOf([run]));
  await client.hangUp();
});

test("a stream on which nothing happens says so now and then, and ends itself", async () => {
  const { clock, open } = createScene();
  const client = await open();
  await clock.advance(MAX_MS - POLL_MS);
  expect(client.ended()).toBe(false);
  expect(client.text().match(/^:/gm)?.length).toBeGreaterThan(MAX_MS / 16_000);
  await clock.advance(2 * POLL_MS);
  expect(client.ended()).toBe(true);
});

test("it ends when the signal aborts, also in the middle of a wait, and reads no more", async () => {
  const { clock, history, open } = createScene();
  let reads = 0;
  const watched = {
    ...history,
    headsAfter: (...call: Parameters<typeof history.headsAfter>) => {
      reads++;
      return history.headsAfter(...call);
    },
  };
  const controller = new AbortController();
  const client = await open(undefined, { history: watched, signal: controller.signal });
  await clock.advance(3 * POLL_MS);
  controller.abort();
  await clock.advance(0);
  expect(client.ended()).toBe(true);
  const before = reads;
  await clock.advance(60 * POLL_MS);
  expect(reads).toBe(before);
});

test("when the client goes away, reading stops", async () => {
  const { clock, history, open } = createScene();
  let reads = 0;
  const watched = {
    ...history,
    headsAfter: (...call: Parameters<typeof history.headsAfter>) => {
      reads++;
      return history.headsAfter(...call);
    },
  };
  const client = await open(undefined, { history: watched });
  await clock.advance(5 * POLL_MS);
  expect(reads).toBe(5);
  await client.hangUp();
  await clock.advance(60 * POLL_MS);
  expect(reads).toBe(5);
});

test("while the client does not take what was read, no more is read", async () => {
  const { clock, history, log, begin, end } = createScene();
  for (let i = 0; i < 300; i++) await end(begin());
  let reads = 0;
  const watched = {
    ...history,
    headsAfter: (...call: Parameters<typeof history.headsAfter>) => {
      reads++;
      return history.headsAfter(...call);
    },
  };
  const made = await streamRuns({ history: watched, clock, log, keeper: AGENT, lastEventId: runIdAt(0) });
  if (!made.ok) throw new Error("refused");
  await clock.advance(10 * POLL_MS);
  expect(reads).toBeLessThanOrEqual(2);
  await made.value.body?.cancel();
});

test("a caller who may no longer read is not sent anything more", async () => {
  const { clock, begin, end, open } = createScene();
  let may = true;
  const client = await open(undefined, { mayContinue: async () => may });
  await clock.advance(10_000);
  expect(client.ended()).toBe(false);
  may = false;
  await clock.advance(10_000);
  await end(begin());
  await clock.advance(10_000);
  expect(client.ended()).toBe(true);
  expect(client.seen()).toEqual([]);
});

test("a store that stops answering ends the stream, and tells the log no more than that", async () => {
  const { clock, history, lines, open } = createScene();
  const broken = {
    ...history,
    headsAfter: () => Promise.reject(new StorageUnavailable("no answer")),
  };
  const client = await open(undefined, { history: broken });
  await clock.advance(2 * POLL_MS);
  expect(client.ended()).toBe(true);
  expect(lines.map(({ event }) => event)).toContain("run_stream_broke");
});

test("a store that is down before the first event is told as such", async () => {
  const { clock, log, history } = createScene();
  const down = { ...history, newestHeads: () => Promise.reject(new StorageUnavailable("no answer")) };
  const streaming = streamRuns({ history: down, clock, log, keeper: AGENT, lastEventId: undefined });
  await expect(streaming).rejects.toThrow(StorageUnavailable);
});

test("ids of runs tell their time", () => {
  const clock = createFakeClock();
  expect(runIdTime(createIdSource(clock, systemRandom).next("run"))).toBe(clock.now());
  expect(runIdTime(runIdAt(0))).toBe(0);
  expect(runIdTime("run_")).toBeNull();
});
