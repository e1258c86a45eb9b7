import { describe, expect, test } from "vitest";
import { RUNS_KEPT_PER_AGENT } from "../../../src/config/limits.ts";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import { createIdSource, systemRandom } from "../../../src/core/ids.ts";
import type { RunTrace, StepTrace } from "../../../src/runtime/contract.ts";
import { bucketOf, percentile } from "../../../src/runtime/runs/histogram.ts";
import { RUN_DEAD_AFTER_MS, TRACE_STEPS_MAX_BYTES } from "../../../src/runtime/runs/limits.ts";
import { createRunHistory } from "../../../src/runtime/runs/run-history.ts";
import { testRunsOf } from "../../../src/runtime/runs/run-ids.ts";
import { runSums, runs } from "../../../src/storage/documents/collections.ts";
import type { Documents } from "../../../src/storage/documents/documents.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createMemoryDocuments } from "../../support/memory-documents.ts";
import { keepByTrace, TESTING_OWNER } from "../../support/runtime/kept-history.ts";
import { createTestLog } from "../../support/runtime/runtime.ts";

const AGENT = "agent_1";
const KEEP_DAYS = 30;
const DAY_MS = 86_400_000;

const STEP: StepTrace = {
  toolId: "save",
  name: "dbInsert",
  status: "ok",
  startedAt: "2026-02-13T10:30:00.000Z",
  durationMs: 3,
  attempts: 1,
  outputBytes: 2,
  error: null,
  rule: null,
  input: {},
  output: {},
};

function setUp() {
  const clock = createFakeClock();
  const documents = createMemoryDocuments();
  const ids = createIdSource(clock, systemRandom);
  const { log } = createTestLog();
  const createHistory = (store: Documents = documents) =>
    keepByTrace(createRunHistory({ documents: store, clock, log, keepDays: KEEP_DAYS }));

  function traceOf(changes: Partial<RunTrace> = {}): RunTrace {
    return {
      runId: ids.next("run"),
      agentId: AGENT,
      serverId: "mcp_1",
      version: 1,
      requestId: "req",
      traceId: null,
      trigger: "http",
      dryRun: false,
      outcome: "ok",
      status: 200,
      startedAt: new Date(clock.now()).toISOString(),
      durationMs: 5,
      error: null,
      steps: [],
      ...changes,
    };
  }

  const running = (changes: Partial<RunTrace> = {}) =>
    traceOf({ outcome: "running", status: null, steps: [STEP], ...changes });
  return { clock, documents, createHistory, history: createHistory(), traceOf, running };
}

const ended = (run: RunTrace, changes: Partial<RunTrace> = {}): RunTrace => ({
  ...run,
  outcome: "ok",
  status: 200,
  durationMs: 40,
  ...changes,
});

describe("sums", () => {
  test("percentiles are near the durations that were", async () => {
    const { history, traceOf } = setUp();
    for (let ms = 1; ms <= 100; ms++) {
      await history.record(traceOf({ durationMs: ms, ...(ms > 95 ? { outcome: "timeout" } : {}) }));
    }
    const { total, failed, p50Ms, p99Ms } = await history.stats(AGENT);
    expect({ total, failed }).toEqual({ total: 100, failed: 5 });
    expect(Math.abs(Number(p50Ms) - 50)).toBeLessThanOrEqual(5);
    expect(Math.abs(Number(p99Ms) - 99)).toBeLessThanOrEqual(9);
  });

  test("runs that end at once are all counted", async () => {
    const { history, traceOf } = setUp();
    await Promise.all(Array.from({ length: 200 }, () => history.record(traceOf())));
    expect((await history.stats(AGENT)).total).toBe(200);
    expect(await history.list(AGENT, 500)).toHaveLength(200);
  });

  test("a run that is recorded again, from any isolate, counts once", async () => {
    const { history, createHistory, traceOf } = setUp();
    const run = traceOf({ outcome: "failed" });
    await Promise.all([history.record(run), createHistory().record(run), history.record(run)]);
    await history.record(run);
    expect(await history.stats(AGENT)).toMatchObject({ total: 1, failed: 1 });
  });

  test("the first end of a run stands", async () => {
    const { history, traceOf } = setUp();
    const run = traceOf();
    await history.record(run);
    await history.record({ ...run, outcome: "failed" });
    expect((await history.find(AGENT, run.runId))?.outcome).toBe("ok");
    expect(await history.stats(AGENT)).toMatchObject({ total: 1, failed: 0 });
  });

  test("sums of earlier versions go on", async () => {
    const { documents, history, traceOf } = setUp();
    await documents.insertOne(runSums(AGENT), { _id: AGENT, total: 7, failed: 2, kept: 7, b8: 7 });
    await history.record(traceOf());
    expect(await history.stats(AGENT)).toMatchObject({ total: 8, failed: 2 });
  });

  test("an agent that never ran has zeros", async () => {
    expect(await setUp().history.stats(AGENT)).toEqual({ total: 0, failed: 0, p50Ms: null, p99Ms: null });
  });
});

