import { expect, test } from "vitest";
import { fresh, type MakeSharedState, MINUTE_MS, ODD_NAMES, PARALLEL, SECOND_MS } from "./harness.ts";

export function describeLeases(makeStore: MakeSharedState): void {
  test("a lease has one holder", async () => {
    const { store } = await makeStore();
    const name = fresh("lease");
    const held = await store.acquireLease(name, MINUTE_MS);
    expect(held).toMatchObject({ name, token: expect.stringMatching(/.{16}/), expiresAtMs: expect.any(Number) });
    expect(await store.acquireLease(name, MINUTE_MS)).toBeNull();
    expect(await store.acquireLease(fresh("lease"), MINUTE_MS)).not.toBeNull();
  });

  test("a released lease is free", async () => {
    const { store } = await makeStore();
    const name = fresh("lease");
    const held = await store.acquireLease(name, MINUTE_MS);
    if (held === null) throw new Error("not acquired");
    expect(await store.releaseLease(held)).toBe(true);
    expect(await store.releaseLease(held)).toBe(false);
    const next = await store.acquireLease(name, MINUTE_MS);
    expect(next?.token).not.toBe(held.token);
  });

  test("a lease that ran out is free, and its holder has lost it", async () => {
    const { store, passTime } = await makeStore();
    const name = fresh("lease");
    const lost = await store.acquireLease(name, SECOND_MS);
    if (lost === null) throw new Error("not acquired");
    await passTime(SECOND_MS + 1);
    expect(await store.renewLease(lost, MINUTE_MS)).toBeNull();
    expect(await store.releaseLease(lost)).toBe(false);
    const next = await store.acquireLease(name, MINUTE_MS);
    expect(next).not.toBeNull();
    expect(await store.renewLease(lost, MINUTE_MS)).toBeNull();
    expect(await store.releaseLease(lost)).toBe(false);
    expect(await store.acquireLease(name, MINUTE_MS)).toBeNull();
  });

  test("a renewed lease lasts from the renewal on", async () => {
    const { store, passTime } = await makeStore();
    const name = fresh("lease");
    const held = await store.acquireLease(name, SECOND_MS);
    if (held === null) throw new Error("not acquired");
    const renewed = await store.renewLease(held, MINUTE_MS);
    expect(renewed).toMatchObject({ name, token: held.token });
    expect(renewed?.expiresAtMs).toBeGreaterThan(held.expiresAtMs);
    await passTime(2 * SECOND_MS);
    expect(await store.acquireLease(name, MINUTE_MS)).toBeNull();
  });

  test("another's token neither renews nor releases", async () => {
    const { store } = await makeStore();
    const name = fresh("lease");
    const held = await store.acquireLease(name, MINUTE_MS);
    if (held === null) throw new Error("not acquired");
    expect(await store.renewLease({ ...held, token: "another" }, MINUTE_MS)).toBeNull();
    expect(await store.releaseLease({ ...held, token: "another" })).toBe(false);
    expect(await store.releaseLease(held)).toBe(true);
  });

  test("of many callers at once, one gets the lease", async () => {
    const { store } = await makeStore();
    const name = fresh("lease");
    const leases = await Promise.all(Array.from({ length: PARALLEL }, () => store.acquireLease(name, MINUTE_MS)));
    expect(leases.filter((lease) => lease !== null)).toHaveLength(1);
  });

  test("leases do not meet, whatever they are called", async () => {
    const { store } = await makeStore();
    const prefix = fresh("lease");
    for (const name of ODD_NAMES) expect(await store.acquireLease(prefix + name, MINUTE_MS)).not.toBeNull();
    for (const name of ODD_NAMES) expect(await store.acquireLease(prefix + name, MINUTE_MS)).toBeNull();
  });
}

export function describeCounters(makeStore: MakeSharedState): void {
  test("a counter adds up", async () => {
    const { store } = await makeStore();
    const name = fresh("counter");
    expect(await store.readCounter(name)).toBe(0);
    expect(await store.increment(name, 1, MINUTE_MS)).toBe(1);
    expect(await store.increment(name, 41, MINUTE_MS)).toBe(42);
    expect(await store.increment(name, -2, MINUTE_MS)).toBe(40);
    expect(await store.readCounter(name)).toBe(40);
    expect(await store.readCounter(fresh("counter"))).toBe(0);
  });

  test("a counter's lifetime runs from its first increment", async () => {
    const { store, passTime } = await makeStore();
    const name = fresh("counter");
    await store.increment(name, 5, 2 * SECOND_MS);
    await passTime(SECOND_MS);
    expect(await store.increment(name, 1, 2 * SECOND_MS)).toBe(6);
    await passTime(SECOND_MS + 1);
    expect(await store.readCounter(name)).toBe(0);
    expect(await store.increment(name, 1, MINUTE_MS)).toBe(1);
  });

  test("increments at once all count", async () => {
    const { store } = await makeStore();
    const name = fresh("counter");
    const values = await Promise.all(Array.from({ length: PARALLEL }, () => store.increment(name, 1, MINUTE_MS)));
    expect(new Set(values).size).toBe(PARALLEL);
    expect(await store.readCounter(name)).toBe(PARALLEL);
  });

  test("counters do not meet, whatever they are called", async () => {
    const { store } = await makeStore();
    const prefix = fresh("counter");
    for (const [n, name] of ODD_NAMES.entries()) await store.increment(prefix + name, n + 1, MINUTE_MS);
    for (const [n, name] of ODD_NAMES.entries()) expect(await store.readCounter(prefix + name)).toBe(n + 1);
  });
}
