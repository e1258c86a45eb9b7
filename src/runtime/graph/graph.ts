import { STEP_TIMEOUT_MS } from "../../config/limits.ts";
import type { FieldError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { Graph, ToolSpec } from "../contract.ts";
import { readSchema } from "../json-schema/json-schema.ts";
import type { Registry } from "../registry.ts";
import type { BoundStep } from "../tool.ts";
import { joinPath, type Scope } from "./references.ts";
import { planConfig } from "./step-config.ts";

export interface PlannedStep {
  readonly toolId: string;
  readonly name: string;
  readonly timeoutMs: number;
  /** The step with its references resolved. The error is a sentence for the caller, without a value in it. */
  bind(scope: Scope): Result<BoundStep, string>;
}

/** A graph that was found right, ready to run as often as one likes. Plain data and functions: kept over requests. */
export interface Plan {
  readonly steps: readonly PlannedStep[];
  readonly inputSchema: JsonObject;
}

/** Names that references know already. */
const RESERVED_IDS: ReadonlySet<string> = new Set(["request", "run", "agent", "owner", "secrets"]);

/** The graph's own schema, else the one of its `input` tool, else any object. */
export function resolveInputSchema(graph: {
  readonly tools: readonly ToolSpec[];
  readonly inputSchema?: JsonObject | undefined;
}): JsonObject {
  if (graph.inputSchema !== undefined) return graph.inputSchema;
  return graph.tools.find((tool) => tool.name === "input")?.inputSchema ?? { type: "object" };
}

/** Checks all that can be known of a graph before it runs, and tells every fault at once. */
export function planGraph(graph: Graph, registry: Registry): Result<Plan, readonly FieldError[]> {
  const faults: FieldError[] = [...idFaults(graph), ...orderFaults(graph), ...schemaFaults(graph)];
  const planned = new Map<string, PlannedStep>();
  for (const [i, spec] of graph.tools.entries()) {
    const step = planStep(spec, `tools.${i}`, graph, registry, faults);
    if (step !== null) planned.set(spec.toolId, step);
  }
  if (faults.length > 0) return err(faults);
  const steps = graph.executionOrder.flatMap((id) => planned.get(id) ?? []);
  return ok({ steps, inputSchema: graph.inputSchema });
}

function idFaults({ tools, executionOrder }: Graph): readonly FieldError[] {
  const faults: FieldError[] = [];
  const seen = new Set<string>();
  const ordered = new Set(executionOrder);
  for (const [i, { toolId }] of tools.entries()) {
    const path = `tools.${i}.toolId`;
    if (seen.has(toolId)) faults.push({ path, message: `another tool has the id ${toolId}` });
    else if (!ordered.has(toolId))
      faults.push({ path, message: `executionOrder does not name ${toolId}: it never runs` });
    if (RESERVED_IDS.has(toolId)) faults.push({ path, message: `${toolId} is a name that references know already` });
    seen.add(toolId);
  }
  return faults;
}

function orderFaults({ tools, executionOrder }: Graph): readonly FieldError[] {
  const faults: FieldError[] = [];
  const byId = new Map(tools.map((tool) => [tool.toolId, tool]));
  const seen = new Set<string>();
  let end: string | null = null;
  for (const [i, id] of executionOrder.entries()) {
    const path = `executionOrder.${i}`;
    if (!byId.has(id)) faults.push({ path, message: `no tool has the id ${id}` });
    else if (seen.has(id)) faults.push({ path, message: `${id} is in the order already` });
    else if (end !== null)
      faults.push({ path, message: `${id} never runs: the response step ${end} ends the run before` });
    if (byId.get(id)?.name === "response") end ??= id;
    seen.add(id);
  }
  const inputs = tools.flatMap((tool, i) => (tool.name === "input" ? [i] : []));
  for (const i of inputs.slice(1)) faults.push({ path: `tools.${i}.name`, message: "a graph has one input tool" });
  return faults;
}

function schemaFaults(graph: Graph): readonly FieldError[] {
  const faults = (schema: JsonObject, at: string) =>
    readSchema(schema).faults.map(({ path, message }) => ({ path: joinPath(at, path).replace(/\.$/, ""), message }));
  const ofTools = graph.tools.flatMap((tool, i) =>
    tool.inputSchema === undefined ? [] : faults(tool.inputSchema, `tools.${i}.inputSchema`),
  );
  const isTools = graph.tools.some((tool) => tool.inputSchema === graph.inputSchema);
  return isTools ? ofTools : [...faults(graph.inputSchema, "inputSchema"), ...ofTools];
}

function planStep(
  spec: ToolSpec,
  path: string,
  graph: Graph,
  registry: Registry,
  faults: FieldError[],
): PlannedStep | null {
  const tool = registry.get(spec.name);
  if (tool === undefined) {
    const known = [...registry.keys()].join(", ");
    faults.push({ path: `${path}.name`, message: `no tool is named ${spec.name}; there are ${known}` });
  }
  const { bind, references, faults: configFaults } = planConfig(spec.config, tool);
  const wrong = references.flatMap(({ reference, path: at }) => {
    const message = referenceFault(reference.root, spec.toolId, graph);
    return message === null ? [] : [{ path: at, message: `${reference.text}: ${message}` }];
  });
  for (const fault of [...configFaults, ...wrong]) {
    faults.push({
      path: fault.path === "" ? `${path}.config` : `${path}.config.${fault.path}`,
      message: fault.message,
    });
  }
  return { toolId: spec.toolId, name: spec.name, timeoutMs: spec.timeoutMs ?? STEP_TIMEOUT_MS, bind };
}

function referenceFault(root: string, toolId: string, { tools, executionOrder }: Graph): string | null {
  if (root === "secrets") return "stored secrets are not available to graphs";
  if (RESERVED_IDS.has(root)) return null;
  if (!tools.some((tool) => tool.toolId === root)) return `there is no step ${root}`;
  const here = executionOrder.indexOf(toolId);
  const there = executionOrder.indexOf(root);
  // A step that is in no order has been reported as such.
  if (here === -1 || there === -1 || there < here) return null;
  return `the step ${root} does not run before this one`;
}