describe("the journal", () => {
  test("a journalled run is seen as running, with its steps, and uncounted", async () => {
    const { history, running } = setUp();
    const run = running();
    await history.write(run);
    expect(await history.find(AGENT, run.runId)).toEqual(run);
    expect(await history.list(AGENT, 10)).toEqual([run]);
    expect((await history.stats(AGENT)).total).toBe(0);
  });

  test("its end takes its place, and counts once", async () => {
    const { documents, history, running } = setUp();
    const run = running();
    await history.write(run);
    await history.write({ ...run, steps: [STEP, STEP] });
    await history.record(ended(run));
    await history.record(ended(run));
    expect(await history.list(AGENT, 10)).toEqual([ended(run)]);
    expect(await history.stats(AGENT)).toMatchObject({ total: 1, failed: 0 });
    expect(documents.named("runs")).toHaveLength(1);
  });

  test("an earlier state that comes in late takes nothing back", async () => {
    const { history, running } = setUp();
    const run = running({ steps: [STEP, STEP] });
    await history.write(run);
    await history.write({ ...run, steps: [STEP] });
    expect((await history.find(AGENT, run.runId))?.steps).toHaveLength(2);
    await history.record(ended(run));
    await history.write(run);
    expect((await history.find(AGENT, run.runId))?.outcome).toBe("ok");
  });

  test("a store that does not answer is told to whoever writes, each time", async () => {
    const { documents, createHistory, running } = setUp();
    let isDown = true;
    const answering =
      <Args extends unknown[], T>(method: (...args: Args) => Promise<T>) =>
      (...args: Args) =>
        isDown ? Promise.reject(new StorageUnavailable("no answer")) : method(...args);
    const { insertOne, replaceOne } = documents;
    const store = { ...documents, insertOne: answering(insertOne), replaceOne: answering(replaceOne) };
    const history = createHistory(store);
    const run = running();
    await expect(history.write(run)).rejects.toThrow(StorageUnavailable);
    isDown = false;
    await history.write(run);
    isDown = true;
    await expect(history.write(run)).rejects.toThrow(StorageUnavailable);
  });

  test("a run whose agent was forgotten meanwhile leaves nothing behind", async () => {
    const { documents, history, running } = setUp();
    const run = running();
    await history.write(run);
    await history.forget(AGENT);
    await history.write({ ...run, steps: [STEP, STEP] });
    await history.record(ended(run));
    expect(documents.named("runs")).toEqual([]);
  });

  test("a run costs two calls of the store, and three with one journalled step", async () => {
    const { documents, createHistory, running, traceOf } = setUp();
    let calls = 0;
    const counted =
      <Args extends unknown[], T>(method: (...args: Args) => T) =>
      (...args: Args): T => {
        calls++;
        return method(...args);
      };
    const { insertOne, replaceOne, updateOne, findOne } = documents;
    const history = createHistory({
      ...documents,
      insertOne: counted(insertOne),
      replaceOne: counted(replaceOne),
      updateOne: counted(updateOne),
      findOne: counted(findOne),
    });
    const quiet = (): string => {
      for (;;) {
        const { runId } = traceOf();
        if (!runId.endsWith("0")) return runId;
      }
    };
    await history.record(traceOf({ runId: quiet() }));
    calls = 0;
    await history.record(traceOf({ runId: quiet() }));
    expect(calls).toBe(2);
    calls = 0;
    const run = running({ runId: quiet() });
    await history.write(run);
    await history.record(ended(run));
    expect(calls).toBe(3);
  });
});

