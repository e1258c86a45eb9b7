import * as z from "zod";
import type { JsonObject } from "../core/json.ts";
import { ok } from "../core/result.ts";
import { renderDocsPage } from "./docs-page.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { describeApi } from "./openapi.ts";

/** The description of the API and its page. Both are made on the first request for them. */
export function createDocsEndpoints(described: readonly Endpoint[], version: string): readonly Endpoint[] {
  let document: JsonObject | undefined;
  const describe = () => {
    document ??= describeApi(
      [...described, ...own].map((e) => e.spec),
      { version },
    );
    return document;
  };
  const own: readonly Endpoint[] = [
    endpoint(
      {
        method: "get",
        path: "/openapi.json",
        operationId: "getOpenApi",
        tag: "Docs",
        summary: "This description",
        access: "open",
        responses: [{ status: 200, description: "OpenAPI 3.1", schema: z.record(z.string(), z.json()) }],
      },
      async () => ok(describe()),
    ),
    endpoint(
      {
        method: "get",
        path: "/docs",
        operationId: "getDocs",
        tag: "Docs",
        summary: "This description as a page",
        access: "open",
        responses: [{ status: 200, description: "A page", schema: z.string(), contentType: "text/html" }],
      },
      async () => renderDocsPage(describe()),
    ),
  ];
  return own;
}
