import { describe, expect, test } from "vitest";
import type { Logger } from "../../../src/core/logger.ts";
import { createOrchestrator, sliceOf } from "../../../src/search/orchestrator.ts";
import type { ProviderOutcome, SearchProvider } from "../../../src/search/providers/provider.ts";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.ts";
import { requestOf } from "../../support/providers/harness.ts";

const raw = (url: string) => ({ title: "T", url, content: "C", score: 0.5, publishedDate: null, rawContent: null });
const found = (...urls: string[]): ProviderOutcome => ({
  ok: true,
  httpStatus: 200,
  results: urls.map(raw),
  answer: "A",
});
const empty: ProviderOutcome = { ok: true, httpStatus: 200, results: [], answer: null };
const broken: ProviderOutcome = { ok: false, reason: "server_error", httpStatus: 500 };

function provider(
  name: string,
  search: SearchProvider["search"] | ProviderOutcome,
  fields: Partial<SearchProvider> = {},
): SearchProvider {
  const answer = typeof search === "function" ? search : async () => search;
  return { name, configured: true, degraded: false, search: answer, ...fields };
}

const hang = () => new Promise<never>(() => {});

function setUp(clock: FakeClock = createFakeClock()) {
  const errors: string[] = [];
  const ignore = () => {};
  const logger: Logger = { debug: ignore, info: ignore, warn: ignore, error: (event) => void errors.push(event) };
  const orchestrator = createOrchestrator({
    fetch: () => Promise.reject(new TypeError("no network")),
    clock,
    logger,
    attemptTimeoutMs: 3_000,
  });
  const run = (providers: readonly SearchProvider[], fields: { deadlineMs?: number; signal?: AbortSignal } = {}) =>
    orchestrator.run(providers, {
      request: requestOf("q", { includeAnswer: true }),
      ownerId: "owner-1",
      deadlineAt: clock.now() + (fields.deadlineMs ?? 8_000),
      signal: fields.signal,
    });
  return { clock, run, errors };
}

const brief = (attempts: readonly { provider: string; outcome: string; reason: string | null }[]) =>
  attempts.map(({ provider: name, outcome, reason }) => `${name} ${outcome} ${reason ?? "-"}`);

describe("the chain", () => {
  test("stops at the first provider with results", async () => {
    const { run } = setUp();
    const outcome = await run([provider("a", found("https://a.example/")), provider("b", hang)]);
    expect(outcome.found).toMatchObject({ provider: "a", degraded: false, answer: "A" });
    expect(outcome.found?.results).toMatchObject([{ url: "https://a.example/", provider: "a" }]);
    expect(outcome.attempts).toEqual([{ provider: "a", outcome: "ok", reason: null, httpStatus: 200, durationMs: 0 }]);
  });

  test("goes on after failures, skips what has no key, and says so", async () => {
    const { run } = setUp();
    const outcome = await run([
      provider("a", broken),
      provider("b", hang, { configured: false }),
      provider("c", empty),
      provider("d", found("https://d.example/"), { degraded: true }),
    ]);
    expect(outcome.found).toMatchObject({ provider: "d", degraded: true });
    expect(brief(outcome.attempts)).toEqual([
      "a failed server_error",
      "b skipped not_configured",
      "c ok empty",
      "d ok -",
    ]);
  });

  test("results that are all unfit count as empty", async () => {
    const { run } = setUp();
    const outcome = await run([
      provider("a", found("javascript:alert(1)")),
      provider("b", found("https://b.example/")),
    ]);
    expect(brief(outcome.attempts)).toEqual(["a ok empty", "b ok -"]);
  });

  test("nothing found by anybody is an answer of the first that said so", async () => {
    const { run } = setUp();
    const outcome = await run([provider("a", broken), provider("b", empty), provider("i", empty, { degraded: true })]);
    expect(outcome.found).toEqual({ provider: "b", degraded: false, results: [], answer: null });
  });

  test("a makeshift that finds nothing does not vouch for those that failed", async () => {
    const { run } = setUp();
    const makeshift = provider("i", empty, { degraded: true });
    expect((await run([provider("a", broken), makeshift])).found).toBeNull();
    expect((await run([provider("a", broken, { configured: false }), makeshift])).found).toMatchObject({
      provider: "i",
    });
  });

  test("the shortest wait that was asked for is passed on", async () => {
    const { run } = setUp();
    const limited = (retryAfterMs: number): ProviderOutcome => ({
      ok: false,
      reason: "rate_limited",
      httpStatus: 429,
      retryAfterMs,
    });
    const outcome = await run([provider("a", limited(60_000)), provider("b", limited(7_000)), provider("c", broken)]);
    expect(outcome.found).toBeNull();
    expect(outcome.retryAfterMs).toBe(7_000);
  });

  test("a provider's bug is logged and counts as its failure", async () => {
    const { run, errors } = setUp();
    const outcome = await run([
      provider("a", async () => {
        throw new TypeError("undefined is not a function");
      }),
      provider("b", found("https://b.example/")),
    ]);
    expect(brief(outcome.attempts)).toEqual(["a failed bad_response", "b ok -"]);
    expect(errors).toEqual(["search_provider_bug"]);
  });
});

describe("time", () => {
  test("each attempt has its limit, the last its chance, all together the deadline", async () => {
    const { clock, run } = setUp();
    const startedAt = clock.now();
    const pending = run([provider("a", hang), provider("b", hang), provider("c", hang)]);
    await clock.advance(20_000);
    const outcome = await pending;
    expect(outcome.attempts.map(({ reason, durationMs }) => [reason, durationMs])).toEqual([
      ["timeout", 3_000],
      ["timeout", 3_000],
      ["timeout", 2_000],
    ]);
    expect(outcome.found).toBeNull();
    expect(clock.now() - startedAt).toBe(20_000);
  });

  test("a slow provider leaves a reserve for each that comes after it", async () => {
    const { clock, run } = setUp();
    const pending = run([provider("a", hang), provider("b", hang), provider("c", found("https://c.example/"))], {
      deadlineMs: 3_000,
    });
    await clock.advance(3_000);
    const outcome = await pending;
    expect(outcome.attempts.map(({ durationMs }) => durationMs)).toEqual([2_000, 500, 0]);
    expect(outcome.found).toMatchObject({ provider: "c" });
  });

  test("nobody is asked once the time is over", async () => {
    const { run } = setUp();
    const outcome = await run([provider("a", found("https://a.example/"))], { deadlineMs: 5 });
    expect(outcome.found).toBeNull();
    expect(brief(outcome.attempts)).toEqual(["a skipped deadline"]);
  });

  test("a provider that times out is told to stop", async () => {
    const { clock, run } = setUp();
    let aborted = false;
    const pending = run([
      provider("a", (_request, { signal }) => {
        signal.addEventListener("abort", () => {
          aborted = true;
        });
        return hang();
      }),
    ]);
    await clock.advance(3_000);
    await pending;
    expect(aborted).toBe(true);
  });

  test("a caller that hangs up stops the chain", async () => {
    const { clock, run } = setUp();
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
