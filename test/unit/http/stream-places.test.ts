import { Hono } from "hono";
import { expect, test } from "vitest";
import { notFound } from "../../../src/core/errors.ts";
import { ok, type Result } from "../../../src/core/result.ts";
import type { AppEnv } from "../../../src/http/context.ts";
import { refusal } from "../../../src/http/endpoint.ts";
import { createEventStream, type EventPage } from "../../../src/http/event-stream.ts";
import { createStreamPlaces, type StreamPlace } from "../../../src/http/stream-places.ts";
import { createFakeClock } from "../../support/fake-clock.ts";

const PER_CALLER = 20;
const PER_ISOLATE = 50;
const MAX_MS = 60_000;
const LEASE_MS = 20_000;
const NOTHING: EventPage = { text: "", caughtUp: true };

type Open = (place: StreamPlace) => Promise<Result<Response>>;

interface Options {
  readonly read?: () => Promise<EventPage>;
  readonly signal?: AbortSignal;
  readonly mayContinue?: () => Promise<boolean>;
}

function createScene() {
  const clock = createFakeClock();
  const places = createStreamPlaces({ clock });
  const limits = { pollMs: 1_000, heartbeatMs: 5_000, recheckMs: 8_000, maxMs: MAX_MS, maxReads: 450 };
  const first = { text: "retry: 1\n\n", caughtUp: true };

  /** Opens as a stream of events does, unless `open` says otherwise. */
  async function follow(caller: string, options: Options = {}, open?: Open, method = "GET"): Promise<Response> {
    const { read = async () => NOTHING, ...more } = options;
    const stream: Open = async (place) =>
      ok(createEventStream({ clock, limits, first, read, onBroken: () => {}, place, ...more }));
    const app = new Hono<AppEnv>();
    app.get("/", async (c) => {
      c.set("requestId", "req_test");
      c.set("event", {});
      c.set("actor", { kind: "key", id: caller, ownerId: "user-1", scopes: new Set() });
      const opened = await places.open(c, open ?? stream);
      return opened.ok ? opened.value : refusal(c, opened.error);
    });
    app.onError((error) => new Response(error.message, { status: 500 }));
    return app.request("/", { method });
  }

  /** How many more of this caller's streams would be let in. They are ended again. */
  async function countFree(caller: string): Promise<number> {
    const opened: Response[] = [];
    for (;;) {
      const response = await follow(caller);
      if (response.status !== 200) break;
      opened.push(response);
    }
    for (const { body } of opened) await body?.cancel();
    return opened.length;
  }

  return { clock, follow, countFree };
}

/** Takes all that comes. */
async function drain(response: Response): Promise<void> {
  await response.text().catch(() => {});
}

test("a caller's streams are capped, with when to come back and what to do instead", async () => {
  const { follow, countFree } = createScene();
  for (let i = 0; i < PER_CALLER; i++) expect((await follow("key_1")).status).toBe(200);
  const refused = await follow("key_1");
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  expect(await refused.json()).toMatchObject({
    code: "RATE_LIMITED",
    detail: expect.stringMatching(/20 at once.*or read the list/),
    "violated-policies": ["streams-per-caller"],
  });
  expect(await countFree("key_2")).toBe(PER_CALLER);
});

test("so are all streams of an isolate", async () => {
  const { follow } = createScene();
  for (let i = 0; i < PER_ISOLATE; i++) expect((await follow(`key_${i % 10}`)).status).toBe(200);
  const refused = await follow("key_new");
  expect(refused.status).toBe(429);
  expect(await refused.json()).toMatchObject({ "violated-policies": ["streams"] });
});

test("a stream that lives keeps its place for all its time", async () => {
  const { clock, follow, countFree } = createScene();
  const draining = drain(await follow("key_1"));
  for (let passed = 0; passed < MAX_MS - 1_000; passed += 1_000) {
    expect(await countFree("key_1")).toBe(PER_CALLER - 1);
    await clock.advance(1_000);
  }
  await clock.advance(2_000);
  await draining;
  expect(await countFree("key_1")).toBe(PER_CALLER);
});

test("a place is free again once its stream has ended, in whatever way", async () => {
  const { clock, follow, countFree } = createScene();
  const gone = new AbortController();
  const fails = async () => Promise.reject(new Error("no answer"));
  const ways: Record<string, () => Promise<unknown>> = {
    "the client cancels": async () => (await follow("key_1")).body?.cancel(),
    "the client cancels in the middle of a read": async () => {
      const reader = (await follow("key_1", { read: () => new Promise(() => {}) })).body?.getReader();
      await reader?.read();
      const next = reader?.read();
      await clock.advance(1_000);
      await reader?.cancel();
      await next;
    },
    "the request is aborted": async () => {
      const draining = drain(await follow("key_1", { signal: gone.signal }));
      await clock.advance(1_500);
      gone.abort();
      await draining;
    },
    "the request was aborted before": async () => follow("key_1", { signal: gone.signal }),
    "its key is revoked": async () => {
      const draining = drain(await follow("key_1", { mayContinue: async () => false }));
      await clock.advance(9_000);
      await draining;
    },
    "whether its key is revoked cannot be told": async () => {
      const draining = drain(await follow("key_1", { mayContinue: fails }));
      await clock.advance(9_000);
      await draining;
    },
    "a read fails": async () => {
      const draining = drain(await follow("key_1", { read: fails }));
      await clock.advance(1_000);
      await draining;
    },
    "its reads are used up": async () => {
      const more = { text: ": more\n\n", caughtUp: false };
      const draining = drain(await follow("key_1", { read: async () => more }));
      await clock.advance(1_000);
      await draining;
    },
    "it could not be opened": async () => follow("key_1", {}, fails),
    "it was refused": async () => follow("key_1", {}, async () => notFound("agent")),
    "only its head was asked for": async () => follow("key_1", {}, undefined, "HEAD"),
  };
  for (const [way, end] of Object.entries(ways)) {
    await end();
    expect(await countFree("key_1"), way).toBe(PER_CALLER);
  }
});

test("a client that takes nothing holds its place for a stream's time, and no longer", async () => {
  const { clock, follow, countFree } = createScene();
  const stuck = await follow("key_1");
  await clock.advance(MAX_MS);
  expect(await countFree("key_1")).toBe(PER_CALLER - 1);
  await clock.advance(10_000);
  expect(await countFree("key_1")).toBe(PER_CALLER);
  await expect(stuck.text()).rejects.toThrow("does not take");
});

test("a stream that the runtime dropped without a word gives its place up soon", async () => {
  const { clock, follow, countFree } = createScene();
  let place: StreamPlace | null = null;
  await follow("key_1", {}, async (given) => {
    place = given;
    return ok(new Response(""));
  });
  await clock.advance(LEASE_MS - 1);
  expect(await countFree("key_1")).toBe(PER_CALLER - 1);
  await clock.advance(1);
  expect(await countFree("key_1")).toBe(PER_CALLER);
  // It was only slow.
  (place as StreamPlace | null)?.renew();
  expect(await countFree("key_1")).toBe(PER_CALLER - 1);
  (place as StreamPlace | null)?.giveBack();
  (place as StreamPlace | null)?.renew();
  expect(await countFree("key_1")).toBe(PER_CALLER);
});
