import { describe, expect, test } from "vitest";
import { sliceOf } from "../../../src/search/chain/orchestrator.ts";
import type { ProviderOutcome, SearchProvider } from "../../../src/search/providers/provider.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { after, brief, createScene, empty, failing, found, hang, irrelevant, provider } from "./orchestrator-scene.ts";

const good = (name: string, fields: Partial<SearchProvider> = {}) =>
  provider(name, found(`https://${name}.example/`), fields);
const broken = failing("server_error", 500);

describe("the chain", () => {
  test("stops at the first provider with results", async () => {
    const { run } = createScene();
    const outcome = await run([good("a"), provider("b", hang)]);
    expect(outcome.found).toMatchObject({ provider: "a", degraded: false, answer: "A" });
    expect(outcome.found?.results).toMatchObject([{ url: "https://a.example/", provider: "a" }]);
    expect(outcome.attempts).toEqual([{ provider: "a", outcome: "ok", reason: null, httpStatus: 200, durationMs: 0 }]);
  });

  test("goes on after failures, skips what has no key, and says so", async () => {
    const { run } = createScene();
    const outcome = await run([
      provider("a", failing("bad_response", 200)),
      provider("b", hang, { configured: false }),
      provider("c", empty),
      good("d", { degraded: true }),
    ]);
    expect(outcome.found).toMatchObject({ provider: "d", degraded: true });
    expect(brief(outcome.attempts)).toEqual([
      "a failed bad_response",
      "b skipped not_configured",
      "c ok empty",
      "d ok -",
    ]);
  });

  test("results that are all unfit count as empty", async () => {
    const { run } = createScene();
    const outcome = await run([provider("a", found("javascript:alert(1)")), good("b")]);
    expect(brief(outcome.attempts)).toEqual(["a ok empty", "b ok -"]);
  });

  test("nothing found by anybody is an answer of the first that said so", async () => {
    const { runOut } = createScene();
    const outcome = await runOut([
      provider("a", broken),
      provider("b", empty),
      provider("i", empty, { degraded: true }),
    ]);
    expect(outcome.found).toEqual({ provider: "b", degraded: false, results: [], answer: "A" });
  });

  test("a makeshift that finds nothing does not vouch for those that failed", async () => {
    const { run } = createScene();
    const makeshift = provider("i", empty, { degraded: true });
    expect((await run([provider("a", failing("quota", 432)), makeshift])).found).toBeNull();
    expect((await run([provider("b", broken, { configured: false }), makeshift])).found).toMatchObject({
      provider: "i",
    });
  });

  test("pages that have nothing to do with the question are no answer, unless a makeshift has no better", async () => {
    const { run } = createScene();
    const only = await run([provider("a", irrelevant), provider("i", empty, { degraded: true })]);
    expect(only.found).toBeNull();
    expect(only.attempts[0]).toMatchObject({ outcome: "failed", reason: "irrelevant", httpStatus: 200 });
    const makeshift = await run([provider("i", irrelevant, { degraded: true })]);
    expect(makeshift.found).toMatchObject({ provider: "i", degraded: true });
  });

  test("a provider's bug is logged and counts as its failure", async () => {
    const { run, logged } = createScene();
    const outcome = await run([
      provider("a", async () => {
        throw new TypeError("undefined is not a function");
      }),
      provider("b", () => {
        throw new TypeError("at once");
      }),
      good("c"),
    ]);
    expect(brief(outcome.attempts)).toEqual(["a failed bad_response", "b failed bad_response", "c ok -"]);
    expect(logged.map(({ event }) => event)).toEqual(["search_provider_bug", "search_provider_bug"]);
  });

  test("every attempt and every skip is counted, by fixed names", async () => {
    const { run, counted } = createScene();
    await run([provider("a", failing("quota", 432)), provider("b", hang, { configured: false }), good("c")]);
    await run([provider("a", hang), good("c")]);
    const attempts = counted.filter(({ name }) => name === "orchestrix_search_attempts_total");
    expect(attempts.map(({ labels }) => Object.values(labels).join(" "))).toEqual([
      "a failed quota",
      "b skipped not_configured",
      "c ok none",
      "a skipped circuit_open",
      "c ok none",
    ]);
    expect(counted.filter(({ name }) => name === "orchestrix_search_attempt_duration_seconds")).toHaveLength(3);
  });
});

