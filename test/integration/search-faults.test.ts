import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { SHARED_STATE_PAUSE_MS, SHARED_STATE_READ_TIMEOUT_MS } from "../../src/storage/shared-state/limits.ts";
import type { Tier } from "../../src/storage/shared-state/shared-state.ts";
import { type Brief, briefOf } from "../support/providers/fault-scene.ts";
import type { HttpReply } from "../support/providers/http.ts";
import { startJina } from "../support/providers/jina.ts";
import { refusedUrl, type StandIn } from "../support/providers/stand-in.ts";
import { startTavily } from "../support/providers/tavily.ts";
import { type Fault, NONSENSE } from "../support/upstash/faults.ts";
import { hasRedis, type LocalUpstash, startUpstash } from "../support/upstash/upstash.ts";
import { createIsolate, createShiftedClock, type Isolate, type ShiftedClock } from "./search-isolate.ts";

const SLOW_MS = 1_000;
/** What a busy machine may add. */
const MARGIN_MS = 1_000;
/** Reading and parsing megabytes keeps it busier. */
const HEAVY_MARGIN_MS = 4_000;
/** Longer than what an isolate knows of breakers and purges holds: it is asked for along with the question. */
const NEWS_MS = 11_000;
const ENV = { PROVIDER_TIMEOUT_MS: "5000", SEARCH_DEADLINE_MS: "20000" };
const FOLLOWER_ENV = { PROVIDER_TIMEOUT_MS: "500", SEARCH_DEADLINE_MS: "1500" };

/** How the store fails; null: nobody listens there. */
const FAULTS: readonly (readonly [how: string, fault: Fault | null])[] = [
  ["is not there", null],
  ["answers 500", { kind: "fail" }],
  ["answers 429", { kind: "fail", status: 429 }],
  ["answers 401", { kind: "fail", status: 401 }],
  ["cuts connections", { kind: "drop" }],
  [`is ${SLOW_MS} ms slow`, { kind: "slow", ms: SLOW_MS }],
  ["hangs", { kind: "hang" }],
  ...Object.entries(NONSENSE).map(([what, fault]) => [`answers ${what}`, fault] as const),
];

const isLate = (fault: Fault | null) => fault?.kind === "slow" || fault?.kind === "hang";

/** The store's word on a claim: its state, and what is stored. */
const isClaim = (result: unknown) => Array.isArray(result) && typeof result[0] === "number";

/** A script that the store says it does not know is sent once more in full. */
const tripsToKnow = (how: string) => (how.includes("scripts that are never known") ? 2 : 1);

const TIERS: readonly Tier[] = [
  { name: "burst", limit: 8, windowSeconds: 3_600 },
  { name: "hour", limit: 20, windowSeconds: 3_600 },
];

const searches: string[] = [];
const admissions: string[] = [];

function row(...cells: readonly (string | number)[]): string {
  const widths = [44, 15, 7, 6, 9, 10, 10, 22, 0];
  return cells.map((cell, i) => String(cell).padEnd(widths[i] ?? 0)).join(" ");
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly ms: number }> {
  const before = performance.now();
  const value = await work();
  return { value, ms: performance.now() - before };
}

function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