describe("interrupted runs", () => {
  test("a run whose process ended under it shows as interrupted once it is past its time, and counts as failed once", async () => {
    const { clock, history, running } = setUp();
    const run = running();
    await history.write(run);
    await clock.advance(RUN_DEAD_AFTER_MS);
    expect((await history.find(AGENT, run.runId))?.outcome).toBe("running");
    await clock.advance(1);
    const [shown] = await history.list(AGENT, 10);
    expect(shown).toMatchObject({ outcome: "interrupted", status: null, steps: run.steps });
    expect(shown?.error).toContain("may or may not have happened");
    expect(await history.find(AGENT, run.runId)).toEqual(shown);
    expect(await history.sweepInterrupted(AGENT)).toBe(0);
    expect(await history.stats(AGENT)).toEqual({ total: 1, failed: 1, p50Ms: null, p99Ms: null });
  });

  test("the sweep ends those that are dead and no others", async () => {
    const { clock, history, running, traceOf } = setUp();
    for (let i = 0; i < 3; i++) await history.write(running());
    await history.record(traceOf());
    await clock.advance(RUN_DEAD_AFTER_MS - 5_000);
    const alive = running();
    await history.write(alive);
    await clock.advance(10_000);
    expect(await history.sweepInterrupted(AGENT)).toBe(3);
    expect(await history.sweepInterrupted(AGENT)).toBe(0);
    expect((await history.list(AGENT, 10, undefined, "running")).map(({ runId }) => runId)).toEqual([alive.runId]);
    expect(await history.stats(AGENT)).toMatchObject({ total: 4, failed: 3 });
    await clock.advance(RUN_DEAD_AFTER_MS);
    expect(await history.sweepInterrupted(AGENT)).toBe(1);
  });

  test("more dead runs than are swept at once are swept by and by", async () => {
    const { clock, history, running } = setUp();
    for (let i = 0; i < 120; i++) await history.write(running());
    await clock.advance(RUN_DEAD_AFTER_MS + 1);
    const swept = [1, 2, 3, 4].map(() => 0);
    for (const i of swept.keys()) swept[i] = await history.sweepInterrupted(AGENT);
    expect(swept.reduce((sum, n) => sum + n, 0)).toBe(120);
    expect(await history.stats(AGENT)).toMatchObject({ total: 120, failed: 120 });
  });

  test("a true end that comes late stands over it, and the sums are put right", async () => {
    const { clock, history, running } = setUp();
    const [good, bad] = [running(), running()];
    for (const run of [good, bad]) await history.write(run);
    await clock.advance(RUN_DEAD_AFTER_MS + 1);
    await history.sweepInterrupted(AGENT);
    for (let again = 0; again < 2; again++) {
      await history.record(ended(good));
      await history.record(ended(bad, { outcome: "failed", status: 500 }));
    }
    expect((await history.find(AGENT, good.runId))?.outcome).toBe("ok");
    expect((await history.find(AGENT, bad.runId))?.outcome).toBe("failed");
    const { total, failed, p50Ms } = await history.stats(AGENT);
    expect({ total, failed }).toEqual({ total: 2, failed: 1 });
    expect(Math.abs(Number(p50Ms) - 40)).toBeLessThanOrEqual(4);
  });

  test("steps that a run journals after it was taken for dead are kept", async () => {
    const { clock, history, running } = setUp();
    const run = running();
    await history.write(run);
    await clock.advance(RUN_DEAD_AFTER_MS + 1);
    await history.sweepInterrupted(AGENT);
    await history.write({ ...run, steps: [STEP, STEP] });
    expect(await history.find(AGENT, run.runId)).toMatchObject({ outcome: "interrupted", steps: [STEP, STEP] });
  });

  test("it shows as interrupted where that cannot be written", async () => {
    const { clock, documents, createHistory, history, running } = setUp();
    const run = running();
    await history.write(run);
    await clock.advance(RUN_DEAD_AFTER_MS + 1);
    const readOnly = createHistory({
      ...documents,
      updateOne: () => Promise.reject(new StorageUnavailable("no answer")),
    });
    expect((await readOnly.find(AGENT, run.runId))?.outcome).toBe("interrupted");
  });

  test("one that was marked and not counted is counted by whoever meets it", async () => {
    const { clock, documents, createHistory, history, running } = setUp();
    await history.write(running());
    await clock.advance(RUN_DEAD_AFTER_MS + 1);
    let calls = 0;
    const dying = createHistory({
      ...documents,
      updateOne: (...call) => {
        if (++calls === 2) throw new StorageUnavailable("no answer");
        return documents.updateOne(...call);
      },
    });
    await expect(dying.sweepInterrupted(AGENT)).rejects.toThrow(StorageUnavailable);
    expect((await history.stats(AGENT)).total).toBe(0);
    await history.sweepInterrupted(AGENT);
    await history.list(AGENT, 10);
    expect(await history.stats(AGENT)).toMatchObject({ total: 1, failed: 1 });
  });
});

