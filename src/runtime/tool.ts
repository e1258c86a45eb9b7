import type * as z from "zod";
import type { Call } from "../core/actor.ts";
import type { Clock } from "../core/clock.ts";
import type { AppError, FieldError } from "../core/errors.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { SearchAnswer, SearchRequest } from "../search/contract.ts";
import type { Documents } from "../storage/documents/documents.ts";
import type { Scope } from "./graph/references.ts";
import type { Outbound } from "./outbound/outbound.ts";
import type { Passwords } from "./passwords/passwords.ts";

/** What tools may use of the world. One object for all of them, put together in the composition. */
export interface ToolServices {
  readonly documents: Documents;
  readonly passwords: Passwords;
  readonly clock: Clock;
  /** The key that an agent's tokens are signed with, or null where the operator set no ENCRYPTION_KEY. */
  signingKey(agentId: string): Promise<Uint8Array | null>;
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
  /** Runs another agent of the same owner within this run's time, depth, chain and family. */
  callAgent(context: StepContext, agentId: string, input: Json): Promise<ToolResult>;
}

/** Sends one message. What the service says of a failure is in `message`, made for the graph's author. */
export interface EmailSender {
  send(
    email: {
      readonly from: string | null;
      readonly to: readonly string[];
      readonly subject: string;
      readonly text: string | null;
      readonly html: string | null;
    },
    options: { readonly idempotencyKey: string; readonly signal: AbortSignal },
  ): Promise<
    | { readonly kind: "sent"; readonly id: string }
    | { readonly kind: "failed"; readonly message: string; readonly isPassing: boolean }
  >;
}

/** Runs an author's own JavaScript apart from everything: no network, no bindings, its own time. */
export interface Sandbox {
  run(
    source: string,
    given: { readonly input: Json; readonly outputs: JsonObject },
    options: { readonly ownerId: string; readonly signal: AbortSignal },
  ): Promise<{ readonly kind: "output"; readonly value: Json } | { readonly kind: "failed"; readonly message: string }>;
}

/** A run and all those that it called, and they, together: one object for all of them, also while they run at once. */
export interface RunFamily {
  /** So far, the first one included. */
  runs: number;
}

/** The run that a step belongs to. */
export interface RunContext {
  readonly runId: string;
  readonly ownerId: string;
  /** The deployed agent's id; for a test of an undeployed graph, the id that its server's agent would sign with. */
  readonly agentId: string;
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
  | { readonly kind: "output"; readonly value: Json }
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

/**
 * What a call does to the world. `none`: nothing, it only computes. `read`: looks outside, and may be repeated. `write`:
 * changes something, so that it is journalled before the next one, and only its preview runs in a dry run.
 */
export type ToolEffect = "none" | "read" | "write";

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
  /** Properties of the config that are CEL over the references' names; they hold no references themselves. */
  readonly expressions: readonly string[];
  /** Steps of the tool that a parallel group may hold; null where any number may run at once. */
  readonly maxAtOnce: number | null;
  /** Faults of a config as its author wrote it, beyond those of its schema. Strings may still hold references. */
  check(config: JsonObject): readonly FieldError[];
  /** Makes a step out of a config whose references are resolved. `preview` is what a dry run does instead. */
  bind(config: JsonObject): Result<{ readonly run: BoundStep; readonly preview: BoundStep }, readonly FieldError[]>;
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
  /** Properties of the config that are updates: which fields change, and how, is what the author wrote. */
  readonly updates?: readonly string[];
  /** Properties of the config that hold no references: `{{` in them is text like any other. */
  readonly literals?: readonly string[];
  readonly check?: (config: JsonObject) => readonly FieldError[];
  /** `none` unless said otherwise. */
  readonly effect?: ToolEffect;
  /** Properties of the config that are CEL expressions, or objects of them. */
  readonly expressions?: readonly string[];
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
    expressions: definition.expressions ?? [],
    maxAtOnce: definition.maxAtOnce ?? null,
    check: definition.check ?? (() => []),
    bind(config) {
      const parsed = schema.safeParse(config);
      if (!parsed.success) return err(parsed.error.issues.flatMap((issue) => toFaults(issue, name)));
      const { data } = parsed;
      return ok({ run: (context) => run(data, context), preview: (context) => preview(data, context) });
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
