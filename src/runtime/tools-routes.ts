import * as z from "zod";
import { ok } from "../core/result.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import type { Registry } from "./registry.ts";
import { describeTools, renderToolsPage, type ToolDescription, toolDescription } from "./tools-page.ts";

/** What the tools of graphs are, for people and for machines. Made on the first request for it. */
export function createToolsEndpoints(registry: Registry): readonly Endpoint[] {
  let tools: readonly ToolDescription[] | undefined;
  const describe = () => {
    tools ??= describeTools(registry);
    return tools;
  };
  return [
    endpoint(
      {
        method: "get",
        path: "/docs/tools.json",
        operationId: "describeTools",
        tag: "Docs",
        summary: "The tools of graphs, with the schemas of their configs and outputs",
        access: "open",
        responses: [{ status: 200, description: "Every tool", schema: z.object({ tools: z.array(toolDescription) }) }],
      },
      async () => ok({ tools: describe() }),
    ),
    endpoint(
      {
        method: "get",
        path: "/docs/tools",
        operationId: "getToolsPage",
        tag: "Docs",
        summary: "The tools of graphs as a page",
        access: "open",
        responses: [{ status: 200, description: "A page", schema: z.string(), contentType: "text/html" }],
      },
      async () => {
        const { FUNCTIONS, MACROS } = await import("./expressions/functions.ts");
        return renderToolsPage(describe(), [...MACROS, ...Object.values(FUNCTIONS)]);
      },
    ),
  ];
}
