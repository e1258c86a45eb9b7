import { expect, test } from "vitest";
import { RUNS_KEPT_PER_AGENT } from "../../../src/config/limits.ts";
import { createIdSource, systemRandom } from "../../../src/core/ids.ts";
import type { RunTrace } from "../../../src/runtime/contract.ts";
import { bucketOf, percentile } from "../../../src/runtime/runs/histogram.ts";
import { createRunHistory } from "../../../src/runtime/runs/run-history.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createMemoryDocuments } from "../../support/memory-documents.ts";
import { createTestLog } from "../../support/runtime/runtime.ts";

function traceOf(runId: string, durationMs: number, changes: Partial<RunTrace> = {}): RunTrace {
  return {
    runId,
    agentId: "agent_1",
    serverId: "mcp_1",
    version: 1,
    requestId: "req",
    outcome: "ok",
    status: 200,
    startedAt: "2026-02-13T10:30:00.000Z",
    durationMs,
    error: null,
    steps: [],
    ...changes,
  };
}

function setUp() {
  const documents = createMemoryDocuments();
  const ids = createIdSource(createFakeClock(), systemRandom);
  return {
    documents,
    history: createRunHistory({ documents, log: createTestLog().log }),
    nextId: () => ids.next("run"),
  };
}

test("percentiles are near the durations that were", async () => {
  const { history, nextId } = setUp();
  for (let ms = 1; ms <= 100; ms++) {
    await history.record(traceOf(nextId(), ms, ms > 95 ? { outcome: "timeout" } : {}));
  }
  const { total, failed, p50Ms, p99Ms } = await history.stats("agent_1");
  expect({ total, failed }).toEqual({ total: 100, failed: 5 });
  expect(Math.abs(Number(p50Ms) - 50)).toBeLessThanOrEqual(5);
  expect(Math.abs(Number(p99Ms) - 99)).toBeLessThanOrEqual(9);
});

test("runs that end at once are all counted", async () => {
  const { history, nextId } = setUp();
  await Promise.all(Array.from({ length: 50 }, () => history.record(traceOf(nextId(), 5))));
  expect((await history.stats("agent_1")).total).toBe(50);
});

test("the oldest runs go once there are more than are kept, and the sums stay", async () => {
  const { documents, history, nextId } = setUp();
  const newest: string[] = [];
  for (let i = 0; i < RUNS_KEPT_PER_AGENT + 300; i++) {
    const runId = nextId();
    newest.push(runId);
    await history.record(traceOf(runId, 1));
  }
  const kept = documents.named("runs").filter((document) => document.agentId === "agent_1");
  expect(kept.length).toBeGreaterThanOrEqual(RUNS_KEPT_PER_AGENT);
  expect(kept.length).toBeLessThan(RUNS_KEPT_PER_AGENT + 250);
  expect(await history.find("agent_1", newest.at(-1) ?? "")).not.toBeNull();
  expect(await history.find("agent_1", newest[0] ?? "")).toBeNull();
  expect((await history.stats("agent_1")).total).toBe(RUNS_KEPT_PER_AGENT + 300);
});

test("a run of one agent is not found through another", async () => {
  const { history, nextId } = setUp();
  const runId = nextId();
  await history.record(traceOf(runId, 1));
  expect(await history.find("agent_2", runId)).toBeNull();
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
