import type * as z from "zod";
import type { Call } from "../core/actor.ts";
import type { Clock } from "../core/clock.ts";
import type { AppError, FieldError } from "../core/errors.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { SearchAnswer, SearchRequest } from "../search/contract.ts";
import type { Documents } from "../storage/documents/documents.ts";
import type { Passwords } from "./passwords/passwords.ts";

/** What tools may use of the world. One object for all of them, put together in `compose.ts`. */
export interface ToolServices {
  readonly documents: Documents;
  readonly passwords: Passwords;
  readonly clock: Clock;
  /** The key that an agent's tokens are signed with, or null where the operator set no ENCRYPTION_KEY. */
  signingKey(agentId: string): Promise<Uint8Array | null>;
  /** `call` speaks for the agent's owner, with the scope `search` alone. */
  search(call: Call, request: SearchRequest): Promise<Result<SearchAnswer>>;
}

/** One step of one run, as its tool sees it. */
export interface StepContext {
  readonly services: ToolServices;
  readonly agentId: string;
  readonly ownerId: string;
  /** The body of the request; null where there was none. */
  readonly input: Json;
  /** The graph's. Checked when the graph was written. */
  readonly inputSchema: JsonObject;
  /** Who the step is to the rest of the Worker: the agent's owner, with the one scope that tools need. */
  readonly asOwner: Call;
  /** Aborts when the step's time is up or the caller hangs up. */
  readonly signal: AbortSignal;
}

/** How a graph answers. Header names are in lower case. Without `body` the answer has none. */
export interface GraphAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Json;
}

/**
 * How a step ends. `refuse` ends the run with an answer about what the caller sent; `fail` ends it as failed, with a
 * sentence made for the caller. A tool that throws has a bug, or lost its store (`StorageUnavailable`).
 */
export type ToolResult =
  | { readonly kind: "output"; readonly value: Json }
  | { readonly kind: "answer"; readonly answer: GraphAnswer }
  | { readonly kind: "refuse"; readonly error: AppError }
  | { readonly kind: "fail"; readonly message: string };

export function output(value: Json): ToolResult {
  return { kind: "output", value };
}

export function refuse(error: AppError): ToolResult {
  return { kind: "refuse", error };
}

export function fail(message: string): ToolResult {
  return { kind: "fail", message };
}

export type BoundStep = (context: StepContext) => ToolResult | Promise<ToolResult>;

/** A tool as the planner and the executor see it. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly config: z.ZodType;
  readonly output: z.ZodType;
  readonly filters: readonly string[];
  readonly literals: readonly string[];
  /** Faults of a config as its author wrote it, beyond those of its schema. Strings may still hold references. */
  check(config: JsonObject): readonly FieldError[];
  /** Makes a step out of a config whose references are resolved. */
  bind(config: JsonObject): Result<BoundStep, readonly FieldError[]>;
}

export interface ToolDefinition<Config extends z.ZodType> {
  readonly name: string;
  readonly description: string;
  /** Refinements belong to the property that they are about: at write time, faults at a reference are put off. */
  readonly config: Config;
  /** What later steps can refer to: describes, and holds the tool's tests to it. */
  readonly output: z.ZodType;
  /** Properties of the config that are filters: operators in them are operators only where the author wrote them. */
  readonly filters?: readonly string[];
  /** Properties of the config that hold no references. */
  readonly literals?: readonly string[];
  readonly check?: (config: JsonObject) => readonly FieldError[];
  readonly run: (config: z.output<Config>, context: StepContext) => ToolResult | Promise<ToolResult>;
}

export function defineTool<Config extends z.ZodType>(definition: ToolDefinition<Config>): Tool {
  const { name, description, config: schema, run } = definition;
  return {
    name,
    description,
    config: schema,
    output: definition.output,
    filters: definition.filters ?? [],
    literals: definition.literals ?? [],
    check: definition.check ?? (() => []),
    bind(config) {
      const parsed = schema.safeParse(config);
      if (!parsed.success) return err(parsed.error.issues.flatMap((issue) => toFaults(issue, name)));
      return ok((context) => run(parsed.data, context));
    },
  };
}

function toFaults(issue: z.core.$ZodIssue, tool: string): readonly FieldError[] {
  const path = issue.path.map(String);
  if (issue.code !== "unrecognized_keys") return [{ path: path.join("."), message: issue.message }];
  return issue.keys.map((key) => ({ path: [...path, key].join("."), message: `is no setting of ${tool}` }));
}
