import { Hono } from "hono";
import type { Actor } from "../../../src/core/actor.ts";
import { ok } from "../../../src/core/result.ts";
import type { AppEnv } from "../../../src/http/context.ts";
import { mountEndpoints } from "../../../src/http/endpoint.ts";
import type { SearchAnswer } from "../../../src/search/contract.ts";
import { createSearchEndpoints } from "../../../src/search/routes.ts";
import type { SearchService } from "../../../src/search/service.ts";
import { keyOf } from "./harness.ts";

const BODY_LIMIT_BYTES = 262_144;

/** A problem's members stand beside those of an answer: a test asserts on the ones that it expects. */
export interface HttpReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: SearchAnswer & Record<string, unknown>;
}

export interface SearchHttp {
  as(actor: Actor): SearchHttp;
  get(path: string): Promise<HttpReply>;
  post(path: string, body: unknown): Promise<HttpReply>;
  put(path: string, body: unknown): Promise<HttpReply>;
  delete(path: string): Promise<HttpReply>;
}

/** The search routes over HTTP, for whoever `as` names; who that is has been settled already. */
export function createSearchHttp(service: SearchService, actor: Actor = keyOf("owner-1")): SearchHttp {
  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    c.set("requestId", "req-test");
    c.set("origin", "http://localhost");
    c.set("event", {});
    c.set("actor", actor);
    await next();
  });
  app.route(
    "/",
    mountEndpoints(createSearchEndpoints(service), async () => ok(null), BODY_LIMIT_BYTES),
  );

  async function send(method: string, path: string, body?: unknown): Promise<HttpReply> {
    const response = await app.request(path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) };
  }

  return {
    as: (other) => createSearchHttp(service, other),
    get: (path) => send("GET", path),
    post: (path, body) => send("POST", path, body),
    put: (path, body) => send("PUT", path, body),
    delete: (path) => send("DELETE", path),
  };
}
