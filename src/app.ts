import { Hono } from "hono";
import { cors } from "hono/cors";
import type { Config } from "./config/config.ts";
import type { Clock } from "./core/clock.ts";
import { StorageUnavailable } from "./core/errors.ts";
import type { IdSource } from "./core/ids.ts";
import type { Logger } from "./core/logger.ts";
import { createDashboardRouter } from "./dashboard/router.ts";
import type { AppEnv } from "./http/context.ts";
import { createDocsEndpoints } from "./http/docs-routes.ts";
import { type Endpoint, type Guard, mountEndpoints, refusal } from "./http/endpoint.ts";
import type { Idempotency } from "./http/idempotency.ts";
import { createNotFound } from "./http/middleware/not-found.ts";
import { type NoteRequest, requestContext } from "./http/middleware/request-context.ts";

/** What a browser script of another origin may send and read. */
const CORS_REQUEST_HEADERS = [
  "Authorization",
  "Content-Type",
  "Idempotency-Key",
  "Last-Event-ID",
  "MCP-Protocol-Version",
  "Mcp-Method",
  "Mcp-Name",
  "Traceparent",
  "Tracestate",
  "X-API-Key",
  "X-Request-Id",
];
const CORS_EXPOSED_HEADERS = [
  "Age",
  "Cache-Status",
  "Idempotency-Replayed",
  "RateLimit",
  "RateLimit-Policy",
  "Retry-After",
  "WWW-Authenticate",
  "X-Request-Id",
  "X-Run-Id",
];

/** The whole HTTP surface: the layers in their order, then each feature's routes. */
export function createApp(deps: {
  readonly config: Config;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly log: Logger;
  readonly guard: Guard;
  readonly idempotency: Idempotency;
  readonly version: string;
  readonly endpoints: readonly Endpoint[];
  /** The dashboard's files by their path. */
  readonly fetchAsset: (path: string) => Promise<Response>;
  /** Told of every request once it is answered. */
  readonly noteRequest: NoteRequest;
}): Hono<AppEnv> {
  const { config, log } = deps;
  const endpoints = [...deps.endpoints, ...createDocsEndpoints(deps.endpoints, deps.version)];
  const app = new Hono<AppEnv>();
  const { ids, clock, noteRequest } = deps;
  const { PUBLIC_URL: publicUrl, TRUST_CF_CONNECTING_IP: trustsForwardedAddress } = config;
  const isShared = config.CORS_ORIGINS.length > 0;
  app.use(requestContext({ ids, clock, log, publicUrl, trustsForwardedAddress, isShared, noteRequest }));
  if (isShared) {
    app.use(
      cors({
        origin: config.CORS_ORIGINS.includes("*") ? "*" : config.CORS_ORIGINS,
        allowHeaders: CORS_REQUEST_HEADERS,
        exposeHeaders: CORS_EXPOSED_HEADERS,
      }),
    );
  }
  app.route("/", createDashboardRouter(deps.fetchAsset));
  app.route("/", mountEndpoints(endpoints, deps.guard, config.BODY_LIMIT_BYTES, deps.idempotency));
  app.notFound(createNotFound(endpoints.map((e) => e.spec)));
  app.onError(function answerSurprise(error, c) {
    log.error("unhandled_error", { requestId: c.get("requestId"), path: c.req.path, error });
    return error instanceof StorageUnavailable
      ? refusal(c, { code: "STORAGE_UNAVAILABLE", detail: "the documents store does not answer; try again soon" })
      : refusal(c, { code: "INTERNAL", detail: "internal error" });
  });
  return app;
}
