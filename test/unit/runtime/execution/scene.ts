import * as z from "zod";
import type { Actor } from "../../../../src/core/actor.ts";
import type { FieldError } from "../../../../src/core/errors.ts";
import type { Json } from "../../../../src/core/json.ts";
import type { LogFields, Logger } from "../../../../src/core/logger.ts";
import {
  type Policy,
  policySchema,
  type RunTrace,
  type ToolSpec,
  toolSchema,
} from "../../../../src/runtime/contract.ts";
import {
  type Execution,
  type ExecutorDeps,
  executePlan,
  type RunOrder,
} from "../../../../src/runtime/execution/executor.ts";
import type { Expressions } from "../../../../src/runtime/expressions/expression.ts";
import { type Plan, planGraph } from "../../../../src/runtime/graph/graph.ts";
import { createRunWork } from "../../../../src/runtime/run-work.ts";
import { defineTool, output, type Tool, type ToolDefinition, type ToolServices } from "../../../../src/runtime/tool.ts";
import { inputTool } from "../../../../src/runtime/tools/input.ts";
import { inputValidationTool } from "../../../../src/runtime/tools/input-validation.ts";
import { responseTool } from "../../../../src/runtime/tools/response.ts";
import { createFakeClock, type FakeClock } from "../../../support/fake-clock.ts";
import { fakeExpressions } from "./fake-expressions.ts";

export const RUN_ID = "run_00000000000000000000000001";
export const AGENT_ID = "agent_00000000000000000000000001";

type Definition = ToolDefinition<z.ZodType>;

/** A tool that takes any config. */
export function tool(name: string, run: Definition["run"], more: Partial<Definition> = {}): Tool {
  return defineTool({ name, description: name, config: z.looseObject({}), output: z.unknown(), ...more, run });
}

/** Gives its config back. */
export const echo = tool("echo", (config) => output(config as Json));

/** The value of its expression. */
export const evaluating = tool(
  "evaluating",
  (_config, { evaluate }) => {
    const value = evaluate("expression");
    return value.ok ? output(value.value) : { kind: "fail", message: value.error };
  },
  { expressions: ["expression"] },
);

export type Step = string | (Partial<ToolSpec> & { readonly name: string });

export interface Scene {
  readonly tools?: readonly Tool[];
  /** Ids; the steps' own order where none is given. A step's id is its tool's name unless it says otherwise. */
  readonly order?: readonly (string | readonly string[])[];
  readonly policy?: Partial<Policy>;
  /** A small stand-in where none is given. */
  readonly expressions?: Expressions;
  readonly input?: Json;
  readonly clock?: FakeClock;
  readonly signal?: AbortSignal;
  readonly dryRun?: boolean;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly random?: number;
  readonly services?: Partial<ToolServices>;
  readonly journal?: (trace: RunTrace) => Promise<void>;
  readonly readSecrets?: ExecutorDeps["readSecrets"];
  /** Of the Worker: exact values. */
  readonly credentials?: readonly string[];
  readonly changes?: Partial<RunOrder>;
}

export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly fields: LogFields;
}

export function planOf(steps: readonly Step[], scene: Scene = {}): Plan | readonly FieldError[] {
  const known = [inputTool, inputValidationTool, responseTool, echo, evaluating, ...(scene.tools ?? [])];
  const tools = steps.map((step) => {
    const spec = typeof step === "string" ? { name: step } : step;
    return toolSchema.parse({ toolId: spec.name, ...spec });
  });
  const executionOrder = scene.order ?? tools.map((spec) => spec.toolId);
  const plan = planGraph(
    { tools, executionOrder, inputSchema: { type: "object" } },
    {
      registry: new Map(known.map((one) => [one.name, one])),
      expressions: scene.expressions ?? fakeExpressions,
      policy: policySchema.parse(scene.policy ?? {}),
    },
  );
  return plan.ok ? plan.value : plan.error;
}

/** Runs steps, in the order given unless the scene has another one. */
export function execute(steps: readonly Step[], scene: Scene = {}) {
  const { clock = createFakeClock(), input = { name: "Ada" }, secrets = {} } = scene;
  const plan = planOf(steps, scene);
  if (!("stages" in plan)) throw new Error(JSON.stringify(plan));
  const lines: LogLine[] = [];
  const write =
    (level: string) =>
    (event: string, fields: LogFields = {}) => {
      lines.push({ level, event, fields });
    };
  const log: Logger = { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
  const actor: Actor = { kind: "key", id: AGENT_ID, ownerId: "user-1", scopes: new Set(["search"]) };
  const { signal } = scene;
  const order: RunOrder = {
    runId: RUN_ID,
    agentId: AGENT_ID,
    issuer: AGENT_ID,
    tracedAgentId: AGENT_ID,
    ownerId: "user-1",
    serverId: "mcp_1",
    version: 3,
    requestId: "req_test",
    span: null,
    trigger: "http",
    dryRun: scene.dryRun ?? false,
    request: { input, method: "POST", headers: {}, query: {} },
    caller: { kind: "anonymous", id: "10.0.0.1" },
    chain: [AGENT_ID],
    family: { runs: 1, work: createRunWork() },
    asOwner: {
      actor,
      requestId: "req_test",
      origin: "https://orchestrix.test",
      ...(signal === undefined ? {} : { signal: () => signal }),
    },
    ...scene.changes,
  };
  const journalled: RunTrace[] = [];
  const given = executePlan(plan, order, {
    clock,
    log,
    random: (length) => new Uint8Array(length).fill(Math.round((scene.random ?? 1) * 255)),
    services: { clock, ...scene.services } as ToolServices,
    journal: {
      async write(_keeper, trace) {
        await scene.journal?.(trace);
        journalled.push(trace);
      },
    },
    readSecrets: scene.readSecrets ?? (async () => new Map(Object.entries(secrets))),
    credentials: scene.credentials ?? [],
  });
  const execution = Promise.resolve(given).then(({ trace, ...rest }): Ended => ({ ...rest, trace: trace() }));
  return { execution, isAtOnce: !(given instanceof Promise), lines, clock, journalled };
}

export interface Ended extends Omit<Execution, "trace"> {
  readonly trace: RunTrace;
}

/** `a:ok b:failed`, in the order in which they began. */
export function statuses({ trace }: Ended): string {
  return trace.steps.map((step) => `${step.toolId}:${step.status}`).join(" ");
}

export function bodyOf({ result }: Ended): Json | undefined {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value.body;
}
