import * as z from "zod";
import { DESCRIPTION_MAX_CHARS, GRAPH_MAX_STEPS, NAME_MAX_CHARS, STEP_TIMEOUT_MS } from "../config/limits.ts";
import { jsonObject, ownerId, serverId } from "../http/schemas.ts";

/** A step's name inside its graph; references begin with it. */
export const stepId = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/, "1 to 64 letters, digits, _ or -, starting with a letter or _");

export const toolSchema = z
  .strictObject({
    toolId: stepId,
    /** Picks the implementation from the tool registry. */
    name: z.string().min(1).max(64),
    description: z.string().max(DESCRIPTION_MAX_CHARS).optional(),
    config: jsonObject.default({}),
    /** JSON Schema of what the step takes; for `input`, of the graph's input. */
    inputSchema: jsonObject.optional(),
    timeoutMs: z.int().min(1).max(STEP_TIMEOUT_MS).optional(),
  })
  .meta({ id: "Tool" });

export const executionOrder = z.array(stepId).min(1).max(GRAPH_MAX_STEPS);

/** Who may run an agent: anybody, or a key of its owner with `agents:run`. */
export const accessSchema = z.enum(["public", "key"]);

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
  readonly executionOrder: readonly string[];
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
    }),
  })
  .meta({ id: "CreateAgent" });

export type CreateAgent = z.output<typeof createAgentBody>;

export const agentIdSchema = z.string().regex(/^agent_[0-9a-z]{26}$/, "an agent's id");
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

export const stepTraceSchema = z
  .object({
    toolId: z.string(),
    name: z.string(),
    status: z.enum(["ok", "failed", "timeout", "skipped"]),
    startedAt: z.iso.datetime(),
    durationMs: z.number(),
    /** Size of the output as JSON; null where there is none. */
    outputBytes: z.int().nullable(),
    error: z.string().nullable(),
  })
  .meta({ id: "StepTrace" });

export const runTraceSchema = z
  .object({
    runId: runIdSchema,
    agentId: z.string(),
    serverId: z.string(),
    version: z.int(),
    requestId: z.string(),
    /** `ok` where the graph answered below 500; a refusal of bad input is an answer. */
    outcome: z.enum(["ok", "failed", "timeout"]),
    status: z.int(),
    startedAt: z.iso.datetime(),
    durationMs: z.number(),
    error: z.string().nullable(),
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
