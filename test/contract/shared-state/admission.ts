import { expect, test } from "vitest";
import type { Admission, SharedState, Tier } from "../../../src/storage/shared-state/shared-state.ts";
import { fresh, type MakeSharedState, MINUTE_MS, ODD_NAMES, PARALLEL, SECOND_MS } from "./harness.ts";

const TEN_SECONDS: Tier = { name: "ten", limit: 3, windowSeconds: 10 };
const MINUTE: Tier = { name: "minute", limit: 5, windowSeconds: 60 };
const HOUR: Tier = { name: "hour", limit: 100, windowSeconds: 3_600 };

export function describeAdmission(makeStore: MakeSharedState): void {
  test("a bucket starts full and counts down", async () => {
    const { store } = await makeStore();
    const subject = fresh("subject");
    const first = await store.admit(subject, [MINUTE]);
    expect(first).toMatchObject({ admitted: true, violated: [], tiers: [{ ...MINUTE, remaining: 4 }] });
    const second = await store.admit(subject, [MINUTE]);
    expect(second.tiers[0]?.remaining).toBe(3);
    expect(second.tiers[0]?.resetMs).toBeGreaterThan(MINUTE_MS - 5 * SECOND_MS);
    expect(second.tiers[0]?.resetMs).toBeLessThanOrEqual(MINUTE_MS);
  });

  test("an empty bucket refuses until its window has passed, and is then full", async () => {
    const { store, passTime } = await makeStore();
    const subject = fresh("subject");
    const tier = { ...MINUTE, limit: 3 };
    for (let n = 0; n < tier.limit; n++) expect((await store.admit(subject, [tier])).admitted).toBe(true);
    const refused = await store.admit(subject, [tier]);
    expect(refused).toMatchObject({ admitted: false, violated: ["minute"], tiers: [{ remaining: 0 }] });
    expect(refused.tiers[0]?.resetMs).toBeGreaterThan(0);
    expect(refused.tiers[0]?.resetMs).toBeLessThanOrEqual(MINUTE_MS);
    await passTime(MINUTE_MS);
    expect(await store.admit(subject, [tier])).toMatchObject({ admitted: true, tiers: [{ remaining: 2 }] });
  });

  test("tiers come in the order asked, and each that refuses is named", async () => {
    const { store } = await makeStore();
    const subject = fresh("subject");
    const tight = { ...MINUTE, name: "tight", limit: 1 };
    const tighter = { ...HOUR, name: "tighter", limit: 1 };
    await store.admit(subject, [tight, HOUR, tighter]);
    const refused = await store.admit(subject, [tight, HOUR, tighter]);
    expect(refused.violated).toEqual(["tight", "tighter"]);
    expect(refused.tiers.map((tier) => tier.name)).toEqual(["tight", "hour", "tighter"]);
  });

  test("what one tier refuses costs the others nothing", async () => {
    const { store, passTime } = await makeStore();
    const subject = fresh("subject");
    const tiers = [TEN_SECONDS, MINUTE, HOUR];
    for (let n = 0; n < 10; n++) await store.admit(subject, tiers);
    const refused = await store.admit(subject, tiers);
    expect(refused.tiers.map((tier) => tier.remaining)).toEqual([0, 2, 97]);
    await passTime(10 * SECOND_MS);
    const again = await store.admit(subject, tiers);
    expect(again.tiers.map((tier) => tier.remaining)).toEqual([2, 1, 96]);
  });

  test("several tokens are taken together or not at all", async () => {
    const { store } = await makeStore();
    const subject = fresh("subject");
    expect(await store.admit(subject, [MINUTE], 4)).toMatchObject({ admitted: true, tiers: [{ remaining: 1 }] });
    expect(await store.admit(subject, [MINUTE], 2)).toMatchObject({ admitted: false, tiers: [{ remaining: 1 }] });
    expect(await store.admit(subject, [MINUTE], 1)).toMatchObject({ admitted: true, tiers: [{ remaining: 0 }] });
  });

  test("more tokens than the limit are never admitted", async () => {
    const { store } = await makeStore();
    const subject = fresh("subject");
    expect((await store.admit(subject, [MINUTE], MINUTE.limit + 1)).admitted).toBe(false);
    expect((await store.admit(subject, [MINUTE], MINUTE.limit)).admitted).toBe(true);
  });

  test.each([0, -1, 0.5, Number.NaN])("%d tokens are refused as a mistake", async (tokens) => {
    const { store } = await makeStore();
    await expect(store.admit(fresh("subject"), [MINUTE], tokens)).rejects.toThrow(TypeError);
  });

  test("of many callers at once, as many as the limit are admitted", async () => {
    const { store } = await makeStore();
    const subject = fresh("subject");
    const tier = { ...HOUR, limit: 30 };
    const admissions = await Promise.all(Array.from({ length: PARALLEL }, () => store.admit(subject, [tier, HOUR])));
    expect(admissions.filter((admission) => admission.admitted)).toHaveLength(30);
  });

  test("subjects do not share buckets, whatever they are called", async () => {
    const { store } = await makeStore();
    const prefix = fresh("subject");
    const once = { ...MINUTE, limit: 1 };
    for (const name of ODD_NAMES) expect((await store.admit(prefix + name, [once])).admitted).toBe(true);
    for (const name of ODD_NAMES) expect((await store.admit(prefix + name, [once])).admitted).toBe(false);
  });

  test("tiers whose names and limits could run into one another do not share buckets", async () => {
    const { store } = await makeStore();
    const subject = fresh("subject");
    const once = { ...MINUTE, limit: 1 };
    const pairs = [
      [`a:${subject}`, "b"],
      [subject, "b:a"],
      [`:${subject}`, "a"],
      [subject, "a:"],
      [subject, ""],
      [subject, "__proto__"],
    ] as const;
    for (const [of, name] of pairs) expect((await store.admit(of, [{ ...once, name }])).admitted).toBe(true);
    for (const [of, name] of pairs) expect((await store.admit(of, [{ ...once, name }])).admitted).toBe(false);
  });

  test("a limit that was lowered admits no more than the new one, and one that was raised admits at once", async () => {
    const { store } = await makeStore();
    const subject = fresh("subject");
    for (let n = 0; n < MINUTE.limit; n++) await store.admit(subject, [MINUTE]);
    const low = await admitMany(store, subject, { ...MINUTE, limit: 2 }, 6);
    expect(low.filter((admission) => admission.admitted).length).toBeLessThanOrEqual(2);
    const high = await admitMany(store, subject, { ...MINUTE, limit: 8 }, 12);
    expect(high[0]?.admitted).toBe(true);
    expect(high.filter((admission) => admission.admitted).length).toBeLessThanOrEqual(8);
  });

  test("a limit of nothing admits nobody", async () => {
    const { store } = await makeStore();
    const refused = await store.admit(fresh("subject"), [{ ...MINUTE, limit: 0 }]);
    expect(refused).toMatchObject({ admitted: false, violated: ["minute"], tiers: [{ remaining: 0 }] });
  });

  test("tokens that are given back can be taken again", async () => {
    const { store } = await makeStore();
    const subject = fresh("subject");
    await store.admit(subject, [MINUTE, HOUR], 5);
    await store.giveBack(subject, [MINUTE, HOUR], 3);
    const again = await store.admit(subject, [MINUTE, HOUR]);
    expect(again.tiers.map((tier) => tier.remaining)).toEqual([2, 97]);
  });

  test("a bucket never holds more than its limit, whatever is given back", async () => {
    const { store } = await makeStore();
    const subject = fresh("subject");
    await store.giveBack(subject, [MINUTE], 50);
    expect((await store.admit(subject, [MINUTE])).tiers[0]?.remaining).toBe(4);
    await store.giveBack(subject, [MINUTE], 50);
    expect((await store.admit(subject, [MINUTE])).tiers[0]?.remaining).toBe(4);
    const taken = await admitMany(store, subject, MINUTE, 10);
    expect(taken.filter((admission) => admission.admitted)).toHaveLength(4);
  });

  test("tokens of a window that is over do not fill the next one above its limit", async () => {
    const { store, passTime } = await makeStore();
    const subject = fresh("subject");
    await store.admit(subject, [MINUTE], 5);
    await passTime(MINUTE_MS + 1);
    await store.giveBack(subject, [MINUTE], 5);
    const taken = await admitMany(store, subject, MINUTE, 12);
    expect(taken.filter((admission) => admission.admitted)).toHaveLength(MINUTE.limit);
  });
}

async function admitMany(store: SharedState, subject: string, tier: Tier, times: number): Promise<Admission[]> {
  const admissions: Admission[] = [];
  for (let n = 0; n < times; n++) admissions.push(await store.admit(subject, [tier]));
  return admissions;
}
