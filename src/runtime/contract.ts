import * as z from "zod";
import {
  DESCRIPTION_MAX_CHARS,
  GRAPH_MAX_STEPS,
  NAME_MAX_CHARS,
  RUN_OUTPUT_MAX_BYTES,
  RUN_TIMEOUT_MS,
  STEP_TIMEOUT_MS,
} from "../config/limits.ts";
import { jsonObject, ownerId, serverId } from "../http/schemas.ts";
import {
  EXPRESSION_MAX_CHARS,
  POLICY_HOST_MAX_CHARS,
  POLICY_MAX_HOSTS,
  POLICY_MAX_RATE,
  POLICY_MAX_RULES,
  RETRY_MAX_ATTEMPTS,
  RETRY_MAX_BACKOFF_MS,
  RUN_MAX_CALLS,
} from "./limits.ts";

/** A step's name inside its graph; references begin with it. */
export const stepId = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/, "1 to 64 letters, digits, _ or -, starting with a letter or _");

const expressionText = z.string().trim().min(1).max(EXPRESSION_MAX_CHARS);

export const toolSchema = z
  .strictObject({
    toolId: stepId,
    /** Picks the implementation from the tool registry. */
    name: z.string().min(1).max(64),
    description: z.string().max(DESCRIPTION_MAX_CHARS).optional(),
    config: jsonObject.default({}),
    /** JSON Schema of what the step takes; for `input`, of the graph's input. */
    inputSchema: jsonObject.optional(),
    /** CEL over the same names as references: the step runs where it is true; else its output is null. */
    when: expressionText.optional(),
    /** `attempts` counts the first one. Only what can pass is tried again; the pause grows from `backoffMs`, with jitter. */
    retry: z
      .strictObject({
        attempts: z.int().min(1).max(RETRY_MAX_ATTEMPTS),
        backoffMs: z.int().min(0).max(RETRY_MAX_BACKOFF_MS).default(100),
      })
      .optional(),
    timeoutMs: z.int().min(1).max(STEP_TIMEOUT_MS).optional(),
    /** What a failure of the step means: the run's, nothing (its output is null), or that the run goes on at a later step. */
    onError: z.string().min(1).max(64).optional(),
  })
  .meta({ id: "Tool" });

const NO_ENTRY =
  'the id of a step, or a list of ids of steps that run at once, such as ["input", ["a", "b"], "response"]; such a list ' +
  "holds no other list: write the steps of a longer branch one after the other";

/** Steps in their order; the steps of an inner list run at once. */
export const executionOrder = z
  .array(z.union([stepId, z.array(stepId).min(1).max(GRAPH_MAX_STEPS)], NO_ENTRY))
  .min(1)
  .max(GRAPH_MAX_STEPS);

/** Who may run an agent: anybody, or a key of its owner with `agents:run`. */
export const accessSchema = z.enum(["public", "key"]);

/** `api.example.com`, `api.example.com:8443`, or `*.example.com` for every name below it. */
const hostPattern = z
  .string()
  .max(POLICY_HOST_MAX_CHARS)
  .regex(
    /^(?:\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?$/i,
    "a host's name, such as api.example.com or *.example.com",
  );

const perMinute = z.strictObject({ perMinute: z.int().min(1).max(POLICY_MAX_RATE) });

/**
 * What a server's runs may do, beyond what the graph says. What is left out is not restricted further than for every
 * server. A denied call ends the run with POLICY_REFUSED and the rule's name.
 */
export const policySchema = z
  .strictObject({
    /** Names of the registry; others are refused when the server is written. */
    allowedTools: z.array(z.string().min(1).max(64)).max(GRAPH_MAX_STEPS).optional(),
    /** Where `httpRequest` may go. An empty list is nowhere. */
    allowedHosts: z.array(hostPattern).max(POLICY_MAX_HOSTS).optional(),
    /** Of a whole run. */
    maxDurationMs: z.int().min(1).max(RUN_TIMEOUT_MS).optional(),
    /** Tool calls of one run, every attempt counted; steps of `input` and `response` are none. */
    maxCalls: z.int().min(1).max(RUN_MAX_CALLS).optional(),
    /** Of one step's output, and of the answer. */
    maxOutputBytes: z.int().min(1).max(RUN_OUTPUT_MAX_BYTES).optional(),
    /** Runs, counted over all isolates. */
    rate: z.strictObject({ perCaller: perMinute.optional(), perAgent: perMinute.optional() }).optional(),
    /**
     * CEL over `tool` (`id`, `name`), `config` (references resolved, defaults filled in), `caller` (`kind`, `id`), `input`
     * (the request's body) and the references' names; other steps are null until they have run. Asked before every step,
     * `input` and `response` too: a rule about one tool says so first, `tool.name == "httpRequest" && …`.
     */
    deny: z
      .array(
        z.strictObject({
          name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9 _.-]{0,63}$/, "1 to 64 letters, digits, spaces, _ . or -"),
          when: expressionText,
        }),
      )
      .max(POLICY_MAX_RULES)
      .optional(),
  })
  .meta({ id: "Policy" });

