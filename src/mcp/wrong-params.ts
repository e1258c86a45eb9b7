import type { Server } from "@modelcontextprotocol/server";
import { describeFieldErrors, type FieldError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { McpSdk } from "./contract.ts";

/** The methods that our servers take params for, and what the protocol's own schemas call their messages. */
const REQUESTS: ReadonlyMap<unknown, keyof McpSdk["specTypeSchemas"]> = new Map([
  ["initialize", "InitializeRequest"],
  ["tools/list", "ListToolsRequest"],
  ["tools/call", "CallToolRequest"],
  ["prompts/list", "ListPromptsRequest"],
  ["prompts/get", "GetPromptRequest"],
  ["resources/list", "ListResourcesRequest"],
  ["resources/templates/list", "ListResourceTemplatesRequest"],
  ["resources/read", "ReadResourceRequest"],
]);

/**
 * Params that the method does not take are answered by `-32602` and what is wrong with them. By itself the SDK calls
 * them an internal error, and sends what its validator wrote. All else that it refuses, it refuses before.
 */
export function refuseWrongParams(sdk: McpSdk, server: Server, message: JsonObject): void {
  const { method } = message;
  const request = REQUESTS.get(method);
  if (request === undefined || typeof method !== "string") return;
  const { issues } = sdk.specTypeSchemas[request]["~standard"].validate(message);
  if (issues === undefined || !isServed(server, method)) return;
  const detail = describeFieldErrors(issues.map(toFieldError));
  server.removeRequestHandler(method);
  server.fallbackRequestHandler = async () => {
    throw new sdk.ProtocolError(sdk.ProtocolErrorCode.InvalidParams, detail);
  };
}

/** The SDK's one way to ask. */
function isServed(server: Server, method: string): boolean {
  try {
    server.assertCanSetRequestHandler(method);
    return false;
  } catch {
    return true;
  }
}

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

function toFieldError({ message, path = [] }: Issue): FieldError {
  const keys = path.map((part) => String(typeof part === "object" ? part.key : part));
  return { path: (keys.length > 1 ? keys.slice(1) : keys).join("."), message };
}
