import { describe, expect, test } from "vitest";
import { breakerNameOf } from "../../../src/search/breakers/breakers.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createBoard, createWatchedShared } from "./orchestrator-scene.ts";

function setUp(isolates = 2) {
  const clock = createFakeClock();
  const shared = createWatchedShared(clock);
  const boards = Array.from({ length: isolates }, () => createBoard({ clock, shared }));
  const [a, b] = boards;
  if (a === undefined || b === undefined) throw new Error("two isolates at least");
  const fail = (times = 3) => {
    for (let i = 0; i < times; i++) a.breakers.noteFailure("tavily", "timeout", null);
  };
  return { clock, shared, boards, a, b, fail };
}

describe("one isolate", () => {
  test("a provider that nobody has heard of may be asked, at once and for nothing", () => {
    const { a, shared } = setUp();
    expect(a.breakers.mayAsk("tavily")).toBe(true);
    a.breakers.noteSuccess("tavily");
    expect(a.breakers.stateOf("tavily")).toEqual({ state: "closed", reason: null, openUntil: null, failures: 0 });
    expect(shared.writes).toBe(0);
    expect(a.counted).toEqual([]);
  });

  test("opens, and says so once in the log, in the metrics and to the others", () => {
    const { clock, a, shared, fail } = setUp();
    fail(2);
    expect(a.breakers.mayAsk("tavily")).toBe(true);
    expect(shared.writes).toBe(0);
    fail(3);
    expect(a.breakers.mayAsk("tavily")).toBe(false);
    const openUntil = clock.now() + 5_000;
    expect(a.breakers.stateOf("tavily")).toEqual({ state: "open", reason: "timeout", openUntil, failures: 3 });
    expect(a.logged).toEqual([
      {
        event: "search_breaker_opened",
        fields: { provider: "tavily", reason: "timeout", openUntil: "2026-02-13T10:30:05.000Z" },
      },
    ]);
    expect(a.counted).toEqual([{ name: "orchestrix_breaker_open", value: 1, labels: { provider: "tavily" } }]);
    expect(shared.writes).toBe(1);
  });

  test("one probe at a time; a success closes it", async () => {
    const { clock, a, fail, shared } = setUp();
    fail();
    await clock.advance(5_000);
    expect(a.breakers.stateOf("tavily").state).toBe("half_open");
    const asked = [a.breakers.mayAsk("tavily"), a.breakers.mayAsk("tavily"), a.breakers.mayAsk("tavily")];
    expect(await Promise.all(asked)).toEqual([true, false, false]);
    expect(shared.leases).toEqual([expect.stringMatching(/^search:probe:tavily:\d+$/)]);
    a.breakers.noteSuccess("tavily");
    expect(a.breakers.mayAsk("tavily")).toBe(true);
    expect(a.logged.at(-1)).toEqual({
      event: "search_breaker_closed",
      fields: { provider: "tavily", reason: "timeout" },
    });
    expect(a.counted.at(-1)?.value).toBe(0);
  });

  test("a failed probe opens it for longer", async () => {
    const { clock, a, fail } = setUp();
    fail();
    await clock.advance(5_000);
    expect(await a.breakers.mayAsk("tavily")).toBe(true);
    a.breakers.noteFailure("tavily", "server_error", null);
    await clock.advance(9_999);
    expect(a.breakers.mayAsk("tavily")).toBe(false);
    await clock.advance(1);
    expect(await a.breakers.mayAsk("tavily")).toBe(true);
  });

  test("a probe that never says how it went is followed by another", async () => {
    const { clock, a, fail } = setUp();
    fail();
    await clock.advance(5_000);
    expect(await a.breakers.mayAsk("tavily")).toBe(true);
    await clock.advance(7_999);
    expect(await a.breakers.mayAsk("tavily")).toBe(false);
    await clock.advance(1);
    expect(await a.breakers.mayAsk("tavily")).toBe(true);
  });

  test("a new key does not inherit what the old one opened, and no metric tells them apart", () => {
    const { a } = setUp();
    const [old, fresh] = ["1f", "2e"].map((identity) => breakerNameOf({ name: "tavily", identity }));
    a.breakers.noteFailure(old ?? "", "unauthorized", null);
    expect(a.breakers.mayAsk(old ?? "")).toBe(false);
    expect(a.breakers.mayAsk(fresh ?? "")).toBe(true);
    expect(a.counted.map(({ labels }) => labels)).toEqual([{ provider: "tavily" }]);
  });
});

