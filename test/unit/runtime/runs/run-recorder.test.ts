import { expect, test } from "vitest";
import { StorageUnavailable } from "../../../../src/core/errors.ts";
import type { RunTrace } from "../../../../src/runtime/contract.ts";
import { createRunRecorder } from "../../../../src/runtime/runs/run-recorder.ts";
import type { Amounts } from "../../../../src/runtime/runs/run-sums.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";
import { createTestLog } from "../../../support/runtime/runtime.ts";

const TRACES_AT_ONCE = 30;
const TRACE_EVERY_MS = 50;
const BUSY_TRACE_EVERY_MS = 500;
const COUNT_EVERY_MS = 250;
const COUNTS_AT_ONCE = 10;
const END_WAIT_MS = 2_000;

function createScene() {
  const clock = createFakeClock();
  const recorded: string[] = [];
  const events: string[] = [];
  const counted: [string, Amounts][] = [];
  const metrics = new Map<string, number>();
  const { log, lines } = createTestLog();
  const state = { isDown: false, record: async (_runId: string, _onStored?: () => void) => {} };
  let runs = 0;
  const recorder = createRunRecorder({
    history: {
      record(_keeper, trace, onStored) {
        recorded.push(trace.runId);
        return state.record(trace.runId, onStored);
      },
      async count(keeper, amounts) {
        if (state.isDown) throw new StorageUnavailable("down");
        counted.push([keeper, amounts]);
      },
    },
    executionLog: { append: async () => {} },
    clock,
    defer: (_what, work) => void work.catch(() => {}),
    metrics: {
      count: (name) => void metrics.set(name, (metrics.get(name) ?? 0) + 1),
      observe() {},
      gauge() {},
    },
    log,
  });
  return {
    clock,
    recorded,
    events,
    counted,
    metrics,
    lines,
    state,
    end(changes: Partial<RunTrace> = {}, isJournalled = false) {
      const trace = {
        runId: `run_${runs++}`,
        agentId: "agent_1",
        outcome: "ok",
        durationMs: 5,
        ...changes,
      } as RunTrace;
      const event = () => {
        events.push(trace.runId);
        return {} as never;
      };
      return recorder.keep({ keeper: trace.agentId ?? "", summary: trace, trace: () => trace, event, isJournalled });
    },
  };
}

const countedRuns = (counted: readonly [string, Amounts][]) =>
  counted.reduce((sum, [, { total = 0 }]) => sum + total, 0);

test("runs beyond what an isolate keeps are counted, many in one write, and their events never made", async () => {
  const scene = createScene();
  for (let n = 0; n < 70; n++) scene.end();
  expect(scene.recorded).toHaveLength(TRACES_AT_ONCE);
  expect(scene.events).toHaveLength(TRACES_AT_ONCE);
  expect(scene.metrics.get("orchestrix_runs_untraced_total")).toBe(40);
  await scene.clock.advance(COUNT_EVERY_MS);
  expect(scene.counted).toEqual([["agent_1", { total: 40, failed: 0, b10: 40 }]]);
});

test.each([
  ["a steady stream leaves a trace every so often, one at a time", 1, TRACE_EVERY_MS],
  ["a busy isolate keeps fewer", 20, BUSY_TRACE_EVERY_MS],
])("%s", async (_name, runsEvery10Ms, everyMs) => {
  const scene = createScene();
  const run = async (ms: number) => {
    for (let end = scene.clock.now() + ms; scene.clock.now() < end; ) {
      await scene.clock.advance(10);
      const before = scene.recorded.length;
      for (let n = 0; n < runsEvery10Ms; n++) scene.end();
      expect(scene.recorded.length - before).toBeLessThanOrEqual(runsEvery10Ms);
    }
  };
  await run(2_000);
  const before = scene.recorded.length;
  await run(5_000);
  expect(scene.recorded.length - before).toBe(5_000 / everyMs);
});

test("who was busy and is no longer keeps every trace again", async () => {
  const scene = createScene();
  for (let ms = 0; ms < 2_000; ms += 10) {
    await scene.clock.advance(10);
    for (let n = 0; n < 20; n++) scene.end();
  }
  await scene.clock.advance(3_000);
  const before = scene.recorded.length;
  for (let n = 0; n < 40; n++) {
    await scene.clock.advance(100);
    scene.end();
  }
  expect(scene.recorded.length - before).toBe(40);
});

test("failures have room of their own, and a journalled run always gets its end", () => {
  const scene = createScene();
  for (let n = 0; n < 50; n++) scene.end();
  for (let n = 0; n < 3; n++) scene.end({ outcome: "failed" });
  for (let n = 0; n < 40; n++) scene.end({}, true);
  expect(scene.recorded).toHaveLength(TRACES_AT_ONCE + 3 + 40);
});

