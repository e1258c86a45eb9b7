import type { AppError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import type { AgentRecord } from "../agents/agent-store.ts";
import { storedGraph } from "../agents/agent-store.ts";
import type { Run } from "../runner.ts";
import { type ArgumentForm, toArguments } from "./input-schema.ts";
import { answerSchema, type ObjectSchema, structuredBody } from "./output-schema.ts";

/** What MCP clients commonly take as the name of a tool. */
const TOOL_NAME_MAX_CHARS = 64;

/** An agent as the one tool of an MCP server. */
export interface AgentTool extends ArgumentForm {
  /** `^[a-z0-9_-]{1,64}$` */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Every answer's structured form matches it, an error's too. */
  readonly outputSchema: ObjectSchema;
}

/** How a call of the tool ends: as text, and as an object. */
export interface ToolAnswer {
  readonly text: string;
  readonly structured: JsonObject;
  readonly isError: boolean;
  /** Null where it never came to a run. */
  readonly runId: string | null;
}

export function toAgentTool(agent: AgentRecord): AgentTool {
  const graph = storedGraph(agent);
  return {
    name: toToolName(agent.name),
    title: agent.name,
    description: agent.description === "" ? agent.name : agent.description,
    outputSchema: answerSchema(graph),
    ...toArguments(graph.inputSchema),
  };
}

/** `Signup API` → `signup_api`. Hosts join names with two underscores, so a name has none. */
export function toToolName(agentName: string): string {
  const plain = agentName.normalize("NFKD").toLowerCase().replaceAll(/\p{M}/gu, "");
  const name = plain.replaceAll(/[^a-z0-9-]+/g, "_").slice(0, TOOL_NAME_MAX_CHARS);
  return name.replaceAll(/^[_-]+|[_-]+$/g, "") || "run";
}

/** An answer of 400 and above is the tool's error, with what the graph says of it; a failed run's is its detail. */
export function toToolAnswer({ runId, result }: Pick<Run, "runId" | "result">): ToolAnswer {
  if (!result.ok) return failedAnswer(result.error, runId);
  const { status, body } = result.value;
  return {
    text: typeof body === "string" ? body : JSON.stringify(body ?? null),
    structured: structuredBody(body),
    isError: status >= 400,
    runId,
  };
}

/** `runId` is null where the call was refused before it came to a run. */
export function failedAnswer(error: AppError, runId: string | null): ToolAnswer {
  const { code, detail } = error;
  const structured = {
    code,
    detail,
    ...(error.code === "VALIDATION_FAILED" ? { errors: error.errors.map((fault) => ({ ...fault })) } : {}),
    ...(error.code === "POLICY_REFUSED" ? { rule: error.rule } : {}),
    ...("retryAfterSeconds" in error ? { retryAfterSeconds: error.retryAfterSeconds } : {}),
    ...(runId === null ? {} : { runId }),
    ...("step" in error ? { step: error.step } : {}),
  };
  return { text: detail, structured, isError: true, runId };
}
