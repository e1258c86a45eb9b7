import { Hono } from "hono";
import { expect, test } from "vitest";
import * as z from "zod";
import type { Actor } from "../../../src/core/actor.ts";
import { ok } from "../../../src/core/result.ts";
import type { AppEnv } from "../../../src/http/context.ts";
import { endpoint, mountEndpoints } from "../../../src/http/endpoint.ts";
import { createMemo } from "../../../src/http/input.ts";

const BODY_LIMIT = 10_000;

const ANYBODY: Actor = { kind: "anonymous", id: "anonymous" };
const ACTORS: Readonly<Record<string, Actor>> = {
  admin: { kind: "admin", id: "admin" },
  system: { kind: "system", id: "system" },
};

/** Two routes whose inputs come again and again, and how often each was parsed. */
function createRoutes() {
  let parses = 0;
  const counted = z.string().transform((text) => {
    parses++;
    return text.trim();
  });
  const answer = { status: 200, description: "ok", schema: z.object({ text: z.string() }) };
  const common = { path: "/x", tag: "t", summary: "s", access: "open", repeats: true, responses: [answer] } as const;
  const routes = mountEndpoints(
    [
      endpoint(
        { ...common, method: "get", operationId: "get", query: z.strictObject({ text: counted }) },
        async ({ query }) => ok(query),
      ),
      endpoint(
        { ...common, method: "post", operationId: "post", body: z.strictObject({ text: counted }) },
        async ({ body }) => ok(body),
      ),
    ],
    async () => ok(null),
    BODY_LIMIT,
  );
  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    c.set("requestId", "req");
    c.set("actor", ACTORS[c.req.header("x-actor") ?? ""] ?? ANYBODY);
    c.set("origin", "http://x");
    c.set("event", {});
    await next();
  });
  app.route("/", routes);
  const ask = async (path: string, body?: string) => {
    const init = body === undefined ? {} : { method: "POST", body, headers: { "Content-Type": "application/json" } };
    const response = await app.request(path, init);
    return [response.status, ((await response.json()) as { text?: string }).text];
  };
  return { app, ask, parses: () => parses };
}

test("a query string that comes again is parsed once, another one by itself", async () => {
  const { ask, parses } = createRoutes();
  for (let n = 0; n < 3; n++) expect(await ask("/x?text=%20a")).toEqual([200, "a"]);
  expect(parses()).toBe(1);
  expect(await ask("/x?text=b")).toEqual([200, "b"]);
  expect(await ask("/x?text=a?text=c")).toEqual([200, "a?text=c"]);
  expect(parses()).toBe(3);
});

test("a body that comes again is parsed once, another one by itself", async () => {
  const { ask, parses } = createRoutes();
  for (let n = 0; n < 3; n++) expect(await ask("/x", '{"text":" a"}')).toEqual([200, "a"]);
  expect(await ask("/x", '{"text":"b"}')).toEqual([200, "b"]);
  expect(parses()).toBe(2);
});

test("what is refused is refused each time", async () => {
  const { ask } = createRoutes();
  for (const path of ["/x", "/x?", "/x?text=a&text=b", "/x?text=a&other=1"]) {
    for (let n = 0; n < 2; n++) expect((await ask(path))[0]).toBe(400);
  }
  for (const body of ["", "{}", '{"text":1}', '{"text":"a"', `{"text":"${"x".repeat(BODY_LIMIT)}"}`]) {
    for (let n = 0; n < 2; n++) expect((await ask("/x", body))[0]).toBeGreaterThanOrEqual(400);
  }
});

