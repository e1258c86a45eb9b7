import { afterEach, beforeEach, expect, test, vi } from "vitest";

const EVENT_STREAM = "../../../src/dashboard/public/event-stream.js";
const { followEvents } = await import(EVENT_STREAM);

interface Connection {
  readonly at: number;
  readonly lastEventId: string | undefined;
  readonly signal: AbortSignal;
  send(text: string): void;
  end(): void;
}

let connections: Connection[] = [];
/** What the network answers with in place of a stream. */
let refusals: (Response | Error)[] = [];
let leave = new AbortController();
let page = new EventTarget();
const seen = { events: [] as unknown[], states: [] as string[] };

/** As a browser fetches: the signal ends the body too. */
async function fetchStream(_: URL, init: { headers: Record<string, string>; signal: AbortSignal }): Promise<Response> {
  const encoder = new TextEncoder();
  const { signal, headers } = init;
  let controller: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({
    start(c) {
      controller = c;
    },
  });
  signal.addEventListener("abort", () => controller.error(signal.reason));
  connections.push({
    at: Date.now(),
    lastEventId: headers["Last-Event-ID"],
    signal,
    send: (text) => controller.enqueue(encoder.encode(text)),
    end: () => controller.close(),
  });
  const refusal = refusals.shift();
  if (refusal instanceof Error) throw refusal;
  return refusal ?? new Response(body);
}

function follow(lastEventId = "") {
  return followEvents("/log", {
    signal: leave.signal,
    lastEventId,
    onEvent: (event: unknown) => seen.events.push(event),
    onState: (state: string) => seen.states.push(state),
  });
}

const settle = () => vi.advanceTimersByTimeAsync(0);
const last = () => {
  const connection = connections.at(-1);
  if (connection === undefined) throw new Error("nobody connected");
  return connection;
};

beforeEach(() => {
  vi.useFakeTimers();
  const document = Object.assign(new EventTarget(), { hidden: false, visibilityState: "visible" });
  page = new EventTarget();
  vi.stubGlobal("document", document);
  vi.stubGlobal("location", { origin: "http://localhost" });
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  vi.stubGlobal("fetch", fetchStream);
  vi.spyOn(Math, "random").mockReturnValue(0);
  connections = [];
  refusals = [];
  leave = new AbortController();
  seen.events = [];
  seen.states = [];
});

afterEach(() => {
  leave.abort();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test("a stream is taken up after the id that was given, and after its last event when it ends", async () => {
  follow("log_1");
  await settle();
  last().send('retry: 500\n\nid: log_2\ndata: {"n":2}\n\nid: log_3\ndata: {"n":3}\n\n');
  await settle();
  expect(seen.events).toEqual([{ n: 2 }, { n: 3 }]);
  last().end();
  await vi.advanceTimersByTimeAsync(499);
  expect(connections).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(connections.map(({ lastEventId }) => lastEventId)).toEqual(["log_1", "log_3"]);
  expect(seen.states).toEqual(["live", "live"]);
});

test("pauses grow while nobody answers, up to half a minute, and are spread", async () => {
  vi.spyOn(Math, "random").mockReturnValueOnce(0.5).mockReturnValue(0);
  refusals = Array.from({ length: 7 }, () => new TypeError("Failed to fetch"));
  follow();
  await vi.advanceTimersByTimeAsync(180_000);
  const pauses = connections.slice(1).map(({ at }, i) => at - (connections[i]?.at ?? 0));
  expect(pauses.slice(0, 7)).toEqual([2_500, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  expect(seen.states.slice(0, 8)).toEqual([...Array(7).fill("waiting"), "live"]);
});

test("nobody comes back sooner than the API asks for, unless the network has come back", async () => {
  refusals = [new Response("{}", { status: 429, headers: { "Retry-After": "9" } }), new TypeError("Failed to fetch")];
  follow();
  await vi.advanceTimersByTimeAsync(8_999);
  expect(connections).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(connections).toHaveLength(2);
  page.dispatchEvent(new Event("online"));
  await settle();
  expect(connections).toHaveLength(3);
  page.dispatchEvent(new Event("online"));
  await settle();
  expect(connections).toHaveLength(3);
});

test("a connection that falls silent is given up; a comment now and then keeps it", async () => {
  follow();
  await settle();
  for (let i = 0; i < 10; i++) {
    await vi.advanceTimersByTimeAsync(15_000);
    last().send(": nothing new\n\n");
  }
  expect(connections).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(connections[0]?.signal.aborted).toBe(true);
  expect(seen.states).toEqual(["live", "waiting"]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(connections).toHaveLength(2);
  expect(seen.states).toEqual(["live", "waiting", "live"]);
});

test("what coming back cannot mend is told, and tried again only when a person asks", async () => {
  refusals = [Response.json({ detail: "There is no such server" }, { status: 404 })];
  const events = follow();
  await vi.advanceTimersByTimeAsync(120_000);
  expect({ states: seen.states, connections: connections.length }).toEqual({ states: ["failed"], connections: 1 });
  events.resume();
  await settle();
  expect(seen.states).toEqual(["failed", "live"]);
});

test("leaving ends the connection, and the wait for the next one", async () => {
  follow();
  await settle();
  leave.abort();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(connections.map(({ signal }) => signal.aborted)).toEqual([true]);
  leave = new AbortController();
  refusals = [new TypeError("Failed to fetch")];
  follow();
  await settle();
  leave.abort();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(connections).toHaveLength(2);
});
