import type * as z from "zod";
import type { Call } from "../core/actor.ts";
import type { Clock } from "../core/clock.ts";
import type { AppError, FieldError } from "../core/errors.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { SearchAnswer, SearchRequest } from "../search/contract.ts";
import type { Documents } from "../storage/documents/documents.ts";
import type { EmailSender } from "./email/email-sender.ts";
import type { Scope } from "./graph/references.ts";
import type { Outbound } from "./outbound/outbound.ts";
import type { Passwords } from "./passwords/passwords.ts";
import type { RunWork } from "./run-work.ts";
import type { Sandbox } from "./sandbox/contract.ts";

/** What tools may use of the world. One object for all of them, put together in the composition. */
export interface ToolServices {
  readonly documents: Documents;
  readonly passwords: Passwords;
  readonly clock: Clock;
  /** The key that an issuer's tokens are signed with, or null where the operator set no ENCRYPTION_KEY. */
  signingKey(issuer: string): Promise<Uint8Array | null>;
  /** `call` speaks for the agent's owner, with the scope `search` alone. */
  search(call: Call, request: SearchRequest): Promise<Result<SearchAnswer>>;
  /** The internet, guarded: see its own file. */
  readonly outbound: Outbound;
  /** Null where the operator configured none. */
  readonly email: EmailSender | null;
  /** Null where the platform has none. */
  readonly sandbox: Sandbox | null;
  /** Whether this agent is deployed, and this owner's. */
  ownsAgent(ownerId: string, agentId: string): Promise<boolean>;
  /** Runs another agent of the same owner within this run's time, depth, chain and family, and dry where this run is. */
  callAgent(context: StepContext, agentId: string, input: Json): Promise<ToolResult>;
}

/** A run and all those that it called, and they, together: one object for all of them, also while they run at once. */
export interface RunFamily {
  /** So far, the first one included. */
  runs: number;
  readonly work: RunWork;
}

/** The run that a step belongs to. */
export interface RunContext {
  readonly runId: string;
  readonly ownerId: string;
  /** The deployed agent's id; for a test of a graph whose server has none, a name that no agent has. */
  readonly agentId: string;
  /** Whose key tokens of this run are signed with, their `iss`: the agent's id, or in a test a name of the owner's tests. */
  readonly issuer: string;
  /** Steps that would change or call something say what they would do. It holds for the runs that this one begins. */
  readonly dryRun: boolean;
  /** Where httpRequest may go; null for anywhere that is public. */
  readonly allowedHosts: readonly string[] | null;
  /** Of one output. */
  readonly maxOutputBytes: number;
  /** Ids of the agents that called each other down to this one, itself last. */
  readonly chain: readonly string[];
  readonly family: RunFamily;
  /** Epoch milliseconds at which the run ends whatever it does. */
  readonly deadlineAtMs: number;
}

/** One step of one run, as its tool sees it. */
export interface StepContext {
  readonly services: ToolServices;
  readonly run: RunContext;
  readonly agentId: string;
  readonly ownerId: string;
  readonly toolId: string;
  /**
   * The same for every attempt at this step of this run, and for no other: what an upstream that knows
   * `Idempotency-Key` is given, so that an attempt whose answer was lost is not done twice.
   */
  readonly stepKey: string;
  /** The body of the request; null where there was none. */
  readonly input: Json;
  /** The graph's. Checked when the graph was written. */
  readonly inputSchema: JsonObject;
  /** What references and expressions read, as it stands. */
  readonly scope: Scope;
  /** The value of the CEL expression at this path of the config (`expression`, `fields.total`): see `expressions` below. */
  readonly evaluate: (path: string) => Result<Json, string>;
  /** The host of the config's `url`, or more of it, is a secret's: no message may name it. */
  readonly isHostSecret: boolean;
  /** Header names in lower case. */
  readonly requestHeaders: Readonly<Record<string, string>>;
  /**
   * Who the step is to the rest of the Worker: the agent's owner, with the one scope that tools need. Its `trace` is what
   * is passed on to whatever the step calls.
   */
  readonly asOwner: Call;
  /** Aborts when the step's time is up, the run ends or the caller hangs up. */
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
  | {
      readonly kind: "output";
      readonly value: Json;
      /** Only in a dry run: the output is not known, and this is shown in its place. Steps that read it are not tried. */
      readonly isStandIn?: boolean;
    }
  | { readonly kind: "answer"; readonly answer: GraphAnswer }
  | { readonly kind: "refuse"; readonly error: AppError }
  | {
      readonly kind: "fail";
      readonly message: string;
      /** It may go well when tried again: a step's `retry` is for these, and for time-outs. */
      readonly isPassing?: boolean;
    };

export function output(value: Json): ToolResult {
  return { kind: "output", value };
}

export function standIn(value: Json): ToolResult {
  return { kind: "output", value, isStandIn: true };
}

export function refuse(error: AppError): ToolResult {
  return { kind: "refuse", error };
}

export function fail(message: string): ToolResult {
  return { kind: "fail", message };
}

/** A failure that may be over when tried again. */
export function failForNow(message: string): ToolResult {
  return { kind: "fail", message, isPassing: true };
}

export type BoundStep = (context: StepContext) => ToolResult | Promise<ToolResult>;

/** A tool, set up for one call. */
export interface BoundTool {
  readonly run: BoundStep;
  /** What a dry run does instead. */
  readonly preview: BoundStep;
  /** What it goes by: the config as its schema reads it, defaults filled in. */
  readonly settings: Json;
}

/**
 * What a call does to the world. `none`: nothing, it only computes. `read`: looks outside, and may be repeated. `write`:
 * changes something, so that it is journalled before the next one, and only its preview runs in a dry run.
 */
export type ToolEffect = "none" | "read" | "write";

/** `unlessOptional`: what an optional reference brings nothing to is left out, as it is anywhere. */
export type NullWhen = "always" | "unlessOptional";

/** A tool as the planner and the executor see it. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly config: z.ZodType;
  readonly output: z.ZodType;
  readonly effect: ToolEffect;
  readonly filters: readonly string[];
  readonly updates: readonly string[];
  readonly literals: readonly string[];
  /** Properties of the config that are null where what they refer to is missing: it is the tool that answers for it. */
  readonly nullWhenMissing: ReadonlyMap<string, NullWhen>;
  readonly urls: readonly string[];
  /** Properties of the config that are CEL over the references' names; they hold no references themselves. */
  readonly expressions: readonly string[];
  /** Whether it sees all outputs so far, and not only those that its config names. */
  readonly readsAll: boolean;
  /** Steps of the tool that a parallel group may hold; null where any number may run at once. */
  readonly maxAtOnce: number | null;
  /** Faults of a config as its author wrote it, beyond those of its schema. Strings may still hold references. */
  check(config: JsonObject): readonly FieldError[];
  /** Makes a step out of a config whose references are resolved. */
  bind(config: JsonObject): Result<BoundTool, readonly FieldError[]>;
}