describe("what each failure leads to, with another provider behind it", () => {
  interface Row {
    readonly name: string;
    readonly answers: ProviderOutcome | SearchProvider["search"];
    readonly attempts: readonly string[];
    readonly breaker: { readonly state: "closed" | "open"; readonly failures: number };
    /** Milliseconds from the failure. */
    readonly openFor?: number;
    readonly tookMs?: number;
    /** Questions until it is not asked any more; null: it always is. */
    readonly opensAfter: number | null;
  }

  const closed = (failures: number) => ({ state: "closed", failures }) as const;
  const open = { state: "open", failures: 1 } as const;

  const ROWS: readonly Row[] = [
    {
      name: "time-out",
      answers: hang,
      attempts: ["a failed timeout"],
      breaker: closed(1),
      tookMs: 3_000,
      opensAfter: 3,
    },
    {
      name: "connection refused",
      answers: failing("server_error"),
      attempts: ["a failed server_error", "a failed server_error"],
      breaker: closed(2),
      opensAfter: 2,
    },
    {
      name: "500",
      answers: broken,
      attempts: ["a failed server_error", "a failed server_error"],
      breaker: closed(2),
      opensAfter: 2,
    },
    {
      name: "503 with a Retry-After",
      answers: failing("server_error", 503, 30_000),
      attempts: ["a failed server_error"],
      breaker: closed(1),
      opensAfter: 3,
    },
    {
      name: "429",
      answers: failing("rate_limited", 429, 12_000),
      attempts: ["a failed rate_limited"],
      breaker: open,
      openFor: 12_000,
      opensAfter: 1,
    },
    {
      name: "432",
      answers: failing("quota", 432),
      attempts: ["a failed quota"],
      breaker: open,
      openFor: 21_600_000,
      opensAfter: 1,
    },
    {
      name: "401",
      answers: failing("unauthorized", 401),
      attempts: ["a failed unauthorized"],
      breaker: open,
      openFor: 86_400_000,
      opensAfter: 1,
    },
    {
      name: "garbage",
      answers: failing("bad_response", 200),
      attempts: ["a failed bad_response"],
      breaker: closed(1),
      opensAfter: 3,
    },
    {
      name: "irrelevant",
      answers: irrelevant,
      attempts: ["a failed irrelevant"],
      breaker: closed(1),
      opensAfter: 5,
    },
    { name: "empty", answers: empty, attempts: ["a ok empty"], breaker: closed(0), opensAfter: null },
    ...[400, 403, 409, 413, 422, 451].map((status) => ({
      name: `${status}`,
      answers: failing("bad_response", status),
      attempts: ["a failed bad_response"],
      breaker: closed(0),
      opensAfter: null,
    })),
  ];

  test.each(ROWS)("$name", async ({ answers, attempts, breaker, openFor, tookMs, opensAfter }) => {
    const scene = createScene();
    const chain = [provider("a", answers), good("b")];
    const outcome = await scene.runOut(chain);
    expect(outcome.found).toMatchObject({ provider: "b" });
    expect(brief(outcome.attempts)).toEqual([...attempts, "b ok -"]);
    expect(outcome.tookMs).toBe(tookMs ?? 0);
    const state = scene.breakers.stateOf("a");
    expect(state).toMatchObject(breaker);
    if (openFor !== undefined) expect((state.openUntil ?? 0) - scene.clock.now()).toBeGreaterThan(openFor - 1_000);
    for (let asked = 1; asked < (opensAfter ?? 10); asked++) await scene.runOut(chain);
    const [first] = (await scene.run(chain)).attempts;
    if (opensAfter === null) expect(first?.outcome).not.toBe("skipped");
    else expect(first).toMatchObject({ provider: "a", outcome: "skipped", reason: "circuit_open" });
  });
});

