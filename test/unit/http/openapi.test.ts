import { expect, test } from "vitest";
import * as z from "zod";
import { describeApi } from "../../../src/http/openapi.ts";

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
