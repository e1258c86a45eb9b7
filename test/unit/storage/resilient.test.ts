import { expect, test } from "vitest";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import type { Logger } from "../../../src/core/logger.ts";
import type { Metrics } from "../../../src/core/metrics.ts";
import {
  SHARED_STATE_OPERATOR_TIMEOUT_MS,
  SHARED_STATE_PAUSE_MS,
  SHARED_STATE_READ_TIMEOUT_MS,
  SHARED_STATE_WRITE_TIMEOUT_MS,
} from "../../../src/storage/shared-state/limits.ts";
import { createResilientSharedState } from "../../../src/storage/shared-state/resilient.ts";
import type { SharedState } from "../../../src/storage/shared-state/shared-state.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createMemorySharedState } from "../../support/memory-shared-state.ts";

/** Later than a read is waited for, sooner than a write. */
const LATE_MS = SHARED_STATE_WRITE_TIMEOUT_MS / 2;
const WRITE = { freshMs: 1_000, keepMs: 1_000 };

/** The store in memory behind the decorator, every call of it counted, failing as `how` says. */
function setUp() {
  const clock = createFakeClock();
  const calls: string[] = [];
  const told: string[] = [];
  let how: "up" | "down" | "hung" | "late" | "buggy" = "up";
  const inner = new Proxy(createMemorySharedState(clock), {
    get:
      (store, name: keyof SharedState) =>
      async (...args: unknown[]) => {
        calls.push(name);
        if (how === "down") throw new StorageUnavailable("down");
        if (how === "hung") await new Promise(() => {});
        if (how === "late") await new Promise<void>((resolve) => void clock.after(LATE_MS, resolve));
        if (how === "buggy") throw new RangeError("a bug");
        return (store[name] as (...args: unknown[]) => unknown)(...args);
      },
  });
  const log = (event: string) => void told.push(event);
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  const metrics: Metrics = {
    count: (name, labels) => void told.push(`${name} ${labels?.reason}`),
    gauge: (name, value) => void told.push(`${name} ${value}`),
    observe: () => {},
  };
  const store = createResilientSharedState(inner, { clock, logger, metrics });
  return {
    store,
    clock,
    calls,
    told,
    be(next: typeof how) {
      how = next;
    },
  };
}

/** What became of a call: `pending` where nothing has. */
function watch(call: Promise<unknown>): { readonly outcome: () => string } {
  let outcome = "pending";
  call.then(
    () => {
      outcome = "done";
    },
    (error: unknown) => {
      outcome = error instanceof Error ? error.name : "thrown";
    },
  );
  return { outcome: () => outcome };
}

const READS: readonly [string, (store: SharedState) => Promise<unknown>][] = [
  ["consult", (store) => store.consult({ lookup: { key: "k" } })],
  ["admit", (store) => store.admit("s", [])],
  ["cacheLookup", (store) => store.cacheLookup("k")],
  ["acquireLease", (store) => store.acquireLease("n", 1)],
  ["renewLease", (store) => store.renewLease({ name: "n", token: "t", expiresAtMs: 0 }, 1)],
  ["releaseLease", (store) => store.releaseLease({ name: "n", token: "t", expiresAtMs: 0 })],
  ["increment", (store) => store.increment("n", 1, 1)],
  ["readCounter", (store) => store.readCounter("n")],
  ["ping", (store) => store.ping()],
];

const WRITES: readonly [string, (store: SharedState) => Promise<unknown>][] = [
  ["cacheStore", (store) => store.cacheStore("k", "v", WRITE)],
  ["cacheRelease", (store) => store.cacheRelease("k", "t")],
  ["cacheDelete", (store) => store.cacheDelete("k")],
  ["giveBack", (store) => store.giveBack("s", [], 1)],
];

test.each([
  ...READS.map(([name, call]) => [name, call, SHARED_STATE_READ_TIMEOUT_MS] as const),
  ...WRITES.map(([name, call]) => [name, call, SHARED_STATE_WRITE_TIMEOUT_MS] as const),
  ["cacheClear", (store: SharedState) => store.cacheClear(), SHARED_STATE_OPERATOR_TIMEOUT_MS] as const,
])("%s is given its time and no more, and passes through when all is well", async (name, call, ms) => {
  const { store, clock, calls, be } = setUp();
  await call(store);
  expect(calls).toEqual([name]);
  be("hung");
  const { outcome } = watch(call(store));
  await clock.advance(ms - 1);
  expect(outcome()).toBe("pending");
  await clock.advance(1);
  expect(outcome()).toBe("StorageUnavailable");
});

test("after a failure all calls fail at once, for a while, without asking the store", async () => {
  const { store, clock, calls, be } = setUp();
  be("down");
  await expect(store.cacheLookup("k")).rejects.toThrow(StorageUnavailable);
  be("up");
  calls.length = 0;
  for (const [name, call] of [...READS, ...WRITES]) {
    if (name !== "ping") await expect(call(store)).rejects.toThrow(StorageUnavailable);
  }
  expect(calls).toEqual([]);
  await clock.advance(SHARED_STATE_PAUSE_MS - 1);
  await expect(store.cacheLookup("k")).rejects.toThrow(StorageUnavailable);
  expect(calls).toEqual([]);
});

