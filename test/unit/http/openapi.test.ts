import { expect, test } from "vitest";
import * as z from "zod";
import { describeApi } from "../../../src/http/openapi.ts";

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
