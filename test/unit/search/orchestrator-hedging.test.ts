import { describe, expect, test } from "vitest";
import type { SearchProvider } from "../../../src/search/providers/provider.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { after, brief, createScene, empty, failing, found, hang, provider } from "./orchestrator-scene.ts";

const HEDGE_MS = 500;

function setUp() {
  const clock = createFakeClock();
  const scene = createScene({ clock, hedgeMs: HEDGE_MS });
  const good = (name: string, ms: number, fields: Partial<SearchProvider> = {}) =>
    provider(name, after(clock, ms, found(`https://${name}.example/`)), fields);
  const failsAfter = (name: string, ms: number, outcome = failing("bad_response", 200)) =>
    provider(name, after(clock, ms, outcome));
  return { ...scene, good, failsAfter };
}

describe("a provider that is slow", () => {
  test("is overtaken by the next, told to stop, and not held to account", async () => {
    const { runOut, good, breakers, counted } = setUp();
    const signals: AbortSignal[] = [];
    const slow = provider("a", (_request, { signal }) => {
      signals.push(signal);
      return hang();
    });
    const outcome = await runOut([slow, good("b", 100)]);
    expect(outcome.found).toMatchObject({ provider: "b" });
    expect(outcome.attempts).toMatchObject([
      { provider: "a", outcome: "failed", reason: "timeout", httpStatus: null, durationMs: 600 },
      { provider: "b", outcome: "ok", reason: null, durationMs: 100 },
    ]);
    expect(outcome.tookMs).toBe(600);
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
    expect(breakers.stateOf("a").failures).toBe(0);
    expect(counted.find(({ labels }) => labels.provider === "a")?.labels.reason).toBe("cancelled");
  });

  test("may still be the first", async () => {
    const { runOut, good, breakers } = setUp();
    const outcome = await runOut([good("a", 700), good("b", 400), good("c", 0)]);
    expect(outcome.found).toMatchObject({ provider: "a" });
    expect(brief(outcome.attempts)).toEqual(["a ok -", "b failed timeout"]);
    expect(outcome.tookMs).toBe(700);
    expect(breakers.stateOf("b").failures).toBe(0);
  });

  test("goes on where the other fails, and the other where it fails", async () => {
    const { runOut, good, failsAfter } = setUp();
    const first = await runOut([good("a", 1_000), failsAfter("b", 100), good("c", 0)]);
    expect(brief(first.attempts)).toEqual(["a ok -", "b failed bad_response"]);
    const second = await runOut([failsAfter("a", 600), good("b", 1_000), good("c", 0)]);
    expect(brief(second.attempts)).toEqual(["a failed bad_response", "b ok -"]);
    expect([first.tookMs, second.tookMs]).toEqual([1_000, 1_500]);
  });

  test("both fail: the chain goes on behind them", async () => {
    const { runOut, good, failsAfter } = setUp();
    const outcome = await runOut([failsAfter("a", 600), failsAfter("b", 300), good("c", 0)]);
    expect(brief(outcome.attempts)).toEqual(["a failed bad_response", "b failed bad_response", "c ok -"]);
    expect(outcome.tookMs).toBe(800);
  });

  test("an empty answer is no win", async () => {
    const { runOut, good, failsAfter } = setUp();
    const outcome = await runOut([failsAfter("a", 600, empty), good("b", 300)]);
    expect(brief(outcome.attempts)).toEqual(["a ok empty", "b ok -"]);
  });

  test("a failure is not repeated while another is asked", async () => {
    const { runOut, good, failsAfter } = setUp();
    const outcome = await runOut([failsAfter("a", 600, failing("server_error", 500)), good("b", 1_000)]);
    expect(brief(outcome.attempts)).toEqual(["a failed server_error", "b ok -"]);
  });

  test("a failure before that is repeated, and the repeat has company when it is slow", async () => {
    const { runOut, clock, good } = setUp();
    let asked = 0;
    const flaky = provider("a", async (request, context) =>
      asked++ === 0 ? failing("server_error", 500) : after(clock, 2_000, found("https://a.example/"))(request, context),
    );
    const outcome = await runOut([flaky, good("b", 100)]);
    expect(brief(outcome.attempts)).toEqual(["a failed server_error", "a failed timeout", "b ok -"]);
    expect(outcome.tookMs).toBe(600);
  });
});

describe("who is asked beside another", () => {
  test("nobody, where the answer comes in time", async () => {
    const { runOut, good } = setUp();
    const outcome = await runOut([good("a", 499), good("b", 0)]);
    expect(brief(outcome.attempts)).toEqual(["a ok -"]);
  });

  test("the next that has a key and a closed breaker; the skips before it are told in their place", async () => {
    const { runOut, good, breakers } = setUp();
    breakers.noteFailure("c", "quota", null);
    const chain = [good("a", 2_000), good("b", 0, { configured: false }), good("c", 0), good("d", 100)];
    const outcome = await runOut(chain);
    expect(brief(outcome.attempts)).toEqual([
      "a failed timeout",
      "b skipped not_configured",
      "c skipped circuit_open",
      "d ok -",
    ]);
  });

  test("no makeshift, and beside a makeshift nobody", async () => {
    const { runOut, good } = setUp();
    const before = await runOut([good("a", 2_000), good("w", 0, { degraded: true }), good("b", 0)]);
    expect(brief(before.attempts)).toEqual(["a ok -"]);
    const beside = await runOut([good("w", 2_000, { degraded: true }), good("b", 0)]);
    expect(brief(beside.attempts)).toEqual(["w ok -"]);
  });

  test("nobody whose breaker waits for a probe", async () => {
    const { runOut, clock, good, breakers } = setUp();
    breakers.noteFailure("b", "rate_limited", 1_000);
    await clock.advance(1_000);
    const outcome = await runOut([good("a", 2_000), good("b", 0)]);
    expect(brief(outcome.attempts)).toEqual(["a ok -"]);
  });

  test("nobody, once the caller has gone", async () => {
    const { run, clock, good } = setUp();
    const caller = new AbortController();
    const pending = run([good("a", 2_000), good("b", 2_000), good("c", 0)], { signal: caller.signal });
    await clock.advance(600);
    caller.abort();
    const outcome = await pending;
    expect(outcome.found).toBeNull();
    expect(brief(outcome.attempts)).toEqual(["a failed timeout", "b failed timeout"]);
  });
});
