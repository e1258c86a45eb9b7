import { expect, test } from "vitest";
import { callWithin } from "../../../../src/runtime/execution/call-within.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";

const VALUE = { a: 1 };

test("a call that gives its value at once costs no timer", () => {
  const clock = {
    now: () => 0,
    after: () => {
      throw new Error("a timer was set");
    },
  };
  expect(callWithin(clock, 10, {}, () => VALUE)).toEqual({ kind: "done", value: VALUE });
});

test("what a call throws, at once or later, is passed on", async () => {
  const clock = createFakeClock();
  const bug = new TypeError("x is undefined");
  expect(() =>
    callWithin(clock, 10, {}, () => {
      throw bug;
    }),
  ).toThrow(bug);
  await expect(callWithin(clock, 10, {}, () => Promise.reject(bug))).rejects.toBe(bug);
});

test("a call that asks for its signal after its time sees that it is over", async () => {
  const clock = createFakeClock();
  let ask: () => AbortSignal = () => AbortSignal.abort();
  const outcome = callWithin(clock, 10, {}, (signal) => {
    ask = signal;
    return new Promise<typeof VALUE>(() => {});
  });
  await clock.advance(10);
  expect(await outcome).toEqual({ kind: "timeout" });
  expect(ask().aborted).toBe(true);
  expect(ask().reason).toMatchObject({ name: "TimeoutError" });
});

test("a call that rejects because it was told to stop is cancelled, not failed", async () => {
  const controller = new AbortController();
  const outcome = callWithin(createFakeClock(), 10, { signal: () => controller.signal }, async (signal) => {
    const own = signal();
    await new Promise((_resolve, reject) => own.addEventListener("abort", () => reject(own.reason)));
    return VALUE;
  });
  controller.abort();
  expect(await outcome).toEqual({ kind: "cancelled" });
});

test("a call that waits although it was cancelled before is over at once", async () => {
  const cancelled = { signal: () => AbortSignal.abort() };
  const outcome = callWithin(createFakeClock(), 10, cancelled, () => new Promise<typeof VALUE>(() => {}));
  expect(await outcome).toEqual({ kind: "cancelled" });
});

test("a call that gives its value at once never asks for the signal that could cancel it", () => {
  const canceller = {
    signal(): AbortSignal {
      throw new Error("the signal was made");
    },
  };
  expect(callWithin(createFakeClock(), 10, canceller, () => VALUE)).toEqual({ kind: "done", value: VALUE });
});

test("after a call has ended its signal stays as it is", async () => {
  const clock = createFakeClock();
  const controller = new AbortController();
  let own: AbortSignal | null = null;
  await callWithin(clock, 10, { signal: () => controller.signal }, async (signal) => {
    own = signal();
    return VALUE;
  });
  controller.abort();
  await clock.advance(20);
  expect(own).toMatchObject({ aborted: false });
});
