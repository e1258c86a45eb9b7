import { expect, test } from "vitest";
import { runWithin, Stopper, waitAtMost, waitWithin } from "../../../src/core/deadline.ts";
import { createFakeClock } from "../../support/fake-clock.ts";

const never = () => new Promise<never>(() => {});

test("work that ends in time gives its value", async () => {
  expect(await runWithin(createFakeClock(), 100, undefined, async () => 7)).toEqual({ kind: "done", value: 7 });
});

test("work that ignores its signal is given up at the deadline, and told so", async () => {
  const clock = createFakeClock();
  let signal: AbortSignal | undefined;
  const outcome = runWithin(clock, 100, undefined, (s) => {
    signal = s;
    return never();
  });
  await clock.advance(99);
  expect(signal?.aborted).toBe(false);
  await clock.advance(1);
  expect(await outcome).toEqual({ kind: "timeout" });
  expect(signal?.aborted).toBe(true);
});

test("work that rejects because it was aborted counts as timed out, not as failed", async () => {
  const clock = createFakeClock();
  const outcome = runWithin(
    clock,
    100,
    undefined,
    (signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  );
  await clock.advance(100);
  expect(await outcome).toEqual({ kind: "timeout" });
});

test("a caller that hangs up cancels the work", async () => {
  const caller = new AbortController();
  const outcome = runWithin(createFakeClock(), 100, caller.signal, never);
  caller.abort();
  expect(await outcome).toEqual({ kind: "cancelled" });
});

test("a caller that is gone already, or no time left, starts nothing", async () => {
  let started = 0;
  const work = async () => ++started;
  expect(await runWithin(createFakeClock(), 100, AbortSignal.abort(), work)).toEqual({ kind: "cancelled" });
  expect(await runWithin(createFakeClock(), 0, undefined, work)).toEqual({ kind: "timeout" });
  expect(started).toBe(0);
});

test("a failure in time is passed on", async () => {
  const failing = runWithin(createFakeClock(), 100, undefined, () => Promise.reject(new Error("broken")));
  await expect(failing).rejects.toThrow("broken");
});

test("work that asks for its signal after its time sees that it is over", async () => {
  const clock = createFakeClock();
  const stopper = new Stopper();
  const outcome = waitWithin(clock, 10, undefined, never(), stopper);
  await clock.advance(10);
  expect(await outcome).toEqual({ kind: "timeout" });
  expect(stopper.signal().aborted).toBe(true);
  expect(stopper.signal().reason).toMatchObject({ name: "TimeoutError" });
});

test("waiting for work whose caller is gone already is over at once", async () => {
  const outcome = waitWithin(createFakeClock(), 10, AbortSignal.abort(), never(), new Stopper());
  expect(await outcome).toEqual({ kind: "cancelled" });
});

test("after work has ended its signal stays as it is", async () => {
  const clock = createFakeClock();
  const caller = new AbortController();
  const stopper = new Stopper();
  const signal = stopper.signal();
  await waitWithin(clock, 10, caller.signal, Promise.resolve(7), stopper);
  caller.abort();
  await clock.advance(20);
  expect(signal.aborted).toBe(false);
});

test("waiting ends with the work's value or its failure", async () => {
  expect(await waitAtMost(createFakeClock(), 100, Promise.resolve(7))).toEqual({ value: 7 });
  await expect(waitAtMost(createFakeClock(), 100, Promise.reject(new Error("broken")))).rejects.toThrow("broken");
});

test.each([0, 100])("waiting ends after %i ms, and a failure that comes later is nobody's", async (ms) => {
  const clock = createFakeClock();
  const work = Promise.withResolvers<never>();
  const outcome = waitAtMost(clock, ms, work.promise);
  await clock.advance(ms);
  expect(await outcome).toBeNull();
  work.reject(new Error("too late"));
  await clock.advance(0);
});
