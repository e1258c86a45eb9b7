import { expect, test } from "vitest";

const EVENT_STREAM = "../../../src/dashboard/public/event-stream.js";
const { eventsOf } = await import(EVENT_STREAM);

async function read(...chunks: readonly (string | Uint8Array)[]) {
  const encoder = new TextEncoder();
  const bytes = chunks.map((chunk) => (typeof chunk === "string" ? encoder.encode(chunk) : chunk));
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of bytes) controller.enqueue(chunk);
      controller.close();
    },
  });
  const events: unknown[] = [];
  for await (const event of eventsOf(body)) events.push(event);
  return events;
}

test("events are read however they are cut into chunks", async () => {
  const text = 'retry: 2000\n\nid: run_1\nevent: run\ndata: {"name":"Übergröße"}\n\n: nothing new\n\n';
  const whole = [
    { id: undefined, data: "", retryMs: 2_000 },
    { id: "run_1", data: '{"name":"Übergröße"}', retryMs: undefined },
    { id: undefined, data: "", retryMs: undefined },
  ];
  expect(await read(text)).toEqual(whole);
  const bytes = new TextEncoder().encode(text);
  expect(await read(...Array.from(bytes, (_, i) => bytes.slice(i, i + 1)))).toEqual(whole);
});

test("lines may end in CR LF, and data may have several lines", async () => {
  expect(await read("id: a\r\ndata: one\r\ndata:two\r\n\r\n")).toEqual([
    { id: "a", data: "one\ntwo", retryMs: undefined },
  ]);
});

test("an event that the stream breaks off counts for nothing", async () => {
  expect(await read("id: a\ndata: 1\n\nid: b\ndata: 2\n")).toEqual([{ id: "a", data: "1", retryMs: undefined }]);
});

test("unknown fields, comments and a retry that is no number are passed over", async () => {
  expect(await read(":id: x\nretry: soon\nwhatever\nid\ndata: a: b\n\n")).toEqual([
    { id: "", data: "a: b", retryMs: undefined },
  ]);
});

test("a stream that breaks is a failure that may pass", async () => {
  const broken = new ReadableStream({
    pull(controller) {
      controller.error(new TypeError("network error"));
    },
  });
  await expect(eventsOf(broken).next()).rejects.toMatchObject({ status: 0, problem: { code: "NETWORK" } });
});
