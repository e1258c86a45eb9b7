import { expect, test } from "vitest";
import { RUN_OUTPUT_MAX_BYTES } from "../../../../src/config/limits.ts";
import type { Fetch } from "../../../../src/core/fetch.ts";
import { VALUE_MAX_DEPTH } from "../../../../src/runtime/limits.ts";
import { type CallIsolate, type IsolateCode, isolatesOfProcess } from "../../../../src/runtime/sandbox/isolates.ts";
import { CODE_MAX_BYTES, SANDBOX_ERROR_MAX_CHARS } from "../../../../src/runtime/sandbox/limits.ts";
import { createSandbox, createSandboxOf } from "../../../../src/runtime/sandbox/sandbox.ts";

const SOURCE = "export default async (input) => input;";
const OWNER = { ownerId: "ann", signal: new AbortController().signal };
const GIVEN = { input: 1, outputs: {} };

/** An isolate that answers alike whatever it is given, and what it was called with. */
function answering(answer: () => Response | Promise<Response>) {
  const calls: { readonly name: string; readonly code: IsolateCode; readonly body: string }[] = [];
  const call: CallIsolate = async (name, code, body) => {
    calls.push({ name, code, body });
    return answer();
  };
  return { sandbox: createSandboxOf(call), calls };
}

function answerOf(body: BodyInit, status = 200) {
  return answering(() => new Response(body, { status })).sandbox.run(SOURCE, GIVEN, OWNER);
}

test("what the code returned comes out as JSON", async () => {
  expect(await answerOf('{"a":[1,null,"b"]}')).toEqual({ kind: "output", value: { a: [1, null, "b"] } });
});

test("the code is given its input and the outputs as JSON, and nothing else", async () => {
  const { sandbox, calls } = answering(() => new Response("1"));
  await sandbox.run(SOURCE, { input: { a: 1 }, outputs: { step: "x" } }, OWNER);
  expect(calls.map(({ body }) => JSON.parse(body))).toEqual([{ input: { a: 1 }, outputs: { step: "x" } }]);
});

test("an isolate has no network, no bindings, no Node and limits of its own", async () => {
  const { sandbox, calls } = answering(() => new Response("1"));
  await sandbox.run(SOURCE, GIVEN, OWNER);
  expect(calls[0]?.code).toMatchObject({
    globalOutbound: null,
    env: {},
    compatibilityFlags: expect.arrayContaining(["no_nodejs_compat", "no_nodejs_compat_v2"]),
    limits: { cpuMs: expect.any(Number), subRequests: 1 },
  });
});

test("runs share an isolate's name only with runs of the same source for the same owner", async () => {
  const { sandbox, calls } = answering(() => new Response("1"));
  const bob = { ...OWNER, ownerId: "bob" };
  await sandbox.run(SOURCE, GIVEN, OWNER);
  await sandbox.run(SOURCE, { input: 2, outputs: {} }, OWNER);
  await sandbox.run(SOURCE, GIVEN, bob);
  await sandbox.run(`${SOURCE} `, GIVEN, OWNER);
  const names = calls.map(({ name }) => name);
  expect(names[1]).toBe(names[0]);
  expect(new Set(names).size).toBe(3);
});

test("an owner and a source that read alike when joined still have names of their own", async () => {
  const { sandbox, calls } = answering(() => new Response("1"));
  await sandbox.run(`b${SOURCE}`, GIVEN, { ...OWNER, ownerId: "a" });
  await sandbox.run(SOURCE, GIVEN, { ...OWNER, ownerId: "ab" });
  expect(calls[0]?.name).not.toBe(calls[1]?.name);
});

test("code above its size is not run", async () => {
  const { sandbox, calls } = answering(() => new Response("1"));
  const answer = await sandbox.run("é".repeat(CODE_MAX_BYTES / 2 + 1), GIVEN, OWNER);
  expect(answer).toEqual({ kind: "failed", message: `the code is longer than ${CODE_MAX_BYTES} bytes` });
  expect(calls).toEqual([]);
});

test.each([
  ["larger than an output", `"${"x".repeat(RUN_OUTPUT_MAX_BYTES)}"`, /larger than/],
  ["nested too deep", "[".repeat(VALUE_MAX_DEPTH + 1) + "]".repeat(VALUE_MAX_DEPTH + 1), /nests deeper/],
  ["with a property that is a prototype", '{"a":{"\\u005f_proto__":{"isAdmin":true}}}', /__proto__/],
  ["that is no JSON", "undefined", /not JSON/],
  ["of bytes that are no text", new Uint8Array([0x22, 0xff, 0x22]), /not JSON/],
])("a result %s fails", async (_what, body, message) => {
  const answer = await answerOf(body);
  expect(answer).toEqual({ kind: "failed", message: expect.stringMatching(message) });
});

test("a result without end is cut off where an output ends", async () => {
  let sent = 0;
  const chunk = new Uint8Array(65_536).fill(0x20);
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += chunk.length;
      controller.enqueue(chunk);
    },
  });
  const answer = await answerOf(endless);
  expect(answer).toEqual({ kind: "failed", message: expect.stringMatching(/larger than/) });
  expect(sent).toBeLessThan(2 * RUN_OUTPUT_MAX_BYTES);
});

