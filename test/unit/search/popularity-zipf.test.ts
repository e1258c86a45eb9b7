import fc from "fast-check";
import { expect, test } from "vitest";
import { systemRandom } from "../../../src/core/ids.ts";
import { canonicalQuestion } from "../../../src/search/cache/cache-key.ts";
import { searchRequest } from "../../../src/search/contract.ts";
import { createPopularity } from "../../../src/search/warming/popularity.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createPopularStore } from "../../support/popular-store.ts";

const QUESTIONS = 1_000;
const CALLERS = 50;
const ASKS = 10_000;
const ISOLATES = 4;
const TOP = 20;
const ASK_EVERY_MS = 800;

/** mulberry32: the same numbers for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Of what is drawn, rank n comes 1/n as often as rank 1. */
function createZipf(random: () => number): () => number {
  const weights = Array.from({ length: QUESTIONS }, (_, rank) => 1 / (rank + 1));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return () => {
    let left = random() * total;
    const rank = weights.findIndex((weight) => {
      left -= weight;
      return left <= 0;
    });
    return rank < 0 ? QUESTIONS - 1 : rank;
  };
}

async function overlapOfTop(seed: number): Promise<number> {
  const random = randomFrom(seed);
  const draw = createZipf(random);
  const clock = createFakeClock();
  const store = createPopularStore(clock);
  // Of what isolates send, one in ten gets lost, or its answer does.
  const add = store.add;
  store.add = async (batch) => {
    const luck = random();
    store.mode = luck < 0.05 ? "down" : luck < 0.1 ? "mute" : "up";
    await add(batch);
  };
  let now = clock.now();
  const deferred: Promise<unknown>[] = [];
  const isolates = Array.from({ length: ISOLATES }, () =>
    createPopularity({
      store,
      clock: { now: () => now, after: clock.after },
      random: systemRandom,
      defer: (_what, work) => void deferred.push(work.catch(() => {})),
      enabled: true,
    }),
  );
  const requests = Array.from({ length: QUESTIONS }, (_, n) => searchRequest.parse({ query: `question ${n}` }));
  const questions = requests.map((request) => canonicalQuestion(request, []));
  const truth = new Map<string, number>();
  for (let i = 0; i < ASKS; i++) {
    now += ASK_EVERY_MS;
    const rank = draw();
    const isolate = isolates[Math.floor(random() * ISOLATES)];
    const [request, question] = [requests[rank], questions[rank]];
    if (request === undefined || question === undefined) throw new Error("drawn beyond the list");
    isolate?.note(question, request, `caller ${Math.floor(random() * CALLERS)}`);
    truth.set(request.query, (truth.get(request.query) ?? 0) + 1);
    await Promise.all(deferred.splice(0));
  }
  store.mode = "up";
  const top = new Set((await store.top(TOP)).map(({ request }) => request.query));
  const trueTop = [...truth].sort((a, b) => b[1] - a[1]).slice(0, TOP);
  return trueTop.filter(([query]) => top.has(query)).length / TOP;
}

test("the list of a Zipf-like stream through several isolates is nearly the true one", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      expect(await overlapOfTop(seed)).toBeGreaterThanOrEqual(0.8);
    }),
    { numRuns: 3 },
  );
}, 60_000);