describe("the repeat", () => {
  test("comes after a pause of chance and may bring the answer", async () => {
    const { runOut, breakers } = createScene({ chance: 255 });
    const outcome = await runOut([provider("a", [broken, found("https://a.example/")]), good("b")]);
    expect(outcome.found).toMatchObject({ provider: "a" });
    expect(brief(outcome.attempts)).toEqual(["a failed server_error", "a ok -"]);
    expect(outcome.tookMs).toBe(100);
    expect(breakers.stateOf("a").failures).toBe(0);
  });

  test("a hang is repeated where nobody else is left to ask", async () => {
    const { runOut } = createScene();
    const outcome = await runOut([provider("a", hang)]);
    expect(brief(outcome.attempts)).toEqual(["a failed timeout", "a failed timeout"]);
    expect(outcome.tookMs).toBe(6_000);
  });

  test("who cannot be asked anyway needs no time kept back", async () => {
    const { runOut, breakers } = createScene();
    breakers.noteFailure("c", "quota", null);
    const outcome = await runOut([
      provider("a", hang),
      provider("b", hang, { configured: false }),
      provider("c", hang),
    ]);
    expect(brief(outcome.attempts)).toEqual([
      "a failed timeout",
      "a failed timeout",
      "b skipped not_configured",
      "c skipped circuit_open",
    ]);
  });

  test("does not come where the time is short", async () => {
    const { runOut } = createScene();
    const outcome = await runOut([provider("a", broken), good("b")], { deadlineMs: 5_000 });
    expect(brief(outcome.attempts)).toEqual(["a failed server_error", "b ok -"]);
  });

  test("does not come where the breaker opened meanwhile", async () => {
    const { run, breakers, clock } = createScene({ chance: 255 });
    const pending = run([provider("a", broken), good("b")]);
    await clock.advance(50);
    breakers.noteFailure("a", "unauthorized", null);
    await clock.advance(50);
    expect(brief((await pending).attempts)).toEqual(["a failed server_error", "b ok -"]);
  });

  test("does not come where the caller has gone", async () => {
    const { run, clock } = createScene({ chance: 255 });
    const caller = new AbortController();
    const pending = run([provider("a", broken), good("b")], { signal: caller.signal });
    await clock.advance(50);
    caller.abort();
    const outcome = await pending;
    expect(brief(outcome.attempts)).toEqual(["a failed server_error"]);
    expect(outcome.found).toBeNull();
  });
});

describe("breakers in the chain", () => {
  test("after the cool-down one question probes, the others go on, and its success closes the breaker", async () => {
    const clock = createFakeClock();
    const { run, runOut, breakers } = createScene({ clock });
    breakers.noteFailure("a", "rate_limited", 5_000);
    await clock.advance(5_000);
    const a = provider("a", after(clock, 200, found("https://a.example/")));
    const pending = [run([a, good("b")]), run([a, good("b")]), run([a, good("b")])];
    await clock.advance(300);
    const outcomes = await Promise.all(pending);
    expect(outcomes.map((outcome) => brief(outcome.attempts))).toEqual([
      ["a ok -"],
      ["a skipped circuit_open", "b ok -"],
      ["a skipped circuit_open", "b ok -"],
    ]);
    expect(brief((await runOut([a, good("b")])).attempts)).toEqual(["a ok -"]);
  });

  test("a probe that fails is not repeated", async () => {
    const { clock, runOut, breakers } = createScene();
    breakers.noteFailure("a", "rate_limited", 5_000);
    await clock.advance(5_000);
    expect(brief((await runOut([provider("a", broken), good("b")])).attempts)).toEqual([
      "a failed server_error",
      "b ok -",
    ]);
    expect(breakers.stateOf("a").state).toBe("open");
  });

  test("an attempt cut short by the deadline is not held against the provider", async () => {
    const { runOut, breakers } = createScene();
    await runOut([provider("a", hang), provider("b", hang)], { deadlineMs: 3_000 });
    expect([breakers.stateOf("a").failures, breakers.stateOf("b").failures]).toEqual([1, 0]);
  });

  test("a caller that hangs up is not held against the provider", async () => {
    const { run, clock, breakers, counted } = createScene();
    const caller = new AbortController();
    const pending = run([provider("a", hang)], { signal: caller.signal });
    await clock.advance(100);
    caller.abort();
    await pending;
    expect(breakers.stateOf("a").failures).toBe(0);
    expect(counted[0]?.labels).toEqual({ provider: "a", outcome: "failed", reason: "cancelled" });
  });

  test("a key is judged by its own failures", async () => {
    const { run } = createScene();
    const outcomes = [];
    for (const identity of ["old", "old", "new"]) {
      outcomes.push(await run([provider("a", failing("unauthorized", 401), { identity })]));
    }
    expect(outcomes.flatMap(({ attempts }) => brief(attempts))).toEqual([
      "a failed unauthorized",
      "a skipped circuit_open",
      "a failed unauthorized",
    ]);
  });

  test("one owner's trouble keeps nobody else from a personal provider", async () => {
    const { runOut } = createScene();
    const mine = provider("i", failing("server_error"), { personal: true, degraded: true });
    for (let i = 0; i < 5; i++) await runOut([mine]);
    expect(brief((await runOut([mine])).attempts)).toEqual(["i failed server_error", "i failed server_error"]);
  });
});