test("what the code threw is told by its name and message", async () => {
  const answer = await answerOf('{"name":"TypeError","message":"x is not a function"}', 422);
  expect(answer).toEqual({ kind: "failed", message: "the code threw TypeError: x is not a function" });
});

test.each([
  ["a name that is no text", '{"name":{"a":1},"message":"m"}', "the code threw m"],
  ["nothing of itself", "null", "the code threw something that says nothing of itself"],
  ["several lines", '{"name":"E","message":"a\\nlevel=error\\u2028b"}', "the code threw E: a level=error b"],
])("an error that tells %s stays one sentence", async (_what, body, message) => {
  expect(await answerOf(body, 422)).toEqual({ kind: "failed", message });
});

test("a long error is cut", async () => {
  const answer = await answerOf(JSON.stringify({ name: "E", message: "m".repeat(5_000) }), 422);
  expect(answer.kind === "failed" && answer.message.length).toBe(SANDBOX_ERROR_MAX_CHARS);
});

test("code that cannot be started fails with what the runtime says of it, and the line", async () => {
  const { sandbox } = answering(() =>
    Promise.reject(
      new Error(
        "Failed to start Worker:\nUncaught SyntaxError: Unexpected token ';'\n  at code.js:3:14\n  at wrapper.js:9:1",
      ),
    ),
  );
  expect(await sandbox.run(SOURCE, GIVEN, OWNER)).toEqual({
    kind: "failed",
    message: "the code could not be run: Uncaught SyntaxError: Unexpected token ';' (line 3)",
  });
});

test("code whose time is up is waited for no longer", async () => {
  const ended = new AbortController();
  const { sandbox } = answering(() => {
    ended.abort();
    return Promise.reject(ended.signal.reason);
  });
  const answer = await sandbox.run(SOURCE, GIVEN, { ownerId: "ann", signal: ended.signal });
  expect(answer).toEqual({ kind: "failed", message: "the code was stopped: its time was up" });
});

test("code whose time was up before is not started", async () => {
  const { sandbox, calls } = answering(() => new Response("1"));
  const answer = await sandbox.run(SOURCE, GIVEN, { ownerId: "ann", signal: AbortSignal.abort() });
  expect(answer.kind).toBe("failed");
  expect(calls).toEqual([]);
});

test("there is no sandbox where nothing is bound", () => {
  expect(createSandbox({})).toBeNull();
});

test("a process for the code goes before a loader beside the Worker", async () => {
  const asked: string[] = [];
  const process = {
    fetch: async (url: string) => {
      asked.push(url);
      return new Response("7");
    },
  } as unknown as Fetcher;
  const loader = { get: () => expect.unreachable("the Worker's own process runs no code") } as unknown as WorkerLoader;
  const sandbox = createSandbox({ LOADER: loader, SANDBOX: process });
  expect(await sandbox?.run(SOURCE, GIVEN, OWNER)).toEqual({ kind: "output", value: 7 });
  expect(asked).toHaveLength(1);
});

function ofProcess(fetch: Fetch) {
  return createSandboxOf(isolatesOfProcess({ fetch }));
}

test.each([
  ["held its process", 503, "it used too much time", { message: "the code could not be run: it used too much time" }],
  [
    "could not be started",
    500,
    "Uncaught SyntaxError: Unexpected end of input",
    { message: "the code could not be run: Uncaught SyntaxError: Unexpected end of input" },
  ],
  [
    "had no process to run in",
    502,
    "its process could not be started",
    { message: "the code could not be run: its process could not be started", isPassing: true },
  ],
])("code that %s fails the run", async (_what, status, body, failure) => {
  const sandbox = ofProcess(async () => new Response(body, { status }));
  expect(await sandbox.run(SOURCE, GIVEN, OWNER)).toEqual({ kind: "failed", ...failure });
});

test("a process is told whose call it is, and hung up on when the time is up", async () => {
  const ended = new AbortController();
  const told: unknown[] = [];
  const sandbox = ofProcess(async (_url, { headers, signal }) => {
    told.push(headers);
    ended.abort();
    throw signal?.reason;
  });
  const answer = await sandbox.run(SOURCE, GIVEN, { ownerId: "ann ü\ud800", signal: ended.signal });
  expect(answer).toEqual({ kind: "failed", message: "the code was stopped: its time was up" });
  expect(told).toEqual([{ "x-sandbox-owner": "ann%20%C3%BC%EF%BF%BD" }]);
});

test.each([
  ["Worker exceeded CPU time limit.", false],
  ["Uncaught SyntaxError: internal error", false],
  ["Worker exceeded memory limit.", true],
  ["internal error; reference = 0123", true],
  ["Network connection lost.", true],
])("of an isolate beside the Worker, %s is passing: %s", async (message, isPassing) => {
  const fetch = () => Promise.reject(new Error(message));
  const loader = { get: () => ({ getEntrypoint: () => ({ fetch }) }) } as unknown as WorkerLoader;
  const answer = await createSandbox({ LOADER: loader })?.run(SOURCE, GIVEN, OWNER);
  expect(answer).toEqual({
    kind: "failed",
    message: `the code could not be run: ${message}`,
    ...(isPassing && { isPassing }),
  });
});
