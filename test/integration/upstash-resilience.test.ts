import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { StorageUnavailable } from "../../src/core/errors.ts";
import { SHARED_STATE_PAUSE_MS, SHARED_STATE_READ_TIMEOUT_MS } from "../../src/storage/shared-state/limits.ts";
import { createResilientSharedState } from "../../src/storage/shared-state/resilient.ts";
import type { SharedState } from "../../src/storage/shared-state/shared-state.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { type Fault, NONSENSE } from "../support/upstash/faults.ts";
import { hasRedis, type LocalUpstash, startUpstash } from "../support/upstash/upstash.ts";
import { createUpstashStore } from "./upstash-stores.ts";

const nothing = () => {};
const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const metrics = { count: nothing, observe: nothing, gauge: nothing };

describe.skipIf(!hasRedis())("shared state while Upstash fails", () => {
  let upstash: LocalUpstash;
  let clock: FakeClock;
  let store: SharedState;

  beforeAll(async () => {
    upstash = await startUpstash();
  });

  afterEach(() => upstash.fault(null));

  afterAll(async () => {
    await upstash?.close();
  });

  test.each<[string, Fault]>([
    ["hangs", { kind: "hang" }],
    ["fails", { kind: "fail" }],
    ["answers a page of HTML", NONSENSE["a page of HTML"] ?? { kind: "fail" }],
    ["cuts connections", { kind: "drop" }],
  ])("that %s, one request finds out, none is made during the pause, one ends it", async (_how, fault) => {
    clock = createFakeClock();
    store = createResilientSharedState(createUpstashStore(upstash), { clock, logger, metrics });
    await store.ping();
    upstash.requests.length = 0;
    upstash.fault(fault);
    const first = store.cacheLookup("k").catch((error: unknown) => error);
    while (upstash.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    if (fault.kind === "hang") await clock.advance(SHARED_STATE_READ_TIMEOUT_MS);
    expect(await first).toBeInstanceOf(StorageUnavailable);
    for (let n = 0; n < 50; n++) await expect(store.consult({ also: ["k"] })).rejects.toThrow(StorageUnavailable);
    expect(upstash.requests).toHaveLength(1);
    upstash.fault(null);
    await clock.advance(SHARED_STATE_PAUSE_MS);
    await Promise.allSettled(Array.from({ length: 50 }, () => store.consult({ also: ["k"] })));
    expect(upstash.requests).toHaveLength(2);
    expect(await store.cacheLookup("k")).toEqual({ value: null, claim: "none" });
  });
});
