import "../../src/zod-first.ts";

import { Hono } from "hono";
import { ok } from "../../src/core/result.ts";
import type { AppEnv } from "../../src/http/context.ts";
import { type AnyEndpointSpec, type Endpoint, mountEndpoints } from "../../src/http/endpoint.ts";
import { createNotFound } from "../../src/http/middleware/not-found.ts";
import { createMcpServing } from "../../src/mcp/serving.ts";
import { buildFixtures } from "./fixtures.ts";

// The bundler asks for every Durable Object that wrangler.toml names.
export * from "../../src/index.ts";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const serving = createMcpServing({ publicUrl: undefined, allowedOrigins: [], log: quiet });

const spec: AnyEndpointSpec = {
  method: "post",
  path: "/mcp",
  operationId: "callFixtures",
  tag: "MCP",
  summary: "The suite's fixtures, served as the product serves its own",
  access: "open",
  responses: [],
};

const fixtures: Endpoint = {
  spec,
  async handle(c, _guard, bodyLimitBytes) {
    const known = serving.admit(c);
    return known.ok ? serving.answer(c, bodyLimitBytes, buildFixtures) : serving.refuse(c, known.error);
  },
};

const app = new Hono<AppEnv>();
app.use(async function giveContext(c, next) {
  c.set("requestId", "req_conformance");
  c.set("origin", new URL(c.req.url).origin);
  c.set("event", {});
  await next();
});
app.route(
  "/",
  mountEndpoints([fixtures], async () => ok(null), 1_048_576),
);
app.notFound(createNotFound([spec]));

export default app;
