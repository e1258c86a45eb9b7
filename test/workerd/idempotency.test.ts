import { env } from "cloudflare:workers";
import { Hono } from "hono";
import { expect, test } from "vitest";
import * as z from "zod";
import { systemClock } from "../../src/core/clock.ts";
import { createIdSource, systemRandom } from "../../src/core/ids.ts";
import { ok } from "../../src/core/result.ts";
import type { AppEnv } from "../../src/http/context.ts";
import { endpoint, mountEndpoints } from "../../src/http/endpoint.ts";
import { createIdempotency } from "../../src/http/idempotency.ts";
import { createEmbeddedDocuments } from "../../src/storage/documents/embedded.ts";
import { newOwner } from "../support/app.ts";
import { createTestLog, keyOf } from "../support/runtime/runtime.ts";

/** One isolate with one idempotent route; all of them share the Durable Objects. */
function createIsolate(ownerId: string, work: () => Promise<object>) {
  const ids = createIdSource(systemClock, systemRandom);
  const idempotency = createIdempotency({
    documents: createEmbeddedDocuments({ namespace: env.DOCUMENTS, ids }),
    clock: systemClock,
    ids,
    defer: () => {},
    log: createTestLog().log,
  });
  const route = endpoint(
    {
      method: "post",
      path: "/work",
      operationId: "work",
      tag: "Test",
      summary: "Works",
      access: "deploy",
      idempotent: true,
      body: z.unknown(),
      responses: [{ status: 201, description: "Done", schema: z.unknown() }],
    },
    async () => ok(await work()),
  );
  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    c.set("requestId", "req_test");
    c.set("event", {});
    c.set("actor", keyOf(ownerId, "deploy"));
    await next();
  });
  app.route(
    "/",
    mountEndpoints([route], async () => ok(null), 262_144, idempotency),
  );
  return async function post(key: string, body: unknown = {}) {
    const response = await app.request("http://orchestrix.test/work", {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": key },
      body: JSON.stringify(body),
    });
    const answer = await response.json<{ code?: string; made?: number }>();
    return { status: response.status, answer, replayed: response.headers.has("Idempotency-Replayed") };
  };
}

test("of 100 requests with one key over four isolates one is carried out, and every later one gets its answer", async () => {
  const ownerId = newOwner();
  let made = 0;
  const isolates = Array.from({ length: 4 }, () =>
    createIsolate(ownerId, async () => {
      await scheduler.wait(20);
      return { made: ++made };
    }),
  );
  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => isolates[i % 4]?.("key-1")));
  expect(made).toBe(1);
  expect(answers.filter((answer) => answer?.status === 201 && !answer.replayed)).toHaveLength(1);
  for (const answer of answers) {
    if (answer?.status === 201) expect(answer.answer).toEqual({ made: 1 });
    else expect([answer?.status, answer?.answer.code]).toEqual([409, "DUPLICATE"]);
  }
  for (const post of isolates)
    expect(await post("key-1")).toEqual({ status: 201, answer: { made: 1 }, replayed: true });
  expect((await isolates[1]?.("key-1", { other: true }))?.status).toBe(422);
  expect((await isolates[1]?.("key-2"))?.answer).toEqual({ made: 2 });
});