test("a sweep that another one overtook leaves to the next what that one did not count", async () => {
  const { clock, documents, createHistory, history, running, traceOf } = setUp();
  await history.record(traceOf());
  await history.write(running());
  await clock.advance(RUN_DEAD_AFTER_MS + 1);
  let calls = 0;
  const dying = createHistory({
    ...documents,
    updateOne: (...call) =>
      ++calls === 2 ? Promise.reject(new StorageUnavailable("gone")) : documents.updateOne(...call),
  });
  const overtaken = createHistory({
    ...documents,
    async find(...call) {
      const found = await documents.find(...call);
      await expect(dying.sweepInterrupted(AGENT)).rejects.toThrow(StorageUnavailable);
      return found;
    },
  });
  expect(await overtaken.sweepInterrupted(AGENT)).toBe(0);
  await history.sweepInterrupted(AGENT);
  expect(await history.stats(AGENT)).toMatchObject({ total: 2, failed: 1 });
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

/** A store that takes its time, loses one call in ten, and of one in ten the answer. */
function createFlaky(documents: Documents, random: (below: number) => number): Documents {
  const flaky =
    <Args extends unknown[], T>(method: (...args: Args) => Promise<T>) =>
    async (...args: Args): Promise<T> => {
      for (let turns = random(6); turns > 0; turns--) await Promise.resolve();
      const fate = random(10);
      if (fate === 0) throw new StorageUnavailable("lost");
      const answer = await method(...args);
      for (let turns = random(6); turns > 0; turns--) await Promise.resolve();
      if (fate === 1) throw new StorageUnavailable("answer lost");
      return answer;
    };
  const { insertOne, findOne, find, updateOne, updateMany, replaceOne, deleteOne, deleteMany, uniqueFields, ping } =
    documents;
  return {
    insertOne: flaky(insertOne),
    findOne: flaky(findOne),
    find: flaky(find),
    updateOne: flaky(updateOne),
    updateMany: flaky(updateMany),
    replaceOne: flaky(replaceOne),
    deleteOne: flaky(deleteOne),
    deleteMany: flaky(deleteMany),
    uniqueFields: flaky(uniqueFields),
    ping: flaky(ping),
  };
}

async function untilItWorks(action: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await action();
      return;
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error;
    }
  }
}

