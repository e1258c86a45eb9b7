import fc from "fast-check";
import { expect, test } from "vitest";
import type { Tier } from "../../../src/storage/shared-state/shared-state.ts";
import { type Answered, createScene, type Isolate, type Journey, type TimedConsulted } from "./admission-scene.ts";

const MS_PER_SECOND = 1_000;
const LOOKUP = { lookup: { key: "k" } };

interface Step {
  readonly afterMs: number;
  readonly isolate: number;
  readonly subject: string;
  readonly requests: number;
  readonly looksUp: boolean;
  readonly crashes: boolean;
}

/** When a request was let in: where the store did so, that moment; else the moment at which memory did. */
function admittedAt(answered: Answered, nowMs: number): number {
  return answered.fromMemory ? nowMs : (answered.consulted as TimedConsulted).atMs;
}

/** How many were let in by window, the windows counted from the bucket's first use on. */
function countByWindow(times: readonly number[], startMs: number, { windowSeconds }: Tier): readonly number[] {
  const counts: number[] = [];
  for (const time of times) {
    const index = Math.floor((time - startMs) / (windowSeconds * MS_PER_SECOND));
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return Array.from(counts, (count) => count ?? 0);
}

/** Runs requests on several isolates before one store, and notes who was let in when. */
function createFleet(tiers: readonly Tier[], size: number) {
  const scene = createScene();
  const isolates = Array.from({ length: size }, () => scene.isolate());
  const times = new Map<string, number[]>();
  let open = 0;

  async function request(isolate: Isolate, subject: string, looksUp: boolean): Promise<void> {
    open++;
    const answered = await isolate.request(subject, tiers, looksUp ? LOOKUP : undefined);
    open--;
    if (!answered.admitted.admitted || answered.admitted.local) return;
    const at = admittedAt(answered, scene.clock.now());
    times.set(subject, [...(times.get(subject) ?? []), at]);
  }

  return {
    ...scene,
    isolates,
    times,
    request,
    open: () => open,
    async take({ afterMs, isolate: index, subject, requests, looksUp, crashes }: Step): Promise<void> {
      await scene.clock.advance(afterMs);
      const isolate = isolates[index] ?? scene.isolate();
      for (let i = 0; i < requests; i++) void request(isolate, subject, looksUp);
      if (!crashes) return;
      isolate.crash();
      isolates[index] = scene.isolate();
    },
  };
}

const tiers = fc
  .tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 150 }), fc.integer({ min: 1, max: 400 }))
  .map(([burst, five, twenty]): readonly Tier[] => [
    { name: "burst", limit: burst, windowSeconds: 1 },
    { name: "five", limit: five, windowSeconds: 5 },
    { name: "twenty", limit: twenty, windowSeconds: 20 },
  ]);

const step: fc.Arbitrary<Step> = fc.record({
  afterMs: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 1_500 })),
  isolate: fc.nat(3),
  subject: fc.constantFrom("key:a", "key:a", "__proto__"),
  requests: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 40 })),
  looksUp: fc.boolean(),
  crashes: fc.integer({ min: 0, max: 19 }).map((n) => n === 0),
});

const journey: fc.Arbitrary<Journey> = fc.record(
  {
    thereMs: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 300 })),
    backMs: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 300 })),
    lost: fc.constantFrom("there", "back"),
  },
  { requiredKeys: ["thereMs", "backMs"] },
);
const smooth = journey.map(({ thereMs, backMs }): Journey => ({ thereMs, backMs }));

test("no tier is ever exceeded, whatever the callers, the network and the isolates do", {
  timeout: 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      tiers,
      fc.array(step, { minLength: 5, maxLength: 80 }),
      fc.array(fc.oneof({ weight: 9, arbitrary: smooth }, { weight: 1, arbitrary: journey }), {
        minLength: 1,
        maxLength: 30,
      }),
      async (limits, steps, journeys) => {
        const fleet = createFleet(limits, 4);
        let trip = 0;
        fleet.store.journey = () => journeys[trip++ % journeys.length] ?? { thereMs: 0, backMs: 0 };
        for (const one of steps) await fleet.take(one);
        await fleet.clock.advance(10_000);
        if (!steps.some(({ crashes }) => crashes)) expect(fleet.open()).toBe(0);
        for (const [subject, times] of fleet.times) {
          const startMs = fleet.store.firstAtMs.get(subject) ?? Number.NaN;
          for (const tier of limits) {
            expect(Math.max(...countByWindow(times, startMs, tier))).toBeLessThanOrEqual(tier.limit);
          }
        }
        expect(fleet.isolates.flatMap(({ logs }) => logs.filter((line) => line.startsWith("deferred")))).toEqual([]);
      },
    ),
    { numRuns: RUNS },
  );
});

/** About two seconds; faults put in by hand are found within this many. */
const RUNS = 200;

test("callers that hammer several isolates get nearly all of every tier, and never more", async () => {
  const limits: readonly Tier[] = [
    { name: "burst", limit: 50, windowSeconds: 1 },
    { name: "ten", limit: 400, windowSeconds: 10 },
  ];
  const fleet = createFleet(limits, 3);
  fleet.store.journey = () => ({ thereMs: 3, backMs: 4 });
  for (let ms = 0; ms < 30_000; ms += 5) {
    const current = fleet.isolates[(ms / 5) % 3];
    if (current !== undefined) void fleet.request(current, "key:a", ms % 15 === 0);
    await fleet.clock.advance(5);
  }
  await fleet.clock.advance(1_000);
  const times = fleet.times.get("key:a") ?? [];
  const startMs = fleet.store.firstAtMs.get("key:a") ?? Number.NaN;
  const tens = countByWindow(times, startMs, { name: "", limit: 0, windowSeconds: 10 }).slice(0, 2);
  const bursts = countByWindow(times, startMs, { name: "", limit: 0, windowSeconds: 1 }).slice(0, 7);
  for (const count of tens) expect(count).toSatisfy((n: number) => n >= 360 && n <= 400);
  for (const count of bursts) expect(count).toSatisfy((n: number) => n >= 45 && n <= 50);
});
