import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { ProviderOutcome, SearchProvider } from "../../../src/search/providers/provider.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createScene, empty, failing, found, irrelevant } from "./orchestrator-scene.ts";

const OUTCOMES: Readonly<Record<string, ProviderOutcome>> = {
  good: found("https://a.example/"),
  empty,
  irrelevant,
  error: failing("server_error", 500),
  refused: failing("server_error"),
  limited: failing("rate_limited", 429, 12_000),
  quota: failing("quota", 432),
  unauthorized: failing("unauthorized", 401),
  garbage: failing("bad_response", 200),
  request: failing("bad_response", 400),
};

const answers = fc.array(
  fc.record({
    kind: fc.constantFrom(...Object.keys(OUTCOMES), "bug"),
    latencyMs: fc.oneof(fc.constant(0), fc.nat(400), fc.nat(10_000)),
  }),
  { minLength: 1, maxLength: 2 },
);

const chain = fc.array(
  fc.record({
    answers,
    configured: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
    degraded: fc.boolean(),
    breaker: fc.oneof(
      { weight: 4, arbitrary: fc.constant("closed" as const) },
      fc.constantFrom("open" as const, "half_open" as const),
    ),
    heedsSignal: fc.boolean(),
  }),
  { minLength: 1, maxLength: 6 },
);

const scenario = fc.record({
  chain,
  deadlineMs: fc.oneof(fc.constant(8_000), fc.integer({ min: 100, max: 12_000 })),
  attemptTimeoutMs: fc.oneof(fc.constant(3_000), fc.integer({ min: 50, max: 5_000 })),
  hedgeMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2_000 })),
  chance: fc.integer({ min: 0, max: 255 }),
});

type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

async function play({ chain: entries, deadlineMs, ...options }: Scenario) {
  const clock = createFakeClock();
  const scene = createScene({ clock, ...options });
  const begun: string[] = [];
  let inFlight = 0;
  let mostInFlight = 0;
  const providers = entries.map((entry, place): SearchProvider => {
    const name = `p${place}`;
    let asked = 0;
    const { configured, degraded } = entry;
    return {
      name,
      configured,
      degraded,
      personal: false,
      search(_request, { signal }) {
        const { kind, latencyMs } = entry.answers[asked++] ?? entry.answers[0] ?? { kind: "bug", latencyMs: 0 };
        begun.push(name);
        mostInFlight = Math.max(mostInFlight, ++inFlight);
        return new Promise((resolve, reject) => {
          let over = false;
          const end = () => {
            if (!over) inFlight--;
            over = true;
          };
          signal.addEventListener("abort", () => {
            end();
            if (entry.heedsSignal) reject(signal.reason);
          });
          clock.after(latencyMs, () => {
            end();
            const outcome = OUTCOMES[kind];
            if (outcome === undefined) reject(new TypeError("a bug"));
            else resolve(outcome);
          });
        });
      },
    };
  });
  for (const [place, { breaker }] of entries.entries()) {
    if (breaker !== "closed")
      scene.breakers.noteFailure(`p${place}`, "rate_limited", breaker === "open" ? 60_000 : 1_000);
  }
  await clock.advance(2_000);
  const outcome = await scene.runOut(providers, { deadlineMs });
  return { outcome, providers, begun, mostInFlight, stillInFlight: () => inFlight };
}

test("whatever the providers do: the deadline holds, and everything is told in the order in which it began", async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      const { outcome, providers, begun, mostInFlight, stillInFlight } = await play(given);
      const { found: answer, attempts, tookMs } = outcome;
      expect(tookMs).toBeGreaterThanOrEqual(0);
      expect(tookMs).toBeLessThanOrEqual(given.deadlineMs);
      expect(mostInFlight).toBeLessThanOrEqual(given.hedgeMs === 0 ? 1 : 2);
      expect(stillInFlight()).toBe(0);
      expect(attempts.filter(({ outcome: kind }) => kind !== "skipped").map(({ provider }) => provider)).toEqual(begun);
      for (const { name } of providers) {
        expect(attempts.filter(({ provider }) => provider === name).length).toBeLessThanOrEqual(2);
      }
      const firstMentions = [...new Set(attempts.map(({ provider }) => provider))];
      expect(firstMentions).toEqual(providers.slice(0, firstMentions.length).map(({ name }) => name));
      if (answer === null || answer.results.length === 0) expect(firstMentions).toHaveLength(providers.length);
      else expect(attempts).toContainEqual(expect.objectContaining({ provider: answer.provider, outcome: "ok" }));
    }),
    { numRuns: 300 },
  );
}, 60_000);

test("where one provider would answer at once, there is an answer, however slow or broken those before it are", async () => {
  const good = { kind: "good", latencyMs: 0 };
  const withOneGood = fc.tuple(scenario, fc.nat(5)).map(([given, place]) => {
    const at = Math.min(place, given.chain.length - 1);
    const entries = given.chain.map((entry, i) =>
      i === at ? { ...entry, answers: [good], configured: true, breaker: "closed" as const } : entry,
    );
    return { ...given, chain: entries };
  });
  await fc.assert(
    fc.asyncProperty(withOneGood, async (given) => {
      const { outcome } = await play(given);
      expect(outcome.found?.results.length).toBeGreaterThan(0);
    }),
    { numRuns: 200 },
  );
}, 60_000);