test("whatever gets lost between ends, sweeps and lists, every run counts once", async () => {
  for (let round = 1; round <= 60; round++) {
    const { clock, documents, createHistory, history, running } = setUp();
    const random = createRandom(round);
    const flaky = createFlaky(documents, random);
    const [first, second] = [running(), running()];
    const outcomes = [first, second].map(() => (random(2) === 0 ? "ok" : "failed"));
    for (const run of [first, second]) if (random(3) > 0) await history.write(run);
    await clock.advance(RUN_DEAD_AFTER_MS + 1);
    const work: Promise<void>[] = [];
    for (const [i, run] of [first, second].entries()) {
      const outcome = outcomes[i] === "ok" ? "ok" : "failed";
      const repeats = 1 + random(2);
      for (let n = 0; n < repeats; n++) {
        work.push(untilItWorks(() => createHistory(flaky).record(ended(run, { outcome }))));
      }
    }
    for (let n = 0; n < 3; n++) {
      work.push(untilItWorks(() => createHistory(flaky).sweepInterrupted(AGENT)));
      work.push(untilItWorks(() => createHistory(flaky).list(AGENT, 10)));
    }
    await Promise.all(work);
    const { total, failed } = await history.stats(AGENT);
    const expected = { total: 2, failed: outcomes.filter((outcome) => outcome === "failed").length };
    expect({ total, failed }, `round ${round}`).toEqual(expected);
    expect((await history.list(AGENT, 10)).map(({ outcome }) => outcome).sort()).toEqual([...outcomes].sort());
  }
});

describe("what is kept", () => {
  test("the oldest runs go once there are more than are kept, and the sums stay", { timeout: 60_000 }, async () => {
    const { documents, history, traceOf } = setUp();
    const all: RunTrace[] = [];
    for (let i = 0; i < RUNS_KEPT_PER_AGENT + 300; i++) {
      const run = traceOf();
      all.push(run);
      await history.record(run);
    }
    const kept = documents.named("runs").filter((document) => document.agentId === AGENT);
    expect(kept.length).toBeGreaterThanOrEqual(RUNS_KEPT_PER_AGENT);
    expect(kept.length).toBeLessThan(RUNS_KEPT_PER_AGENT + 250);
    expect(await history.find(AGENT, all.at(-1)?.runId ?? "")).not.toBeNull();
    expect(await history.find(AGENT, all[0]?.runId ?? "")).toBeNull();
    expect((await history.stats(AGENT)).total).toBe(RUNS_KEPT_PER_AGENT + 300);
    await history.cleanUpRuns(AGENT);
    expect(documents.named("runs").filter((document) => document.agentId === AGENT)).toHaveLength(RUNS_KEPT_PER_AGENT);
  });

  test("a run that still runs is not dropped as one too many", { timeout: 60_000 }, async () => {
    const { history, running, traceOf } = setUp();
    const slow = running();
    await history.write(slow);
    for (let i = 0; i < RUNS_KEPT_PER_AGENT + 20; i++) await history.record(traceOf());
    expect((await history.cleanUpRuns(AGENT)).removed).toBeGreaterThan(0);
    expect((await history.find(AGENT, slow.runId))?.outcome).toBe("running");
  });

  test("the clean-up removes runs past their days, and ends the dead", async () => {
    const { clock, history, running, traceOf } = setUp();
    for (let i = 0; i < 3; i++) await history.record(traceOf());
    await clock.advance(DAY_MS);
    await history.record(traceOf());
    await history.write(running());
    await clock.advance((KEEP_DAYS - 1) * DAY_MS + 1);
    expect(await history.cleanUpRuns(AGENT)).toEqual({ interrupted: 1, removed: 3 });
    expect(await history.cleanUpRuns(AGENT)).toEqual({ interrupted: 0, removed: 0 });
    expect(await history.list(AGENT, 10)).toHaveLength(2);
    await clock.advance(DAY_MS);
    expect(await history.cleanUpRuns(AGENT)).toEqual({ interrupted: 0, removed: 2 });
    expect((await history.stats(AGENT)).total).toBe(5);
  });

  test("the clean-up of an agent that does nothing writes nothing", async () => {
    const { clock, documents, createHistory, history, traceOf } = setUp();
    await history.record(traceOf());
    await clock.advance(RUN_DEAD_AFTER_MS);
    await history.cleanUpRuns(AGENT);
    let writes = 0;
    const watched = createHistory({
      ...documents,
      updateOne: (...call) => {
        writes++;
        return documents.updateOne(...call);
      },
    });
    await clock.advance(DAY_MS);
    await watched.cleanUpRuns(AGENT);
    await watched.cleanUpRuns("agent_none");
    expect(writes).toBe(0);
    expect(documents.named("runs")).toHaveLength(1);
  });

  test("what is forgotten is gone, of that agent alone", async () => {
    const { history, traceOf } = setUp();
    await history.record(traceOf());
    await history.record(traceOf({ agentId: "agent_2" }));
    await history.forget(AGENT);
    expect(await history.list(AGENT, 10)).toEqual([]);
    expect((await history.stats(AGENT)).total).toBe(0);
    expect(await history.list("agent_2", 10)).toHaveLength(1);
    expect((await history.stats("agent_2")).total).toBe(1);
  });
});