describe("several isolates", () => {
  test("an opening is seen by the others with their next look, five seconds after their last at most", async () => {
    const { clock, a, b } = setUp();
    await b.sync();
    a.breakers.noteFailure("tavily", "quota", null);
    await clock.advance(4_999);
    expect(b.breakers.syncKey()).toBeNull();
    expect(b.breakers.mayAsk("tavily")).toBe(true);
    await clock.advance(1);
    await b.sync();
    expect(b.breakers.mayAsk("tavily")).toBe(false);
    expect(b.breakers.stateOf("tavily")).toEqual(a.breakers.stateOf("tavily"));
    expect(b.logged).toEqual([]);
  });

  test("of all of them one probes", async () => {
    const { clock, boards, fail } = setUp(5);
    fail();
    for (const board of boards) await board.sync();
    await clock.advance(5_000);
    const asked = await Promise.all(boards.map(({ breakers }) => breakers.mayAsk("tavily")));
    expect(asked.filter((may) => may)).toHaveLength(1);
  });

  test("who did not get the probe does not ask for it again with every question", async () => {
    const { clock, shared, a, b, fail } = setUp();
    fail();
    await b.sync();
    await clock.advance(5_000);
    expect(await a.breakers.mayAsk("tavily")).toBe(true);
    expect(await b.breakers.mayAsk("tavily")).toBe(false);
    expect(b.breakers.mayAsk("tavily")).toBe(false);
    expect(shared.leases).toHaveLength(2);
  });

  test("a probe's success closes it everywhere, its failure keeps it open everywhere", async () => {
    const { clock, a, b, fail } = setUp();
    fail();
    await b.sync();
    await clock.advance(5_000);
    expect(await a.breakers.mayAsk("tavily")).toBe(true);
    a.breakers.noteFailure("tavily", "timeout", null);
    await b.sync();
    expect(b.breakers.stateOf("tavily")).toMatchObject({ state: "open", openUntil: clock.now() + 10_000 });
    await clock.advance(10_000);
    expect(await b.breakers.mayAsk("tavily")).toBe(true);
    b.breakers.noteSuccess("tavily");
    await a.sync();
    expect(a.breakers.mayAsk("tavily")).toBe(true);
    expect(a.counted.at(-1)).toMatchObject({ name: "orchestrix_breaker_open", value: 0 });
  });

  test("an operator's reset closes it everywhere, also where it was closed already", async () => {
    const { clock, a, b } = setUp();
    a.breakers.noteFailure("tavily", "unauthorized", null);
    await clock.advance(10);
    b.breakers.reset("tavily");
    await clock.advance(5_000);
    await a.sync();
    expect(a.breakers.mayAsk("tavily")).toBe(true);
  });

  test("what two wrote at once is whole again after their next look", async () => {
    const { clock, shared, a, b } = setUp();
    a.breakers.noteFailure("tavily", "quota", null);
    b.breakers.noteFailure("jina", "quota", null);
    expect((await shared.cacheLookup("search:breakers")).value).not.toContain("tavily");
    await clock.advance(5_000);
    await a.sync();
    await b.sync();
    for (const { breakers } of [a, b])
      expect([breakers.mayAsk("tavily"), breakers.mayAsk("jina")]).toEqual([false, false]);
    const { writes } = shared;
    await clock.advance(5_000);
    await a.sync();
    await b.sync();
    expect(shared.writes).toBe(writes);
  });

  test("a purge of the cache does not make it forgotten", async () => {
    const { clock, shared, a, b } = setUp();
    a.breakers.noteFailure("tavily", "quota", null);
    await shared.cacheClear();
    await clock.advance(5_000);
    await a.sync();
    await b.sync();
    expect(b.breakers.mayAsk("tavily")).toBe(false);
  });
});

describe("the shared state fails", () => {
  test("down: each isolate goes by what it has seen, and probes by itself", async () => {
    const { clock, shared, a, b, fail } = setUp();
    shared.fault = "down";
    fail();
    expect(b.breakers.mayAsk("tavily")).toBe(true);
    await clock.advance(5_000);
    expect(await Promise.all([a.breakers.mayAsk("tavily"), a.breakers.mayAsk("tavily")])).toEqual([true, false]);
  });

  test("hanging: a probe does not wait for it", async () => {
    const { clock, shared, a, fail } = setUp();
    fail();
    shared.fault = "hangs";
    await clock.advance(5_000);
    const may = a.breakers.mayAsk("tavily");
    await clock.advance(300);
    expect(await may).toBe(true);
  });

  test("lying: what it names is bounded in number and in time, and gets into no metric", () => {
    const { clock, a } = setUp();
    const item = (i: number) => {
      return { name: `p${i}`, failures: 1, reason: "quota", openUntil: 9e15, trips: 1, changedAt: clock.now() - i };
    };
    for (let round = 0; round < 10; round++) {
      const breakers = Array.from({ length: 64 }, (_, i) => item(round * 64 + i));
      a.breakers.absorb(JSON.stringify({ breakers }));
    }
    a.breakers.noteFailure("tavily", "quota", null);
    expect(a.breakers.mayAsk("tavily")).toBe(false);
    expect(a.breakers.stateOf("p0")).toMatchObject({ state: "open", openUntil: clock.now() + 86_400_000 });
    expect(a.breakers.stateOf("p639")).toMatchObject({ state: "closed" });
    expect(a.counted.map(({ labels }) => labels)).toEqual([{ provider: "tavily" }]);
  });
});
