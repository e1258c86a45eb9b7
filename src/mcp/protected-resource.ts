import * as z from "zod";
import { notFound } from "../core/errors.ts";
import { ok } from "../core/result.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { isAgentId } from "../runtime/contract.ts";

const WELL_KNOWN = "/.well-known/oauth-protected-resource";

/** RFC 9728. No authorization servers: keys are given out by the operator. */
const metadata = z
  .object({
    resource: z.url(),
    resource_name: z.string(),
    resource_documentation: z.url(),
    bearer_methods_supported: z.array(z.literal("header")),
  })
  .meta({ id: "ProtectedResource" });

/** Where the resource at this path of ours is described. */
export function metadataUrl(origin: string, path: string): string {
  return `${origin}${WELL_KNOWN}${path}`;
}

function describeResource(origin: string, path: string, name: string): z.output<typeof metadata> {
  return {
    resource: `${origin}${path}`,
    resource_name: name,
    resource_documentation: `${origin}/docs`,
    bearer_methods_supported: ["header"],
  };
}

/** What a client that was answered 401 asks for next. Says nothing of whether an agent exists. */
export function createProtectedResourceEndpoints(): readonly Endpoint[] {
  const common = { method: "get", tag: "MCP", access: "open" } as const;
  const responses = [{ status: 200, description: "How to be let in", schema: metadata }];
  const product = (origin: string) => ok(describeResource(origin, "/mcp", "Orchestrix"));
  return [
    endpoint(
      {
        ...common,
        path: WELL_KNOWN,
        operationId: "describeProtectedResource",
        summary: "Describe the product's MCP server as a protected resource (RFC 9728)",
        responses,
      },
      async ({ call }) => product(call.origin),
    ),
    endpoint(
      {
        ...common,
        path: `${WELL_KNOWN}/mcp`,
        operationId: "describeProtectedMcp",
        summary: "The same, at the address that its path gives",
        responses,
      },
      async ({ call }) => product(call.origin),
    ),
    endpoint(
      {
        ...common,
        path: `${WELL_KNOWN}/agents/{agentId}/mcp`,
        operationId: "describeProtectedAgent",
        summary: "Describe an agent's MCP server as a protected resource (RFC 9728)",
        params: z.object({ agentId: z.string().min(1) }),
        responses,
        errors: ["NOT_FOUND"],
      },
      async ({ call, params: { agentId } }) =>
        isAgentId(agentId)
          ? ok(describeResource(call.origin, `/agents/${agentId}/mcp`, `Orchestrix agent ${agentId}`))
          : notFound("agent"),
    ),
  ];
}