export type Policy = z.output<typeof policySchema>;

export const graphFields = {
  name: z.string().trim().min(1).max(NAME_MAX_CHARS),
  description: z.string().max(DESCRIPTION_MAX_CHARS).default(""),
  tools: z.array(toolSchema).min(1).max(GRAPH_MAX_STEPS),
  executionOrder,
};

export type ToolSpec = z.output<typeof toolSchema>;

/** What the runtime executes. */
export interface Graph {
  readonly tools: readonly ToolSpec[];
  readonly executionOrder: readonly (string | readonly string[])[];
  readonly inputSchema: z.output<typeof jsonObject>;
}

/** `POST /mcp/agents`: the agents contract. What we add to it travels in `metadata`, where other hosts ignore it. */
export const createAgentBody = z
  .object({
    ...graphFields,
    inputSchema: jsonObject,
    metadata: z.object({
      createdBy: z.string().max(NAME_MAX_CHARS),
      serverId,
      createdAt: z.iso.datetime(),
      ownerId,
      version: z.int().min(1).default(1),
      access: accessSchema.default("public"),
      policy: policySchema.default({}),
    }),
  })
  .meta({ id: "CreateAgent" });

export type CreateAgent = z.output<typeof createAgentBody>;

const AGENT_ID = /^agent_[0-9a-z]{26}$/;
export const agentIdSchema = z
  .string()
  .regex(AGENT_ID, "an agent's id, agent_ and 26 letters and digits, as its deploy answers it: no server's id");

/** An id of another form is none of ours: not found, without a look. */
export function isAgentId(text: string): boolean {
  return AGENT_ID.test(text);
}

export const runIdSchema = z.string().regex(/^run_[0-9a-z]{26}$/, "a run's id");

/** What the agents contract answers to create and look-up. */
export const agentAnswer = z
  .object({
    agentId: agentIdSchema,
    publicEndpoint: z.url(),
    dashboardUrl: z.url(),
    name: z.string(),
    description: z.string(),
    metadata: createAgentBody.shape.metadata,
  })
  .meta({ id: "Agent" });

/** A value of a step as the owner may see it: secrets masked; cut where it is long, as text. */
const tracedValue = z.unknown();

export const STEP_STATUSES = ["ok", "failed", "timeout", "skipped", "refused", "cancelled"] as const;

export const stepTraceSchema = z
  .object({
    toolId: z.string(),
    name: z.string(),
    /**
     * `refused`: by the policy, or by the step itself because of what the caller sent. `cancelled`: another step of its
     * group ended the run, or the caller hung up.
     */
    status: z.enum(STEP_STATUSES),
    startedAt: z.iso.datetime(),
    durationMs: z.number(),
    /** How often it was tried; 0 where it was skipped or refused before. */
    attempts: z.int().default(1),
    /** Size of the output as JSON; null where there is none. */
    outputBytes: z.int().nullable(),
    error: z.string().nullable(),
    /** The policy's rule that refused the call; null otherwise. */
    rule: z.string().nullable().default(null),
    /** The config with its references resolved; null where it never came to that. */
    input: tracedValue.nullable().default(null),
    output: tracedValue.nullable().default(null),
    /** Only in a dry run: what it does not know of this step, and so did not try. */
    note: z.string().exactOptional(),
  })
  .meta({ id: "StepTrace" });

/** `interrupted`: the process ended under the run. Steps that are not in its trace may or may not have happened. */
export const RUN_OUTCOMES = ["running", "ok", "failed", "timeout", "cancelled", "interrupted"] as const;

/** How a run came about: a request, a call over MCP, another agent, or a test of an undeployed graph. */
export const RUN_TRIGGERS = ["http", "mcp", "agent", "test"] as const;

export const runTraceSchema = z
  .object({
    runId: runIdSchema,
    /** Null in a test of an undeployed graph. */
    agentId: z.string().nullable(),
    serverId: z.string(),
    version: z.int(),
    requestId: z.string(),
    /** W3C trace id, 32 hex digits: the caller's where it sent a `traceparent`. */
    traceId: z.string().nullable().default(null),
    trigger: z.enum(RUN_TRIGGERS).default("http"),
    dryRun: z.boolean().default(false),
    /** `ok` where the graph answered below 500; a refusal of bad input is an answer. */
    outcome: z.enum(RUN_OUTCOMES),
    /** What was answered; null while it runs and where nobody was answered. */
    status: z.int().nullable(),
    startedAt: z.iso.datetime(),
    durationMs: z.number(),
    error: z.string().nullable(),
    /** In the order in which they began. */
    steps: z.array(stepTraceSchema),
  })
  .meta({ id: "Run" });

export type StepTrace = z.output<typeof stepTraceSchema>;
export type RunTrace = z.output<typeof runTraceSchema>;

/** Of the runs so far; percentiles are null before the first. */
export const runStatsSchema = z
  .object({
    total: z.int(),
    failed: z.int(),
    p50Ms: z.number().nullable(),
    p99Ms: z.number().nullable(),
  })
  .meta({ id: "RunStats" });

export type RunStats = z.output<typeof runStatsSchema>;
