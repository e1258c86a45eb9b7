import { Validator } from "@cfworker/json-schema";
import { expect, test } from "vitest";
import * as z from "zod";
import type { AppError } from "../../../src/core/errors.ts";
import { describeApi } from "../../../src/http/openapi.ts";
import { describeProblem } from "../../../src/http/problem.ts";

test("what a route declares for bad input stands in place of the problem, and beside one of its own", () => {
  const fault = (status: number) => ({ status, description: "Refused", schema: z.object({ jsonrpc: z.string() }) });
  const described = describeApi(
    [
      {
        method: "post",
        path: "/rpc",
        operationId: "rpc",
        tag: "Test",
        summary: "RPC",
        access: "open",
        body: z.unknown(),
        responses: [{ status: 200, description: "Done" }, fault(400), fault(404), fault(415)],
        errors: ["NOT_FOUND"],
      },
    ],
    { version: "1" },
  );
  const { responses } = (described.paths as any)["/rpc"].post;
  const types = (status: number) => Object.keys(responses[status].content);
  expect([400, 404, 413, 415].map(types)).toEqual([
    ["application/json"],
    ["application/json", "application/problem+json"],
    ["application/problem+json"],
    ["application/json"],
  ]);
  expect(responses[404].description).toBe("Refused; NOT_FOUND");
});

test("an answer that comes in two types is one response with both", () => {
  const described = describeApi(
    [
      {
        method: "get",
        path: "/logs",
        operationId: "logs",
        tag: "Test",
        summary: "Logs",
        access: "open",
        responses: [
          { status: 200, description: "A page", schema: z.object({ items: z.array(z.string()) }) },
          { status: 200, description: "What happens", schema: z.string(), contentType: "text/event-stream" },
          { status: 204, description: "Nothing" },
        ],
      },
    ],
    { version: "1" },
  );
  expect(described.paths).toMatchObject({
    "/logs": {
      get: {
        responses: {
          "200": {
            description: "A page; What happens",
            content: {
              "application/json": { schema: { type: "object" } },
              "text/event-stream": { schema: { type: "string" } },
            },
          },
          "204": { description: "Nothing" },
        },
      },
    },
  });
});

const AGENT = {
  agentId: "agent_1",
  endpoint: "https://x.test/agents/agent_1",
  dashboardUrl: "https://x.test/dashboard",
};
const ATTEMPT = {
  provider: "tavily",
  outcome: "failed",
  reason: "timeout",
  httpStatus: null,
  durationMs: 3_000,
} as const;
const OF_A_RUN = { detail: "refused", runId: "run_1", step: "charge" };

test.each<AppError>([
  { code: "VALIDATION_FAILED", detail: "a: required", errors: [{ path: "a", message: "required" }] },
  { code: "ALREADY_DEPLOYED", detail: "deployed", ...AGENT },
  { code: "RATE_LIMITED", detail: "too many", violatedPolicies: ["burst"], retryAfterSeconds: 1 },
  { code: "POLICY_REFUSED", rule: "no-writes", ...OF_A_RUN },
  { code: "RUN_FAILED", ...OF_A_RUN },
  { code: "RUN_TIMEOUT", ...OF_A_RUN },
  { code: "SEARCH_UNAVAILABLE", detail: "none", attempts: [ATTEMPT], retryAfterSeconds: 1 },
  { code: "OVERLOADED", detail: "too many", retryAfterSeconds: 1 },
  { code: "INTERNAL", detail: "internal error" },
])("the description of a problem names all that $code carries", (error) => {
  const { components } = describeApi([], { version: "1" });
  const schema = {
    ...(components as { readonly schemas: { readonly Problem: object } }).schemas.Problem,
    additionalProperties: false,
  };
  const { body } = describeProblem(error, "req_1", "/x");
  expect(new Validator(schema, "2020-12", false).validate(body).errors).toEqual([]);
});
