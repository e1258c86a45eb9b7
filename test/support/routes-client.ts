import { Hono } from "hono";
import type { Actor } from "../../src/core/actor.ts";
import { ok } from "../../src/core/result.ts";
import type { AppEnv } from "../../src/http/context.ts";
import { type Endpoint, mountEndpoints } from "../../src/http/endpoint.ts";

const BODY_LIMIT_BYTES = 262_144;

export interface RouteReply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined where there is none. */
  readonly body: any;
}

export type SendToRoutes = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<RouteReply>;

/** A feature's routes over HTTP, for whoever `actor` is; who that is has been settled already. A text is sent as it is. */
export function createRoutesClient(endpoints: readonly Endpoint[], actor: Actor): SendToRoutes {
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
    mountEndpoints(endpoints, async () => ok(null), BODY_LIMIT_BYTES),
  );
  return async (method, path, body, more = {}) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const response = await app.request(path, {
      method,
      ...(body === undefined ? {} : { body: text }),
      headers: { ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...more },
    });
    const answer = await response.text();
    const { status, headers } = response;
    return { status, headers, text: answer, body: answer === "" ? undefined : JSON.parse(answer) };
  };
}