describe("reading", () => {
  test("a run of one agent is not found through another", async () => {
    const { history, traceOf } = setUp();
    const run = traceOf();
    await history.record(run);
    expect(await history.find("agent_2", run.runId)).toBeNull();
  });

  test("pages go on behind the last run, and by outcome", async () => {
    const { history, traceOf } = setUp();
    const all: RunTrace[] = [];
    for (let i = 0; i < 130; i++) {
      const run = traceOf({ outcome: i % 10 === 0 ? "failed" : "ok" });
      all.unshift(run);
      await history.record(run);
    }
    expect(await history.list(AGENT, 101)).toEqual(all.slice(0, 101));
    expect(await history.list(AGENT, 101, all[100]?.runId)).toEqual(all.slice(101));
    const failed = all.filter(({ outcome }) => outcome === "failed");
    expect(await history.list(AGENT, 5, undefined, "failed")).toEqual(failed.slice(0, 5));
    expect(await history.list(AGENT, 100, failed[4]?.runId, "failed")).toEqual(failed.slice(5));
    expect(await history.list(AGENT, 100, undefined, "cancelled")).toEqual([]);
  });

  test("tests of a graph are kept with its owner's server, as runs of no agent", async () => {
    const { history, traceOf } = setUp();
    const run = traceOf({ agentId: null, trigger: "test" });
    await history.record(run);
    expect(await history.list(testRunsOf({ ownerId: TESTING_OWNER, serverId: "mcp_1" }), 10)).toEqual([run]);
    expect(await history.find(testRunsOf({ ownerId: TESTING_OWNER, serverId: "mcp_1" }), run.runId)).toEqual(run);
    for (const other of [
      { ownerId: TESTING_OWNER, serverId: "mcp_2" },
      { ownerId: "user-2", serverId: "mcp_1" },
    ]) {
      expect(await history.list(testRunsOf(other), 10)).toEqual([]);
      expect(await history.find(testRunsOf(other), run.runId)).toBeNull();
    }
    expect(await history.list(AGENT, 10)).toEqual([]);
  });

  test("runs of earlier versions, with a list of steps, are read", async () => {
    const { documents, history, traceOf } = setUp();
    const { traceId: _, trigger: __, dryRun: ___, ...old } = traceOf();
    const { attempts: _1, rule: _2, input: _3, output: _4, ...step } = STEP;
    await documents.insertOne(runs(AGENT), { _id: old.runId, ...old, steps: [step] });
    expect(await history.find(AGENT, old.runId)).toEqual({
      ...old,
      traceId: null,
      trigger: "http",
      dryRun: false,
      steps: [{ ...step, attempts: 1, rule: null, input: null, output: null }],
    });
  });

  test("what cannot be read hides none of the others", async () => {
    const { documents, history, traceOf } = setUp();
    const good = traceOf();
    await history.record(good);
    for (let i = 0; i < 60; i++)
      await documents.insertOne(runs(AGENT), { _id: traceOf().runId, agentId: AGENT, outcome: "?" });
    expect(await history.list(AGENT, 5)).toEqual([good]);
  });

  test.each([
    ["no JSON", "{", []],
    ["no list", '{"a":1}', []],
    ["a list with what is no step", JSON.stringify([null, 5, { toolId: 1 }, STEP]), [STEP]],
    ["nothing", null, []],
  ])("steps that are %s are left out", async (_, steps, expected) => {
    const { documents, history, traceOf } = setUp();
    const run = traceOf();
    await documents.insertOne(runs(AGENT), { _id: run.runId, ...run, steps } as never);
    expect((await history.find(AGENT, run.runId))?.steps).toEqual(expected);
  });

  test("inputs and outputs of any names are kept as they are", async () => {
    const { history, traceOf } = setUp();
    const hostile = JSON.parse('{"$set":{"a.b":1},"__proto__":{"polluted":true},"constructor":[],"\\u0000":"x"}');
    const run = traceOf({ steps: [{ ...STEP, input: hostile, output: "\ud800" }] });
    await history.record(run);
    const read = await history.find(AGENT, run.runId);
    expect(JSON.stringify(read?.steps)).toBe(JSON.stringify(run.steps));
    expect(Object.keys({})).toEqual([]);
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });

  test("an error that was cut in half a character is kept", async () => {
    const { history, traceOf } = setUp();
    const run = traceOf({ outcome: "failed", error: "cut \ud83d" });
    await history.record(run);
    expect((await history.find(AGENT, run.runId))?.error).toBe("cut \ufffd");
  });
});