/** A route that keeps what it gets, and one whose body is a run's input. */
function createTextRoutes() {
  const answer = { status: 200, description: "ok", schema: z.unknown() };
  const common = { method: "post", tag: "t", summary: "s", access: "open", responses: [answer] } as const;
  const body = z.object({ name: z.string().optional(), config: z.record(z.string(), z.json()).optional() });
  const routes = mountEndpoints(
    [
      endpoint({ ...common, path: "/keep", operationId: "keep", body }, async ({ body }) => ok(body)),
      endpoint({ ...common, path: "/run", operationId: "run", body: z.json(), anyText: true }, async ({ body }) =>
        ok(body),
      ),
    ],
    async () => ok(null),
    BODY_LIMIT,
  );
  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    c.set("requestId", "req");
    c.set("actor", ACTORS[c.req.header("x-actor") ?? ""] ?? ANYBODY);
    c.set("event", {});
    await next();
  });
  app.route("/", routes);
  return async (path: string, body: string) => {
    const headers = { "Content-Type": "application/json" };
    const response = await app.request(path, { method: "POST", body, headers });
    const text = await response.text();
    return { status: response.status, text, body: JSON.parse(text) };
  };
}

test.each([
  ["half a pair", '{"name":"\\ud800"}', "name", "not valid Unicode"],
  ["the other half", '{"name":"a\\udc00b"}', "name", "not valid Unicode"],
  ["one in a list", '{"config":{"a":[1,{"b":"\\uDBFF"}]}}', "config.a.1.b", "not valid Unicode"],
  ["one in a name", '{"config":{"a":{"x\\ud800":1}}}', "config.a.x\ufffd", "not valid Unicode"],
  ["NUL in a name", '{"config":{"a":{"x\\u0000y":1}}}', "config.a.x\0y", "a field's name has no NUL"],
])("text that no store takes is refused where it stands: %s", async (_title, body, path, message) => {
  const ask = createTextRoutes();
  const kept = await ask("/keep", body);
  expect(kept.status).toBe(400);
  expect(kept.body).toMatchObject({ code: "VALIDATION_FAILED", errors: [{ path, message }] });
  expect(kept.text).not.toMatch(/\\ud[89a-f]/i);
  expect(await ask("/run", body)).toMatchObject({ status: 200, body: JSON.parse(body) });
});

test.each([
  ["escaped pairs", '{"name":"\\ud83d\\ude00"}'],
  ["NUL in a value", '{"name":"a\\u0000b"}'],
  ["a backslash before a u", '{"name":"C:\\\\ud800"}'],
  ["half a pair that the schema drops", '{"name":"x","other":"\\ud800"}'],
])("other text is taken: %s", async (_title, body) => {
  const { name } = JSON.parse(body);
  expect(await createTextRoutes()("/keep", body)).toMatchObject({ status: 200, body: { name } });
});

test("a body that is full of such text has an answer of bounded size", async () => {
  const full = JSON.stringify({ config: { a: Array.from({ length: 1_000 }, () => "\ud800") } });
  const { status, body } = await createTextRoutes()("/keep", full);
  expect(status).toBe(400);
  expect(body.errors).toHaveLength(20);
});

test("a parameter that is given twice is told so", async () => {
  const { app } = createRoutes();
  const response = await app.request("/x?text=a&text=b&other=1&other=2");
  const { errors } = (await response.json()) as { errors: unknown };
  expect([response.status, errors]).toEqual([
    400,
    expect.arrayContaining([{ path: "text", message: "must be given only once" }]),
  ]);
});

test("a memo is bounded: the oldest goes first, and a long text is not kept", () => {
  const memo = createMemo<number>();
  for (let n = 0; n < 600; n++) memo.set(`text ${n}`, n);
  expect([memo.get("text 0"), memo.get("text 599")]).toEqual([undefined, 599]);
  memo.set("x".repeat(5_000), 1);
  expect(memo.get("x".repeat(5_000))).toBeUndefined();
  for (const odd of ["__proto__", "constructor", ""]) {
    expect(memo.get(odd)).toBeUndefined();
    memo.set(odd, 7);
    expect(memo.get(odd)).toBe(7);
  }
});

test("a body above the limit is taken from this Worker itself, and from nobody else", async () => {
  const { app } = createRoutes();
  const post = async (actor: string) => {
    const headers = { "Content-Type": "application/json", "x-actor": actor };
    const body = JSON.stringify({ text: "x".repeat(BODY_LIMIT) });
    return (await app.request("/x", { method: "POST", body, headers })).status;
  };
  expect(await post("system")).toBe(200);
  for (const actor of ["admin", "anybody"]) expect(await post(actor)).toBe(413);
});