describe.skipIf(!hasRedis())("search and admission while Redis fails", () => {
  let upstash: LocalUpstash;
  let tavily: StandIn;
  let jina: StandIn;
  let nobody: string;
  let asked = 0;

  beforeAll(async () => {
    [upstash, tavily, jina, nobody] = await Promise.all([startUpstash(), startTavily(), startJina(), refusedUrl()]);
    await startIsolate(createShiftedClock());
  });

  afterEach(async () => {
    upstash.fault(null);
    tavily.always("ok");
    // One isolate's breakers are the next one's.
    await upstash.redis("FLUSHALL");
  });

  afterAll(async () => {
    const head = [
      "while Redis",
      "providers",
      "status",
      "by",
      "trips",
      "added",
      "trips",
      "and what it says",
      "after the pause",
    ];
    console.log([row("", "", "", "", "first", "", "next 5", "", ""), row(...head), ...searches].join("\n"));
    console.log(
      [
        "",
        row("while Redis", "40 requests", "", "", "first", "", "next 39", "", "after the pause"),
        ...admissions,
      ].join("\n"),
    );
    await Promise.all([upstash?.close(), tavily?.close(), jina?.close()]);
  });

  const question = () => `tide tables number ${asked++}`;

  function newIsolate(clock: ShiftedClock, env: Readonly<Record<string, string>> = ENV): Isolate {
    return createIsolate({ upstash, tavily: tavily.url, jina: jina.url, nobody, clock, env });
  }

  /** One that has answered, and whose news have aged since. `usualMs` is what a question takes. */
  async function startIsolate(clock: ShiftedClock, env?: Readonly<Record<string, string>>) {
    const isolate = newIsolate(clock, env);
    expect((await isolate.ask(question())).status).toBe(200);
    const usual = await timed(() => isolate.ask(question()));
    await isolate.settle();
    expect(isolate.measured.get("orchestrix_shared_state_up")).toBe(1);
    clock.jump(NEWS_MS);
    return { isolate, usualMs: usual.ms };
  }

  function strike(isolate: Isolate, fault: Fault | null): void {
    if (fault === null) isolate.cutOff(true);
    else upstash.fault(fault);
  }

  function heal(isolate: Isolate): void {
    isolate.cutOff(false);
    upstash.fault(null);
  }

  /** Requests to the store that the work makes, also after its answer. */
  async function tripsOf<T>(isolate: Isolate, work: () => Promise<T>): Promise<readonly [value: T, trips: number]> {
    const before = isolate.trips();
    const value = await work();
    await isolate.settle();
    return [value, isolate.trips() - before];
  }

  const told = (isolate: Isolate, event: string) => isolate.logged.filter((name) => name === event).length;

  /** That the store is down is said once, and counted once. */
  function expectToldOnce(isolate: Isolate, fault: Fault | null): string {
    const reason = isLate(fault) ? "timeout" : "unavailable";
    expect(told(isolate, "shared_state_unavailable")).toBe(1);
    expect(isolate.measured.get(`orchestrix_shared_state_failures_total ${reason}`)).toBe(1);
    expect(isolate.measured.get("orchestrix_shared_state_up")).toBe(0);
    return `${reason}, told once`;
  }

  function expectFirstLatency(ms: number, usualMs: number, how: string, fault: Fault | null): void {
    const waits = isLate(fault) ? SHARED_STATE_READ_TIMEOUT_MS : 0;
    const marginMs = how.includes(" MB of ") ? HEAVY_MARGIN_MS : MARGIN_MS;
    expect(ms).toBeGreaterThanOrEqual(0.95 * waits);
    expect(ms).toBeLessThanOrEqual(usualMs + waits + marginMs);
  }

  const FAILED: Brief = ["tavily", "failed", "server_error", 500];
  const SKIPPED: Brief = ["tavily", "skipped", "circuit_open", null];
  const JINA: Brief = ["jina", "ok", null, 200];

  /** The outcome lists of six questions: what fails opens its circuit in this isolate, whatever becomes of the store. */
  const OUTCOMES: Readonly<Record<"all well" | "Tavily fails", readonly (readonly Brief[])[]>> = {
    "all well": Array.from({ length: 6 }, (): Brief[] => [["tavily", "ok", null, 200]]),
    "Tavily fails": [[FAILED, FAILED, JINA], [FAILED, JINA], ...Array.from({ length: 4 }, () => [SKIPPED, JINA])],
  };

  function expectAnswer({ status, body }: HttpReply, provider: string): void {
    expect(status).toBe(200);
    expect(body).toMatchObject({ provider, degraded: false, cache: { status: "miss", ageSeconds: 0 } });
    expect(body.results).toHaveLength(5);
  }

  /** After the pause one question finds out, and what it brings is kept for all. */
  async function expectRecovery(isolate: Isolate, clock: ShiftedClock): Promise<string> {
    heal(isolate);
    clock.jump(SHARED_STATE_PAUSE_MS);
    const last = question();
    const [, trips] = await tripsOf(isolate, () => isolate.ask(last));
    expect(trips).toBeGreaterThanOrEqual(2);
    expect(told(isolate, "shared_state_available")).toBe(1);
    expect(isolate.measured.get("orchestrix_shared_state_up")).toBe(1);
    const elsewhere = await newIsolate(clock).ask(last);
    expect(elsewhere.body.cache.status).toBe("l2");
    return "up again, answers shared";
  }

  const CELLS = FAULTS.flatMap(([how, fault]) =>
    (["all well", "Tavily fails"] as const).map((providers) => [how, providers, fault] as const),
  );

  test.each(CELLS)("Redis %s; providers: %s", async (how, providers, fault) => {
    const clock = createShiftedClock();
    const { isolate, usualMs } = await startIsolate(clock);
    const outcomes = OUTCOMES[providers];
    const provider = providers === "all well" ? "tavily" : "jina";
    if (providers === "Tavily fails") tavily.always(500);
    strike(isolate, fault);

    const [first, firstTrips] = await tripsOf(isolate, () => timed(() => isolate.ask(question())));
    expectAnswer(first.value, provider);
    expect(firstTrips).toBe(tripsToKnow(how));
    expectFirstLatency(first.ms, usualMs, how, fault);

    const [next, nextTrips] = await tripsOf(isolate, async () => {
      const replies = [];
      for (let n = 0; n < 5; n++) replies.push(await timed(() => isolate.ask(question())));
      return replies;
    });
    for (const { value } of next) expectAnswer(value, provider);
    expect([first, ...next].map(({ value }) => briefOf(value.body.attempts))).toEqual(outcomes);
    expect(nextTrips).toBe(0);
    const nextMs = medianOf(next.map(({ ms }) => ms));
    expect(nextMs).toBeLessThan(SHARED_STATE_READ_TIMEOUT_MS);
    const words = expectToldOnce(isolate, fault);

    const by = first.value.body.provider;
    const added = `${Math.round(Math.max(0, first.ms - usualMs))} ms`;
    const recovery = await expectRecovery(isolate, clock);
    const trips = `0, ${Math.round(nextMs)} ms`;
    searches.push(row(how, providers, first.value.status, by, firstTrips, added, trips, words, recovery));
  });

  /** Waits for an answer that never comes, and then asks itself. */
  async function expectPatience(isolate: Isolate, what: string, query: string): Promise<void> {
    const patienceMs = Number(FOLLOWER_ENV.SEARCH_DEADLINE_MS) / 2;
    const [{ value, ms }, trips] = await tripsOf(isolate, () => timed(() => isolate.ask(query)));
    expectAnswer(value, "tavily");
    expect(ms).toBeLessThanOrEqual(patienceMs + MARGIN_MS);
    expect(trips).toBeLessThanOrEqual(8);
    const added = `${Math.round(ms)} ms`;
    searches.push(row(what, "all well", value.status, value.body.provider, trips, added, "the same", "nothing", ""));
  }

  test("Redis says of every question that somebody else asks it: half the deadline is waited at most", async () => {
    const { isolate } = await startIsolate(createShiftedClock(), FOLLOWER_ENV);
    upstash.fault({
      kind: "lie",
      answer: (answers) => answers.map((answer) => (isClaim(answer.result) ? { result: [2, null] } : answer)),
    });
    for (const n of [1, 2]) await expectPatience(isolate, `says "asked elsewhere" (${n})`, question());
  });

  test("a claim whose answer was cut off is nobody's: others wait for it for half the deadline at most", async () => {
    const clock = createShiftedClock();
    const { isolate } = await startIsolate(clock, FOLLOWER_ENV);
    const query = question();
    upstash.fault({ kind: "drop" });
    expectAnswer(await isolate.ask(query), "tavily");
    upstash.fault(null);
    await expectPatience(newIsolate(clock, FOLLOWER_ENV), "cut a connection: elsewhere, after", query);
  });

  test.each(FAULTS)("Redis %s: the isolate admits by itself, and no more than the limit", async (how, fault) => {
    const clock = createShiftedClock();
    const isolate = newIsolate(clock);
    const subject = `caller-${crypto.randomUUID()}`;
    await isolate.shared.ping();
    strike(isolate, fault);
    const request = async (n: number) => {
      expect(isolate.admission.decide(subject, TIERS)).toBeNull();
      return isolate.admission.ask(subject, TIERS, n % 2 === 0 ? undefined : { lookup: { key: question() } });
    };

    const [first, firstTrips] = await tripsOf(isolate, () => timed(() => request(0)));
    expect(first.value).toMatchObject({ admitted: { admitted: true, local: true }, consulted: null });
    expect(firstTrips).toBe(tripsToKnow(how));
    expectFirstLatency(first.ms, 0, how, fault);
    const [rest, restTrips] = await tripsOf(isolate, () =>
      timed(() => Promise.all(Array.from({ length: 39 }, (_, n) => request(n)))),
    );
    expect(rest.value.every(({ admitted, consulted }) => admitted.local && consulted === null)).toBe(true);
    const admitted = rest.value.filter((reply) => reply.admitted.admitted).length;
    expect(admitted).toBe(7);
    const refused = rest.value.find((reply) => !reply.admitted.admitted)?.admitted;
    expect(refused).toMatchObject({ violated: ["burst"], local: true });
    expect(restTrips).toBe(0);
    expectToldOnce(isolate, fault);

    heal(isolate);
    clock.jump(SHARED_STATE_PAUSE_MS);
    const again = await isolate.admission.ask(subject, TIERS);
    expect(again.admitted).toMatchObject({ admitted: true, local: false, violated: [] });
    const late = `${Math.round(first.ms)} ms`;
    admissions.push(row(how, "8 local, 32 no", "", "", firstTrips, late, restTrips, "", "asks Redis, local: false"));
  });
});
