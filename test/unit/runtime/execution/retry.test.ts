import { expect, test } from "vitest";
import { StorageUnavailable } from "../../../../src/core/errors.ts";
import { pauseMs } from "../../../../src/runtime/execution/pause.ts";
import { fail, failForNow, output, refuse, type Tool } from "../../../../src/runtime/tool.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";
import { bodyOf, execute, tool } from "./scene.ts";

const RETRY = { attempts: 3, backoffMs: 100 };

/** Fails in its own way so often, and tells when it was called. */
function flaky(failures: number, how: Parameters<typeof tool>[1], clock = createFakeClock()) {
  const calls: number[] = [];
  const startMs = clock.now();
  const flaky: Tool = tool("flaky", (config, context) => {
    calls.push(clock.now() - startMs);
    return calls.length > failures ? output(context.stepKey) : how(config, context);
  });
  return { flaky, calls, clock };
}

test("what may pass is tried again after pauses that double", async () => {
  const { flaky: tools, calls, clock } = flaky(2, () => failForNow("busy"));
  const { execution } = execute([{ name: "flaky", retry: RETRY }], { tools: [tools], clock });
  await clock.advance(1_000);
  const ended = await execution;
  expect(bodyOf(ended)).toBe("run_00000000000000000000000001:flaky");
  expect(calls).toEqual([0, 100, 300]);
  expect(ended.trace.steps[0]).toMatchObject({ status: "ok", attempts: 3, durationMs: 300, error: null });
});

test("the last attempt's failure is the step's", async () => {
  const { flaky: tools, calls, clock } = flaky(9, () => failForNow("busy"));
  const { execution } = execute([{ name: "flaky", retry: RETRY }], { tools: [tools], clock });
  await clock.advance(1_000);
  const { result, trace } = await execution;
  expect(result).toMatchObject({ ok: false, error: { code: "RUN_FAILED", detail: "step flaky: busy" } });
  expect(trace.steps[0]).toMatchObject({ attempts: 3, status: "failed" });
  expect(calls).toHaveLength(3);
});

test("an attempt that hangs is given up after its time, and tried again", async () => {
  const { flaky: tools, calls, clock } = flaky(1, () => new Promise(() => {}));
  const step = { name: "flaky", retry: { attempts: 2, backoffMs: 0 }, timeoutMs: 50 };
  const { execution } = execute([step], { tools: [tools], clock });
  await clock.advance(50);
  expect((await execution).trace.steps[0]).toMatchObject({ status: "ok", attempts: 2, durationMs: 50 });
  expect(calls).toEqual([0, 50]);
});

test("a store that did not answer is asked again", async () => {
  const { flaky: tools, clock } = flaky(1, () => Promise.reject(new StorageUnavailable("no answer")));
  const { execution } = execute([{ name: "flaky", retry: { attempts: 2, backoffMs: 0 } }], { tools: [tools], clock });
  await clock.advance(0);
  expect((await execution).result.ok).toBe(true);
});

test.each([
  ["a failure that stays", () => fail("no such host")],
  ["a refusal", () => refuse({ code: "NOT_FOUND", detail: "nothing found" })],
  [
    "a bug",
    () => {
      throw new TypeError("x is undefined");
    },
  ],
])("%s is not tried again", async (_what, how) => {
  const { flaky: tools, calls } = flaky(9, how);
  const { trace } = await execute([{ name: "flaky", retry: RETRY }], { tools: [tools] }).execution;
  expect(calls).toHaveLength(1);
  expect(trace.steps[0]).toMatchObject({ attempts: 1 });
});

test("pauses end with the run's time", async () => {
  const { flaky: tools, calls, clock } = flaky(9, () => failForNow("busy"));
  const step = { name: "flaky", retry: { attempts: 5, backoffMs: 5_000 } };
  const { execution } = execute([step], { tools: [tools], clock, policy: { maxDurationMs: 7_000 } });
  await clock.advance(7_000);
  const { result, trace } = await execution;
  expect(result).toMatchObject({
    ok: false,
    error: { code: "RUN_TIMEOUT", detail: "step flaky: the run took longer than 7000 ms" },
  });
  expect(calls).toEqual([0, 5_000]);
  expect(trace).toMatchObject({ durationMs: 7_000, steps: [{ attempts: 2, status: "timeout" }] });
});

test("a caller who hangs up ends a pause", async () => {
  const controller = new AbortController();
  const { flaky: tools, calls, clock } = flaky(9, () => failForNow("busy"));
  const { execution } = execute([{ name: "flaky", retry: RETRY }], {
    tools: [tools],
    clock,
    signal: controller.signal,
  });
  await clock.advance(10);
  controller.abort();
  const { trace } = await execution;
  expect(calls).toHaveLength(1);
  expect(trace).toMatchObject({ outcome: "cancelled", durationMs: 10, steps: [{ status: "cancelled", attempts: 1 }] });
});

test("a pause is anything up to what doubles each time, and never more than five seconds", () => {
  const none = (length: number) => new Uint8Array(length);
  const all = (length: number) => new Uint8Array(length).fill(255);
  expect([1, 2, 3].map((failed) => pauseMs(all, 100, failed))).toEqual([100, 200, 400]);
  expect([1, 2, 3].map((failed) => pauseMs(none, 100, failed))).toEqual([0, 0, 0]);
  expect(pauseMs(all, 5_000, 4)).toBe(5_000);
  expect(pauseMs((length) => new Uint8Array(length).fill(127), 100, 1)).toBe(50);
});
