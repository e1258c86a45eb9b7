import type { MiddlewareHandler } from "hono";
import { REQUEST_ID_MAX_CHARS } from "../../config/limits.ts";
import type { Clock } from "../../core/clock.ts";
import type { AppError } from "../../core/errors.ts";
import type { IdSource } from "../../core/ids.ts";
import type { Json } from "../../core/json.ts";
import type { Logger } from "../../core/logger.ts";
import type { AppEnv } from "../context.ts";
import { refusal } from "../endpoint.ts";
import { setRateLimitHeaders } from "../rate-limit-headers.ts";
import { setSecurityHeaders } from "../security-headers.ts";

const VALID_REQUEST_ID = new RegExp(`^[A-Za-z0-9._-]{1,${REQUEST_ID_MAX_CHARS}}$`);

/** The route is as declared (`GET /search`); absent where none took the request. */
export type NoteRequest = (route: Json | undefined, status: number, durationMs: number) => void;

/**
 * The outermost layer: gives the request its id, and once it is answered sets the headers that every answer has and
 * writes the one log event of the request. Query strings are not logged: they carry what people search for.
 */
export function requestContext(deps: {
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly log: Logger;
  readonly publicUrl: string | undefined;
  readonly trustsForwardedAddress: boolean;
  /** Whether scripts of other origins may read answers. */
  readonly isShared: boolean;
  readonly noteRequest: NoteRequest;
}): MiddlewareHandler<AppEnv> {
  return async function withRequestContext(c, next) {
    const startedAt = deps.clock.now();
    const given = c.req.header("x-request-id");
    const requestId = given !== undefined && VALID_REQUEST_ID.test(given) ? given : deps.ids.next("req");
    c.set("requestId", requestId);
    const called = originOf(c.req.url);
    c.set("origin", deps.publicUrl ?? called);
    c.set("trustsForwardedAddress", deps.trustsForwardedAddress);
    c.set("event", {});
    if (ORIGIN.test(called)) await next();
    else c.res = refusal(c, BAD_HOST);
    const durationMs = deps.clock.now() - startedAt;
    const { headers } = c.res;
    headers.set("X-Request-Id", requestId);
    setSecurityHeaders(headers, deps);
    headers.append("Server-Timing", `total;dur=${durationMs}`);
    const admission = c.get("admission");
    if (admission !== undefined) {
      setRateLimitHeaders(headers, admission);
      if (admission.local) {
        // The shared limiter does not answer: the figures are this isolate's own.
        headers.append("Server-Timing", 'admission;desc="local"');
        c.get("event").admission = "local";
      }
    }
    deps.noteRequest(c.get("event").route, c.res.status, durationMs);
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

/** What every name and address of a host keeps to. Runtimes hand on the Host that the caller sent, whatever it holds. */
const ORIGIN = /^https?:\/\/(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

const BAD_HOST: AppError = {
  code: "VALIDATION_FAILED",
  detail: "Host: must be the name or address of a host",
  errors: [{ path: "Host", message: "must be the name or address of a host" }],
};

/** What stands before the path. */
function originOf(url: string): string {
  const path = url.indexOf("/", url.indexOf("//") + 2);
  return path === -1 ? url : url.slice(0, path);
}
