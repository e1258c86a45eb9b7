import type { McpServer, Server } from "@modelcontextprotocol/server";
import * as z from "zod";
import type { AppError } from "../core/errors.ts";
import type { Result } from "../core/result.ts";
import type { AppContext } from "../http/context.ts";
import type { ResponseSpec } from "../http/endpoint.ts";

/** Loaded when the first message comes. */
export type McpSdk = typeof import("@modelcontextprotocol/server");

/** One message, on its way to be answered. */
export interface McpExchange {
  readonly sdk: McpSdk;
  /** The caller asked for progress and takes a stream: notifications before the result reach it. Else they are lost. */
  readonly streams: boolean;
  /** What the caller may read of something that was thrown; the log has the rest. */
  explain(thrown: unknown): AppError;
}

/** A server for one message. */
export type BuildServer = (exchange: McpExchange) => Server | McpServer;

/** What every MCP endpoint of ours has in common. It knows neither tools nor owners. */
export interface McpServing {
  /** Whether this name of ours and this page may be used: against DNS rebinding. */
  admit(c: AppContext): Result<null>;
  /** As problem details; a 401 also says where the resource is described (RFC 9728). */
  refuse(c: AppContext, error: AppError): Response;
  /**
   * Reads one JSON-RPC message and answers it by a server that lives as long as it: no sessions. The revisions of 2025
   * are served beside the one of 2026-07-28. Answers are JSON, but for callers that asked for progress of a server that
   * has some to tell, and for subscriptions, which end as they begin. The run that the request's event names stands in `X-Run-Id`, unless a stream had begun before.
   */
  answer(
    c: AppContext,
    bodyLimitBytes: number,
    build: BuildServer,
    options?: { readonly hasProgress?: boolean },
  ): Promise<Response>;
}

/** In the `_meta` of a tool's result: the run that it came out of. */
export const RUN_META_KEY = "orchestrix/runId";

const jsonRpcError = z
  .object({
    jsonrpc: z.literal("2.0"),
    /** Null where the message was not read so far. */
    id: z.union([z.string(), z.number()]).nullable(),
    error: z.object({ code: z.int(), message: z.string(), data: z.unknown().optional() }),
  })
  .meta({ id: "JsonRpcError" });

const refused = (status: number, description: string): ResponseSpec => ({ status, description, schema: jsonRpcError });

/** What an MCP endpoint answers once the caller is let in. Who is not let in gets problem details. */
export const MCP_RESPONSES: readonly ResponseSpec[] = [
  { status: 200, description: "The JSON-RPC answer", schema: z.unknown() },
  {
    status: 200,
    description: "The same after what comes before it: progress, or that a subscription has begun",
    schema: z.string(),
    contentType: "text/event-stream",
  },
  { status: 202, description: "A notification was taken" },
  refused(400, "No message, several, or one whose revision or headers are not served"),
  refused(404, "No such method"),
  refused(406, "The caller, by a revision of 2025, does not take JSON"),
  refused(413, "The message is too large"),
  refused(415, "The message is not application/json"),
];
