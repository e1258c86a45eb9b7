import { expect, test } from "vitest";
import { type Runner, race } from "../../../src/search/chain/hedge.ts";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.ts";

/** Ends with `value` after `ms`, or with null when it is stopped. */
function runner(clock: FakeClock, ms: number, value: string | null, stopped: string[] = []): Runner<string> {
  return (signal) =>
    new Promise((resolve) => {
      let ended = false;
      clock.after(ms, () => {
        ended = true;
        resolve(value);
      });
      signal.addEventListener("abort", () => {
        if (ended) return;
        stopped.push(value ?? "none");
        resolve(null);
      });
    });
}

type Entrant = readonly [ms: number, value: string | null];

async function start(first: Entrant, rival: Entrant | null, abortAtMs?: number) {
  const clock = createFakeClock();
  const startedAt = clock.now();
  const stopped: string[] = [];
  const parent = new AbortController();
  let rivals = 0;
  if (abortAtMs !== undefined) clock.after(abortAtMs, () => parent.abort());
  const pending = race({
    clock,
    hedgeMs: 100,
    parent: parent.signal,
    first: runner(clock, ...first, stopped),
    startRival() {
      if (rival === null) return null;
      rivals++;
      return runner(clock, ...rival, stopped);
    },
  }).then((winner) => ({ winner, tookMs: clock.now() - startedAt, stopped, rivals: () => rivals }));
  await clock.advance(10_000);
  const ended = await pending;
  return { ...ended, rivals: ended.rivals() };
}

test("who answers in time has no rival", async () => {
  expect(await start([99, "a"], [1, "b"])).toEqual({ winner: "a", tookMs: 99, stopped: [], rivals: 0 });
  expect(await start([99, null], [1, "b"])).toEqual({ winner: null, tookMs: 99, stopped: [], rivals: 0 });
});

test("who does not is overtaken, and stopped", async () => {
  expect(await start([1_000, "a"], [50, "b"])).toEqual({ winner: "b", tookMs: 150, stopped: ["a"], rivals: 1 });
});

test("the first may still win, and the rival is stopped", async () => {
  expect(await start([120, "a"], [500, "b"])).toEqual({ winner: "a", tookMs: 120, stopped: ["b"], rivals: 1 });
});

test("a rival that finds nothing leaves the first to go on, and the other way round", async () => {
  expect(await start([1_000, "a"], [50, null])).toMatchObject({ winner: "a", tookMs: 1_000, stopped: [] });
  expect(await start([120, null], [500, "b"])).toMatchObject({ winner: "b", tookMs: 600, stopped: [] });
});

test("neither finds anything", async () => {
  expect(await start([200, null], [300, null])).toMatchObject({ winner: null, tookMs: 400 });
});

test("where there is no rival the first goes on alone", async () => {
  expect(await start([1_000, "a"], null)).toMatchObject({ winner: "a", tookMs: 1_000 });
});

test("a caller that hangs up stops both, and starts none", async () => {
  expect(await start([1_000, "a"], [1_000, "b"], 500)).toMatchObject({ winner: null, stopped: ["a", "b"], rivals: 1 });
  expect(await start([1_000, "a"], [1_000, "b"], 50)).toMatchObject({ winner: null, stopped: ["a"], rivals: 0 });
});
