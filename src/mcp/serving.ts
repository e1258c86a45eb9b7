import type { Server } from "@modelcontextprotocol/server";
import type { AppError, ErrorCode } from "../core/errors.ts";
import { StorageUnavailable, toError } from "../core/errors.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import type { Logger } from "../core/logger.ts";
import { readJsonBody } from "../http/body.ts";
import { refusal } from "../http/endpoint.ts";
import { PROBLEMS } from "../http/problem.ts";
import { createCallerCheck } from "./callers.ts";
import type { BuildServer, McpExchange, McpSdk, McpServing } from "./contract.ts";
import { METHOD_SHOWN_CHARS } from "./limits.ts";
import { metadataUrl } from "./protected-resource.ts";
import { refuseWrongParams } from "./wrong-params.ts";

export function createMcpServing(deps: {
  /** PUBLIC_URL; absent where the operator set none. */
  readonly publicUrl: string | undefined;
  /** Origins of browser pages that may call, beside our own; `*` for all. */
  readonly allowedOrigins: readonly string[];
  readonly log: Logger;
}): McpServing {
  const { log } = deps;
  const checkCaller = createCallerCheck(deps);

  function explain(thrown: unknown): AppError {
    if (thrown instanceof StorageUnavailable) {
      log.warn("mcp_storage_unavailable", { error: thrown });
      return { code: "STORAGE_UNAVAILABLE", detail: "the documents store does not answer; try again soon" };
    }
    log.error("mcp_call_failed", { error: toError(thrown) });
    return { code: "INTERNAL", detail: "internal error" };
  }

  return {
    admit: (c) => checkCaller({ url: c.req.url, origin: c.req.header("origin") }),
    refuse(c, error) {
      const response = refusal(c, error);
      if (error.code === "UNAUTHENTICATED")
        response.headers.set("WWW-Authenticate", challenge(c.get("origin"), c.req.path));
      return response;
    },
    async answer(c, bodyLimitBytes, build, { hasProgress = true } = {}) {
      const request = c.req.raw;
      const read = await readJsonBody(request, bodyLimitBytes);
      if (!read.ok) return rejectMessage(PROBLEMS[read.error.code].status, codeOf(read.error), read.error.detail);
      const message = read.value;
      if (!isJsonObject(message)) {
        return rejectMessage(400, INVALID_REQUEST, "send one JSON-RPC message: batches are not served");
      }
      c.get("event").mcpMethod =
        typeof message.method === "string" ? message.method.slice(0, METHOD_SHOWN_CHARS) : null;
      const response = await exchangeMessage(request, message, build, { explain, log, hasProgress });
      // An answer of the SDK's may be shared; headers of its own may not be writable.
      const answer = new Response(response.body, response);
      answer.headers.set("Cache-Control", "no-store");
      const { runId } = c.get("event");
      if (typeof runId === "string") answer.headers.set("X-Run-Id", runId);
      return answer;
    },
  };
}

function challenge(origin: string, path: string): string {
  return `Bearer realm="orchestrix", resource_metadata="${metadataUrl(origin, path)}"`;
}

async function exchangeMessage(
  request: Request,
  message: JsonObject,
  build: BuildServer,
  { explain, log, hasProgress }: Pick<McpExchange, "explain"> & { readonly log: Logger; readonly hasProgress: boolean },
): Promise<Response> {
  const sdk = await import("@modelcontextprotocol/server");
  const accept = request.headers.get("accept") ?? "*/*";
  const takesStream = /text\/(?:event-stream|\*)|\*\/\*/i.test(accept);
  const streams = hasProgress && takesStream && wantsProgress(message);
  const onerror = (error: Error) => log.debug("mcp_message_refused", { error });
  const create = () => {
    const server = build({ sdk, streams, explain });
    protocolOf(server).onerror = onerror;
    refuseWrongParams(sdk, protocolOf(server), message);
    return server;
  };
  if (!(await sdk.isLegacyRequest(request, message))) {
    // What no server of ours announces ends a subscription at once, after its acknowledgement: none stays open.
    const handler = sdk.createMcpHandler(create, { legacy: "reject", maxSubscriptions: 1, onerror });
    return handler.fetch(request, { parsedBody: message });
  }
  const server = create();
  const mayLog = takesStream && protocolOf(server).getCapabilities().logging !== undefined;
  const legacy = acceptingBoth(request, accept);
  return streams || mayLog
    ? sdk.legacyStatelessFallback(() => server, onerror)(legacy, { parsedBody: message })
    : answerInJson(sdk, server, legacy, message);
}

function protocolOf(server: ReturnType<BuildServer>): Server {
  return "server" in server ? server.server : server;
}

async function answerInJson(
  sdk: McpSdk,
  server: ReturnType<BuildServer>,
  request: Request,
  message: JsonObject,
): Promise<Response> {
  const transport = new sdk.WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
  await server.connect(transport);
  try {
    return await transport.handleRequest(request, { parsedBody: message });
  } finally {
    await server.close();
  }
}

/** The revisions of 2025 want two types named. Whoever takes JSON is served. */
function acceptingBoth(request: Request, accept: string): Request {
  if (!/application\/json|\*\/\*|application\/\*/i.test(accept)) return request;
  const headers = new Headers(request.headers);
  headers.set("accept", "application/json, text/event-stream");
  return new Request(request.url, { method: request.method, headers, signal: request.signal });
}

function wantsProgress({ params }: JsonObject): boolean {
  const meta = isJsonObject(params) ? params._meta : null;
  return isJsonObject(meta) && meta.progressToken !== undefined;
}

const PARSE_ERROR = -32_700;
const INVALID_REQUEST = -32_600;
/** The protocol gives servers the codes from here down. */
const SERVER_ERROR = -32_000;

function codeOf(error: AppError): number {
  const ofTheBody: readonly ErrorCode[] = ["PAYLOAD_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE"];
  return ofTheBody.includes(error.code) ? SERVER_ERROR : PARSE_ERROR;
}

/** A request that never becomes a message, as JSON-RPC says it. */
function rejectMessage(status: number, code: number, message: string): Response {
  const body = { jsonrpc: "2.0", error: { code, message }, id: null };
  return Response.json(body, { status, headers: { "Cache-Control": "no-store" } });
}