export interface ToolDefinition<Config extends z.ZodType> {
  readonly name: string;
  readonly description: string;
  /**
   * What it gives is JSON. Refinements belong to the property that they are about: at write time, faults at a reference
   * are put off.
   */
  readonly config: Config;
  /** What later steps can refer to: describes, and holds the tool's tests to it. */
  readonly output: z.ZodType;
  /** Properties of the config that are filters: operators in them are operators only where the author wrote them. */
  readonly filters?: readonly string[];
  /** Properties of the config that are updates: which fields change, and how, is what the author wrote. */
  readonly updates?: readonly string[];
  /** Properties of the config that hold no references: `{{` in them is text like any other. */
  readonly literals?: readonly string[];
  /** For what a caller may leave out and is answered for: without it, a missing value fails the step, a 500. */
  readonly nullWhenMissing?: Readonly<Record<string, NullWhen>>;
  /** Properties of the config that are URLs: what a reference brings into one stays in its place there. */
  readonly urls?: readonly string[];
  readonly check?: (config: JsonObject) => readonly FieldError[];
  /** `none` unless said otherwise. */
  readonly effect?: ToolEffect;
  /** Properties of the config that are CEL expressions, or objects of them. */
  readonly expressions?: readonly string[];
  /** False unless said otherwise. */
  readonly readsAll?: boolean;
  readonly maxAtOnce?: number;
  readonly run: (config: z.output<Config>, context: StepContext) => ToolResult | Promise<ToolResult>;
  /** What a dry run does instead: an output of the same form, of a call that did not happen. Owed where the effect is `write`. */
  readonly preview?: (config: z.output<Config>, context: StepContext) => ToolResult | Promise<ToolResult>;
}

export function defineTool<Config extends z.ZodType>(definition: ToolDefinition<Config>): Tool {
  const { name, description, config: schema, run, preview = run } = definition;
  if (definition.effect === "write" && definition.preview === undefined) throw new Error(`${name} needs a preview`);
  return {
    name,
    description,
    config: schema,
    output: definition.output,
    filters: definition.filters ?? [],
    updates: definition.updates ?? [],
    effect: definition.effect ?? "none",
    literals: definition.literals ?? [],
    nullWhenMissing: new Map(Object.entries(definition.nullWhenMissing ?? {})),
    urls: definition.urls ?? [],
    expressions: definition.expressions ?? [],
    readsAll: definition.readsAll ?? false,
    maxAtOnce: definition.maxAtOnce ?? null,
    check: definition.check ?? (() => []),
    bind(config) {
      const parsed = schema.safeParse(config);
      if (!parsed.success) return err(parsed.error.issues.flatMap((issue) => toFaults(issue, name)));
      const { data } = parsed;
      return ok({
        run: (context) => run(data, context),
        preview: (context) => preview(data, context),
        // Made of JSON by schemas that give JSON.
        settings: data as Json,
      });
    },
  };
}

function toFaults(issue: z.core.$ZodIssue, tool: string): readonly FieldError[] {
  const path = issue.path.map(String);
  // Of a name that a record does not take, what is wrong with it is told one level below.
  const { message } = (issue.code === "invalid_key" ? issue.issues[0] : undefined) ?? issue;
  if (issue.code !== "unrecognized_keys") return [{ path: path.join("."), message }];
  return issue.keys.map((key) => ({ path: [...path, key].join("."), message: `is no setting of ${tool}` }));
}