test("then exactly one call tries again, and the others go on when it has succeeded", async () => {
  const { store, clock, calls, be } = setUp();
  be("down");
  await expect(store.cacheLookup("k")).rejects.toThrow("down");
  await clock.advance(SHARED_STATE_PAUSE_MS);
  be("up");
  calls.length = 0;
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => store.cacheLookup("k")));
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(calls).toHaveLength(1);
  await store.cacheLookup("k");
});

test("where the trial fails too, the pause begins anew", async () => {
  const { store, clock, calls, be } = setUp();
  be("down");
  await expect(store.cacheLookup("k")).rejects.toThrow("down");
  await clock.advance(SHARED_STATE_PAUSE_MS);
  await expect(store.cacheLookup("k")).rejects.toThrow("down");
  await clock.advance(SHARED_STATE_PAUSE_MS - 1);
  await expect(store.cacheLookup("k")).rejects.toThrow("left alone");
  await clock.advance(1);
  await expect(store.cacheLookup("k")).rejects.toThrow("down");
  expect(calls).toHaveLength(3);
});

test("a trial whose request is broken off blocks nobody for longer than it may take", async () => {
  const { store, clock, be } = setUp();
  be("down");
  await expect(store.cacheLookup("k")).rejects.toThrow("down");
  await clock.advance(SHARED_STATE_PAUSE_MS);
  be("buggy");
  await expect(store.cacheLookup("k")).rejects.toThrow(RangeError);
  be("up");
  await expect(store.cacheLookup("k")).rejects.toThrow("left alone");
  await clock.advance(SHARED_STATE_READ_TIMEOUT_MS);
  await store.cacheLookup("k");
});

test.each(["late", "hung"] as const)(
  "what was asked before the failure and comes %s says nothing of now",
  async (how) => {
    const { store, clock, be } = setUp();
    be(how);
    const slow = watch(store.cacheStore("k", "v", WRITE));
    const failed = watch(store.cacheLookup("k"));
    await clock.advance(SHARED_STATE_READ_TIMEOUT_MS);
    expect([slow.outcome(), failed.outcome()]).toEqual(["pending", "StorageUnavailable"]);
    await clock.advance(SHARED_STATE_PAUSE_MS - 1);
    expect(slow.outcome()).toBe(how === "late" ? "done" : "StorageUnavailable");
    be("up");
    await expect(store.cacheLookup("k")).rejects.toThrow("left alone");
    await clock.advance(1);
    await store.cacheLookup("k");
  },
);

test("failure and recovery are told once each, and every failure is counted", async () => {
  const { store, clock, told, be } = setUp();
  await store.readCounter("n");
  await store.readCounter("n");
  expect(told.splice(0)).toEqual(["orchestrix_shared_state_up 1"]);
  be("hung");
  for (let n = 0; n < 3; n++) watch(store.cacheLookup("k"));
  await clock.advance(SHARED_STATE_READ_TIMEOUT_MS);
  expect(told.splice(0)).toEqual([
    "orchestrix_shared_state_failures_total timeout",
    "orchestrix_shared_state_up 0",
    "shared_state_unavailable",
    "orchestrix_shared_state_failures_total timeout",
    "orchestrix_shared_state_failures_total timeout",
  ]);
  be("down");
  await clock.advance(SHARED_STATE_PAUSE_MS);
  await expect(store.cacheLookup("k")).rejects.toThrow("down");
  await expect(store.cacheLookup("k")).rejects.toThrow("left alone");
  expect(told.splice(0)).toEqual(["orchestrix_shared_state_failures_total unavailable"]);
  be("up");
  await clock.advance(SHARED_STATE_PAUSE_MS);
  await store.cacheLookup("k");
  await store.cacheLookup("k");
  expect(told.splice(0)).toEqual(["shared_state_available", "orchestrix_shared_state_up 1"]);
});

test("ping and clearing ask the store itself, whatever befell others, and change nothing for them", async () => {
  const { store, calls, be } = setUp();
  be("down");
  await expect(store.cacheLookup("k")).rejects.toThrow("down");
  be("up");
  calls.length = 0;
  await store.ping();
  await store.cacheClear();
  expect(calls).toEqual(["ping", "cacheClear"]);
  await expect(store.cacheLookup("k")).rejects.toThrow("left alone");
  const other = setUp();
  other.be("down");
  await expect(other.store.ping()).rejects.toThrow(StorageUnavailable);
  other.be("up");
  await other.store.cacheLookup("k");
  expect(other.told).toEqual(["orchestrix_shared_state_up 1"]);
});

test("a bug passes through and stops nobody", async () => {
  const { store, told, be } = setUp();
  be("buggy");
  await expect(store.cacheLookup("k")).rejects.toThrow(RangeError);
  be("up");
  await store.cacheLookup("k");
  await expect(store.admit("s", [], 0)).rejects.toThrow(TypeError);
  await store.cacheLookup("k");
  expect(told).toEqual(["orchestrix_shared_state_up 1"]);
});
