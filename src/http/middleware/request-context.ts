import type { MiddlewareHandler } from "hono";
import { REQUEST_ID_MAX_CHARS } from "../../config/limits.ts";
import type { Clock } from "../../core/clock.ts";
import type { IdSource } from "../../core/ids.ts";
import type { Logger } from "../../core/logger.ts";
import type { AppEnv } from "../context.ts";
import { rateLimitHeaders } from "../rate-limit-headers.ts";

const VALID_REQUEST_ID = new RegExp(`^[A-Za-z0-9._-]{1,${REQUEST_ID_MAX_CHARS}}$`);

const CSP = "Content-Security-Policy";

/**
 * The outermost layer: gives the request its id, and once it is answered sets the headers that every answer has and
 * writes the one log event of the request. Query strings are not logged: they carry what people search for.
 */
export function requestContext(deps: {
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly log: Logger;
  readonly publicUrl: string | undefined;
}): MiddlewareHandler<AppEnv> {
  return async function withRequestContext(c, next) {
    const startedAt = deps.clock.now();
    const given = c.req.header("x-request-id");
    const requestId = given !== undefined && VALID_REQUEST_ID.test(given) ? given : deps.ids.next("req");
    c.set("requestId", requestId);
    c.set("origin", deps.publicUrl ?? new URL(c.req.url).origin);
    c.set("event", {});
    await next();
    const durationMs = deps.clock.now() - startedAt;
    const { headers } = c.res;
    headers.set("X-Request-Id", requestId);
    if (!headers.has(CSP)) headers.set(CSP, "default-src 'none'; frame-ancestors 'none'");
    headers.append("Server-Timing", `total;dur=${durationMs}`);
    const admission = c.get("admission");
    if (admission !== undefined) {
      for (const [name, value] of Object.entries(rateLimitHeaders(admission))) headers.set(name, value);
    }
    deps.log.info("request", {
      requestId,
      method: c.req.method,
      path: c.req.path,
      status: c.res.status,
      durationMs,
      ...c.get("event"),
    });
  };
}
