import { expect, test } from "vitest";
import type { Claim, Tier } from "../../../src/storage/shared-state/shared-state.ts";
import { fresh, type MakeSharedState, MINUTE_MS, PARALLEL } from "./harness.ts";

const MINUTE: Tier = { name: "minute", limit: 5, windowSeconds: 60 };
const HOUR: Tier = { name: "hour", limit: 100, windowSeconds: 3_600 };
const FRESH = { freshMs: MINUTE_MS, keepMs: MINUTE_MS };

function newClaim(): Claim {
  return { token: crypto.randomUUID(), ttlMs: MINUTE_MS };
}

export function describeConsult(makeStore: MakeSharedState): void {
  test("a consultation answers all its parts", async () => {
    const { store } = await makeStore();
    const [subject, key, other] = [fresh("subject"), fresh("key"), fresh("key")];
    await store.cacheStore(key, "text", FRESH);
    await store.cacheStore(other, "beside", FRESH);
    const consulted = await store.consult({
      admit: { subject, tiers: [MINUTE, HOUR], tokens: 2 },
      lookup: { key, claim: newClaim() },
      also: [other, fresh("key"), key],
    });
    expect(consulted).toMatchObject({
      admission: { admitted: true, violated: [], tiers: [{ remaining: 3 }, { remaining: 98 }] },
      lookup: { value: "text", claim: "none" },
      also: ["beside", null, "text"],
    });
  });

  test("what was not asked for is null", async () => {
    const { store } = await makeStore();
    const [subject, key] = [fresh("subject"), fresh("key")];
    expect(await store.consult({})).toEqual({ admission: null, lookup: null, also: [] });
    expect(await store.consult({ lookup: { key } })).toEqual({
      admission: null,
      lookup: { value: null, claim: "none" },
      also: [],
    });
    expect(await store.consult({ also: [key] })).toEqual({ admission: null, lookup: null, also: [null] });
    const admitted = await store.consult({ admit: { subject, tiers: [MINUTE], tokens: 1 } });
    expect(admitted).toMatchObject({ admission: { admitted: true }, lookup: null, also: [] });
    const open = await store.consult({ admit: { subject, tiers: [], tokens: 1 } });
    expect(open.admission).toEqual({ admitted: true, tiers: [], violated: [] });
  });

  test("many keys beside come in the order asked", async () => {
    const { store } = await makeStore();
    const keys = Array.from({ length: PARALLEL }, (_, n) => fresh(`key-${n}`));
    await Promise.all(keys.map((key, n) => (n % 2 === 0 ? store.cacheStore(key, `${n}`, FRESH) : undefined)));
    const { also } = await store.consult({ also: keys });
    expect(also).toEqual(keys.map((_, n) => (n % 2 === 0 ? `${n}` : null)));
  });

  test("whoever is refused holds no claim, and takes none from its holder", async () => {
    const { store } = await makeStore();
    const [subject, key, held] = [fresh("subject"), fresh("key"), fresh("key")];
    const none = { subject, tiers: [{ ...MINUTE, limit: 0 }, HOUR], tokens: 1 };
    const refused = await store.consult({ admit: none, lookup: { key, claim: newClaim() } });
    expect(refused).toMatchObject({
      admission: { admitted: false, violated: ["minute"], tiers: [{ remaining: 0 }, { remaining: 100 }] },
      lookup: { value: null, claim: "none" },
    });
    expect((await store.cacheLookup(key, newClaim())).claim).toBe("held");
    await store.cacheLookup(held, newClaim());
    await store.consult({ admit: none, lookup: { key: held, claim: newClaim() } });
    expect((await store.cacheLookup(held, newClaim())).claim).toBe("busy");
  });

  test("of many who are admitted at once, one holds the claim and all have paid", async () => {
    const { store } = await makeStore();
    const [subject, key] = [fresh("subject"), fresh("key")];
    const consulted = await Promise.all(
      Array.from({ length: PARALLEL }, () =>
        store.consult({
          admit: { subject, tiers: [HOUR, { ...HOUR, name: "wide", limit: 1_000 }], tokens: 2 },
          lookup: { key, claim: newClaim() },
        }),
      ),
    );
    const admitted = consulted.filter(({ admission }) => admission?.admitted);
    expect(admitted).toHaveLength(50);
    expect(consulted.filter(({ lookup }) => lookup?.claim === "held").length).toBeLessThanOrEqual(1);
    expect(await store.admit(subject, [HOUR])).toMatchObject({ admitted: false, tiers: [{ remaining: 0 }] });
  });

  test.each([0, -1, 0.5, Number.NaN])("a consultation for %d tokens is refused as a mistake", async (tokens) => {
    const { store } = await makeStore();
    const consultation = { admit: { subject: fresh("subject"), tiers: [MINUTE], tokens } };
    await expect(store.consult(consultation)).rejects.toThrow(TypeError);
  });
}
