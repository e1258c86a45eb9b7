import { expect, test } from "vitest";
import type { Canceller } from "../../../../src/runtime/execution/canceller.ts";
import { Stopper, waitWithin } from "../../../../src/runtime/execution/wait-within.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";

const VALUE = { a: 1 };

/** Makes the call and waits 10 ms for it. */
function wait(clock: ReturnType<typeof createFakeClock>, parent: Canceller, call: (own: Stopper) => Promise<unknown>) {
  const own = new Stopper();
  return waitWithin(clock, 10, parent, call(own), own);
}

test("what a call rejects with is passed on", async () => {
  const bug = new TypeError("x is undefined");
  await expect(wait(createFakeClock(), {}, () => Promise.reject(bug))).rejects.toBe(bug);
});

test("a call that asks for its signal after its time sees that it is over", async () => {
  const clock = createFakeClock();
  const own = new Stopper();
  const outcome = waitWithin(clock, 10, {}, new Promise(() => {}), own);
  await clock.advance(10);
  expect(await outcome).toEqual({ kind: "timeout" });
  expect(own.signal().aborted).toBe(true);
  expect(own.signal().reason).toMatchObject({ name: "TimeoutError" });
});

test("a call that rejects because it was told to stop is cancelled, not failed", async () => {
  const controller = new AbortController();
  const outcome = wait(createFakeClock(), { signal: () => controller.signal }, async (own) => {
    const signal = own.signal();
    await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  });
  controller.abort();
  expect(await outcome).toEqual({ kind: "cancelled" });
});

test("a call that waits although it was cancelled before is over at once", async () => {
  const cancelled = { signal: () => AbortSignal.abort() };
  expect(await wait(createFakeClock(), cancelled, () => new Promise(() => {}))).toEqual({ kind: "cancelled" });
});

test("after a call has ended its signal stays as it is", async () => {
  const clock = createFakeClock();
  const controller = new AbortController();
  const own = new Stopper();
  const signal = own.signal();
  await waitWithin(clock, 10, { signal: () => controller.signal }, Promise.resolve(VALUE), own);
  controller.abort();
  await clock.advance(20);
  expect(signal.aborted).toBe(false);
});
