import { expect, test } from "vitest";
import { StorageUnavailable } from "../../../../src/core/errors.ts";
import type { RunTrace } from "../../../../src/runtime/contract.ts";
import { createRunRecorder } from "../../../../src/runtime/runs/run-recorder.ts";
import type { Amounts } from "../../../../src/runtime/runs/run-sums.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";
import { createTestLog } from "../../../support/runtime/runtime.ts";

const PER_WINDOW = 10;

function createScene() {
  const clock = createFakeClock();
  const recorded: string[] = [];
  const counted: [string, Amounts][] = [];
  const counts = new Map<string, number>();
  const pending: Promise<unknown>[] = [];
  let isDown = false;
  const recorder = createRunRecorder({
    history: {
      record: async (trace) => void recorded.push(trace.runId),
      async count(keeper, amounts) {
        if (isDown) throw new StorageUnavailable("down");
        counted.push([keeper, amounts]);
      },
    },
    executionLog: { append: async () => {} },
    clock,
    defer: (_what, work) => void pending.push(work),
    metrics: {
      count: (name) => void counts.set(name, (counts.get(name) ?? 0) + 1),
      observe() {},
      gauge() {},
    },
    log: createTestLog().log,
  });
  let runs = 0;
  return {
    clock,
    recorded,
    counted,
    counts,
    setDown: (down: boolean) => {
      isDown = down;
    },
    end(changes: Partial<RunTrace> = {}, isJournalled = false) {
      const trace = {
        runId: `run_${runs++}`,
        agentId: "agent_1",
        outcome: "ok",
        durationMs: 5,
        ...changes,
      } as RunTrace;
      recorder.keep({ trace, event: {} as never, isJournalled });
    },
  };
}

test("runs beyond what a window keeps are counted, many in one write", async () => {
  const scene = createScene();
  for (let n = 0; n < 50; n++) scene.end();
  expect(scene.recorded).toHaveLength(PER_WINDOW);
  expect(scene.counts.get("orchestrix_runs_untraced_total")).toBe(40);
  await scene.clock.advance(250);
  expect(scene.counted).toEqual([["agent_1", { total: 40, failed: 0, b10: 40 }]]);
  scene.end();
  expect(scene.recorded).toHaveLength(PER_WINDOW + 1);
});

test("failures have room of their own, and a journalled run always gets its end", async () => {
  const scene = createScene();
  for (let n = 0; n < 30; n++) scene.end();
  for (let n = 0; n < 3; n++) scene.end({ outcome: "failed" });
  for (let n = 0; n < 20; n++) scene.end({}, true);
  expect(scene.recorded).toHaveLength(PER_WINDOW + 3 + 20);
});

test("what could not be counted is counted with the next", async () => {
  const scene = createScene();
  for (let n = 0; n < 12; n++) scene.end();
  scene.setDown(true);
  await scene.clock.advance(250);
  expect(scene.counted).toEqual([]);
  scene.setDown(false);
  for (let n = 0; n < 11; n++) scene.end({ agentId: "agent_2" });
  await scene.clock.advance(250);
  expect(scene.counted).toEqual([
    ["agent_1", { total: 2, failed: 0, b10: 2 }],
    ["agent_2", { total: 1, failed: 0, b10: 1 }],
  ]);
});