describe("when to come back", () => {
  const limited = (retryAfterMs: number) => failing("rate_limited", 429, retryAfterMs);

  test("the shortest wait that was asked for", async () => {
    const { run } = createScene();
    const outcome = await run([provider("a", limited(60_000)), provider("b", limited(7_000))]);
    expect(outcome.found).toBeNull();
    expect(outcome.retryAfterMs).toBe(7_000);
  });

  test("what is left of an open breaker", async () => {
    const { clock, run } = createScene();
    const chain = [provider("a", limited(60_000)), provider("b", failing("quota", 432))];
    await run(chain);
    await clock.advance(20_000);
    expect((await run(chain)).retryAfterMs).toBe(40_000);
  });

  test("soon, where a fault that may pass stands beside a wait of hours", async () => {
    const { runOut } = createScene();
    const outcome = await runOut([provider("a", failing("quota", 432)), provider("b", broken)]);
    expect(outcome.retryAfterMs).toBe(5_000);
  });

  test("nobody failed: nothing to say", async () => {
    const { run } = createScene();
    expect((await run([provider("a", empty)])).retryAfterMs).toBeNull();
    expect((await run([provider("a", hang, { configured: false })])).retryAfterMs).toBeNull();
  });
});

describe("time", () => {
  test("each attempt has its limit, the last its chance, all together the deadline", async () => {
    const { runOut } = createScene();
    const outcome = await runOut([provider("a", hang), provider("b", hang), provider("c", hang)]);
    expect(outcome.attempts.map(({ reason, durationMs }) => [reason, durationMs])).toEqual([
      ["timeout", 3_000],
      ["timeout", 3_000],
      ["timeout", 2_000],
    ]);
    expect(outcome.found).toBeNull();
    expect(outcome.tookMs).toBe(8_000);
  });

  test("a slow provider leaves a reserve for each that comes after it", async () => {
    const { runOut } = createScene();
    const outcome = await runOut([provider("a", hang), provider("b", hang), good("c")], { deadlineMs: 3_000 });
    expect(outcome.attempts.map(({ durationMs }) => durationMs)).toEqual([2_000, 500, 0]);
    expect(outcome.found).toMatchObject({ provider: "c" });
  });

  test("nobody is asked once the time is over, and no probe is used up", async () => {
    const { clock, run, breakers, shared } = createScene();
    breakers.noteFailure("a", "rate_limited", 1_000);
    await clock.advance(1_000);
    const outcome = await run([good("a")], { deadlineMs: 5 });
    expect(outcome.found).toBeNull();
    expect(brief(outcome.attempts)).toEqual(["a skipped deadline"]);
    expect(shared.leases).toEqual([]);
  });

  test("a provider that times out is told to stop", async () => {
    const { runOut } = createScene();
    const signals: AbortSignal[] = [];
    const deaf: SearchProvider["search"] = (_request, { signal }) => {
      signals.push(signal);
      return hang();
    };
    await runOut([provider("a", deaf), good("b")]);
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
  });

  test("a caller that hangs up stops the chain", async () => {
    const { clock, run } = createScene();
    const controller = new AbortController();
    const asked: string[] = [];
    const pending = run(
      [
        provider("a", (_request, { signal }) => {
          asked.push("a");
          return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
        }),
        provider("b", async () => {
          asked.push("b");
          return found("https://b.example/");
        }),
      ],
      { signal: controller.signal },
    );
    await clock.advance(100);
    controller.abort();
    expect((await pending).found).toBeNull();
    expect(asked).toEqual(["a"]);
  });

  test.each([
    [8_000, 2, 3_000, 3_000],
    [4_000, 2, 3_000, 3_000],
    [3_000, 2, 3_000, 2_000],
    [1_000, 1, 3_000, 500],
    [300, 2, 3_000, 100],
    [2_000, 0, 3_000, 2_000],
    [8_000, 0, 500, 500],
    [0, 1, 3_000, 0],
  ])("with %i ms left and %i to come, an attempt of up to %i ms gets %i ms", (remaining, later, timeout, expected) => {
    expect(sliceOf(remaining, later, timeout)).toBe(expected);
  });
});