describe("a trace that is too large", () => {
  const sizeOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).length;

  test("loses its longest values first, and says so", async () => {
    const { history, traceOf } = setUp();
    const long = "x".repeat(60_000);
    const steps = [
      { ...STEP, input: { small: 1 }, output: long },
      { ...STEP, input: long.slice(0, 40_000), output: { text: long } },
    ];
    const run = traceOf({ steps });
    await history.record(run);
    const read = await history.find(AGENT, run.runId);
    expect(sizeOf(read?.steps)).toBeLessThanOrEqual(TRACE_STEPS_MAX_BYTES);
    expect(read?.steps[0]).toMatchObject({ input: { small: 1 }, output: long });
    expect(read?.steps[1]?.input).toBe(long.slice(0, 40_000));
    expect(read?.steps[1]?.output).toMatch(/^\{"text":"x+… \[60011 bytes\]$/);
  });

  test("of a hundred steps with long errors in any script is kept with all of them", async () => {
    const { history, traceOf } = setUp();
    const steps = Array.from({ length: 100 }, (_, i) => ({
      ...STEP,
      toolId: `s${i}`,
      error: "漢".repeat(500),
      input: "🦀".repeat(1_000),
      output: '"'.repeat(2_000),
    }));
    const run = traceOf({ steps });
    await history.record(run);
    const read = await history.find(AGENT, run.runId);
    expect(read?.steps.map(({ toolId }) => toolId)).toEqual(steps.map(({ toolId }) => toolId));
    expect(sizeOf(read?.steps)).toBeLessThanOrEqual(TRACE_STEPS_MAX_BYTES);
    expect(read?.steps[0]?.error).toBe(`${"漢".repeat(100)}…`);
  });

  test("of more steps than that keeps the first ones", async () => {
    const { history, traceOf } = setUp();
    const steps = Array.from({ length: 2_000 }, (_, i) => ({ ...STEP, toolId: `s${i}`, error: "e".repeat(300) }));
    const run = traceOf({ steps });
    await history.record(run);
    const read = (await history.find(AGENT, run.runId))?.steps ?? [];
    expect(read.length).toBeGreaterThan(300);
    expect(read.map(({ toolId }) => toolId)).toEqual(steps.slice(0, read.length).map(({ toolId }) => toolId));
    expect(sizeOf(read)).toBeLessThanOrEqual(TRACE_STEPS_MAX_BYTES);
  });
});

test.each([
  [0, 0],
  [1, 0],
  [-5, 0],
  [Number.NaN, 0],
  [2, 4],
  [30_000, 60],
  [10_000_000, 64],
])("a duration of %d ms falls into bucket %d", (ms, bucket) => {
  expect(bucketOf(ms)).toBe(bucket);
});

test("there is no percentile of nothing", () => {
  expect(percentile(new Map(), 0.5)).toBeNull();
});
