import type * as z from "zod";
import type { Call } from "../core/actor.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Result } from "../core/result.ts";
import type { DeployAnswer, DeployBody, OwnerBody, StatusAnswer, UndeployAnswer } from "../deploy/contract.ts";
import type { SearchAnswer, SearchRequest } from "../search/contract.ts";
import type { ServerService } from "../servers/service.ts";
import type { McpServing } from "./contract.ts";

/** Where a deploy is. The tool itself tells its beginning and its end. */
export type DeployPhase = "claimed" | "at_target";

export interface DeployVerbs {
  /** `onProgress` is called as the phases begin; a service that does not know it just never does. */
  deploy(
    call: Call,
    serverId: string,
    body: DeployBody,
    onProgress?: (phase: DeployPhase) => void,
  ): Promise<Result<DeployAnswer>>;
  undeploy(call: Call, serverId: string, body: OwnerBody): Promise<Result<UndeployAnswer>>;
  status(call: Call, serverId: string, ownerId?: string): Promise<Result<StatusAnswer>>;
}

export interface RunOrder {
  readonly ownerId?: string | undefined;
  readonly input: Json;
  readonly dryRun: boolean;
  readonly callerAddress: string;
}

/** How a run went, in the form of `runAnswer`. */
export type RunAnswer = object & { readonly success: boolean; readonly trace: { readonly runId: string } };

/** What the product's MCP server does its work with: the verbs of the features, as HTTP calls them. */
export interface ProductMcpDeps {
  readonly serving: McpServing;
  readonly version: string;
  readonly search: (call: Call, request: SearchRequest, ownerId: string | undefined) => Promise<Result<SearchAnswer>>;
  readonly servers: Pick<ServerService, "list" | "get" | "logs">;
  readonly deploys: DeployVerbs;
  /**
   * Scope `agents:run`. Runs the server's agent where it lives here, else its graph as it stands; a dry run is
   * always the graph's.
   */
  readonly runServer: (call: Call, serverId: string, order: RunOrder) => Promise<Result<RunAnswer>>;
  /** The schemas of what other features' routes answer. */
  readonly schemas: { readonly runAnswer: z.ZodType<RunAnswer>; readonly logEvent: z.ZodType };
  /** The steps that graphs can be made of, for the prompt that designs them. */
  readonly graphTools: () => readonly GraphTool[];
}

/** A step's implementation, as whoever writes a graph has to know it. */
export interface GraphTool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of a config whose references are resolved. */
  readonly config: JsonObject;
  readonly example: JsonObject | null;
}
