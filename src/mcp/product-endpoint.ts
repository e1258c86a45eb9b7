import * as z from "zod";
import { unauthenticated } from "../core/actor.ts";
import { callOf, clientAddress } from "../http/context.ts";
import type { AnyEndpointSpec, Endpoint } from "../http/endpoint.ts";
import { MCP_RESPONSES } from "./contract.ts";
import type { ProductMcpDeps } from "./deps.ts";
import { createProductServer } from "./product-server.ts";
import { createPrompts } from "./prompts.ts";
import { createProtectedResourceEndpoints } from "./protected-resource.ts";
import { createProductTools } from "./tools/tools.ts";

const spec: AnyEndpointSpec = {
  method: "post",
  path: "/mcp",
  operationId: "callProductOverMcp",
  tag: "MCP",
  summary: "Talk to the product as an MCP server",
  description:
    "Streamable HTTP without sessions: one JSON-RPC message in, one JSON answer out; a call that asks for progress is " +
    "answered by a stream. Needs a key; the tools, prompts and resources that it sees are those its scopes allow.",
  // Which scope is needed is each tool's to say.
  access: "any_key",
  body: z.unknown(),
  responses: MCP_RESPONSES,
  errors: ["UNAUTHENTICATED", "FORBIDDEN"],
};

/** The product as an MCP server, and what RFC 9728 says of it and of the agents. GET and DELETE of `/mcp` answer 405. */
export function createProductMcpEndpoints(deps: ProductMcpDeps): readonly Endpoint[] {
  const { serving } = deps;
  const surface = lazily(() => ({ tools: createProductTools(deps), prompts: createPrompts(deps), deps }));
  return [
    {
      spec,
      async handle(c, guard, bodyLimitBytes) {
        const admitted = await guard(c, spec, null);
        if (!admitted.ok) return serving.refuse(c, admitted.error);
        const known = serving.admit(c);
        if (!known.ok) return serving.refuse(c, known.error);
        const call = callOf(c);
        const { actor } = call;
        if (actor.kind === "anonymous") return serving.refuse(c, unauthenticated(actor));
        const caller = {
          call,
          callerAddress: clientAddress(c),
          noteRun(runId: string) {
            c.get("event").runId = runId;
          },
        };
        return serving.answer(c, bodyLimitBytes, (exchange) => createProductServer(exchange, caller, surface()));
      },
    },
    ...createProtectedResourceEndpoints(),
  ];
}

/** Made at first use: describing every schema costs what a start need not pay. */
function lazily<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