test("who changed something is answered once the end stands, and no later", async () => {
  const scene = createScene();
  let stand = () => {};
  scene.state.record = (_runId, onStored = () => {}) => {
    stand = onStored;
    return new Promise(() => {});
  };
  let isOver = false;
  const kept = scene.end({}, true)?.then(() => {
    isOver = true;
  });
  await scene.clock.advance(100);
  expect(isOver).toBe(false);
  stand();
  await kept;
  expect(isOver).toBe(true);
  expect(scene.lines).toEqual([]);
  expect(scene.end()).toBeNull();
});

test("a store that does not take the end keeps nobody waiting for long", async () => {
  const scene = createScene();
  scene.state.record = () => new Promise(() => {});
  const kept = scene.end({}, true);
  await scene.clock.advance(END_WAIT_MS);
  await kept;
  expect(scene.lines).toMatchObject([{ level: "warn", event: "run_end_not_recorded_yet", fields: { runId: "run_0" } }]);
});

/** Rejects so many calls, and takes the next. */
function failing(times: number) {
  let calls = 0;
  return async (_runId: string, onStored = () => {}) => {
    if (calls++ < times) throw new StorageUnavailable("down");
    onStored();
  };
}

test("an end that the store did not take at once is written again, and who changed something waits for it", async () => {
  const scene = createScene();
  scene.state.record = failing(2);
  let isOver = false;
  void scene.end({}, true)?.then(() => {
    isOver = true;
  });
  await scene.clock.advance(1_000);
  expect(isOver).toBe(false);
  await scene.clock.advance(250);
  expect(isOver).toBe(true);
  expect(scene.recorded).toEqual(["run_0", "run_0", "run_0"]);
  expect(scene.lines).toEqual([]);
});

test("an end that is never taken is told in the log, by its run", async () => {
  const scene = createScene();
  scene.state.record = failing(100);
  void scene.end({}, true);
  await scene.clock.advance(60_000);
  expect(scene.lines).toMatchObject([
    { level: "warn", event: "run_end_not_recorded_yet", fields: { runId: "run_0", agentId: "agent_1" } },
    { level: "warn", event: "run_end_not_recorded", fields: { runId: "run_0", agentId: "agent_1" } },
  ]);
  expect(scene.recorded).toHaveLength(4);
  // It stands as running, and whoever ends it as interrupted counts it.
  expect(scene.counted).toEqual([]);
});

test("a run whose trace is lost is counted, unless its trace stands", async () => {
  const scene = createScene();
  scene.state.record = failing(100);
  expect(scene.end()).toBeNull();
  await scene.clock.advance(60_000);
  expect(scene.lines).toMatchObject([{ level: "warn", event: "run_trace_lost", fields: { runId: "run_0" } }]);
  expect(scene.counted).toEqual([["agent_1", { total: 1, failed: 0, b10: 1 }]]);
  scene.state.record = async (_runId, onStored = () => {}) => {
    onStored();
    throw new StorageUnavailable("down");
  };
  scene.end();
  await scene.clock.advance(60_000);
  expect(scene.counted).toHaveLength(1);
});

test("what could not be counted is counted with the next", async () => {
  const scene = createScene();
  for (let n = 0; n < TRACES_AT_ONCE + 2; n++) scene.end();
  scene.state.isDown = true;
  await scene.clock.advance(COUNT_EVERY_MS);
  expect(scene.counted).toEqual([]);
  scene.state.isDown = false;
  for (let n = 0; n < 10; n++) scene.end({ agentId: "agent_2" });
  await scene.clock.advance(COUNT_EVERY_MS);
  expect(new Map(scene.counted)).toEqual(
    new Map([
      ["agent_1", { total: 2, failed: 0, b10: 2 }],
      ["agent_2", { total: 5, failed: 0, b10: 5 }],
    ]),
  );
});

test("a thousand busy agents cost as many writes in a time as any, each in its turn, and nothing is left behind", async () => {
  const scene = createScene();
  let ended = 0;
  for (let ms = 0; ms < 30_000; ms += 50) {
    for (let n = 0; n < 97; n++) scene.end({ agentId: `agent_${ended++ % 1_000}` });
    await scene.clock.advance(50);
  }
  expect(scene.counted.length).toBeLessThanOrEqual((30_000 / COUNT_EVERY_MS) * COUNTS_AT_ONCE);
  expect(new Set(scene.counted.map(([keeper]) => keeper)).size).toBe(1_000);
  await scene.clock.advance(2 * COUNT_EVERY_MS);
  expect(countedRuns(scene.counted) + scene.recorded.length).toBe(ended);
});
