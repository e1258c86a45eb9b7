import type { FieldError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { Graph, Policy, ToolSpec } from "../contract.ts";
import type { Expressions } from "../expressions/expression.ts";
import { readSchema } from "../json-schema/json-schema.ts";
import { GRAPH_MAX_EXPRESSIONS } from "../limits.ts";
import type { Registry } from "../registry.ts";
import { countExpressions } from "./expressions.ts";
import { crowdFaults, idFaults, orderFaults, readOrder } from "./order.ts";
import { type PlannedPolicy, planPolicy, policyFaults } from "./policy.ts";
import { joinPath } from "./references.ts";
import { rootsBefore, rootsOfRules } from "./roots.ts";
import { type PlannedStep, planStep } from "./step.ts";

/** A graph that was found right, ready to run as often as one likes. Plain data and functions: kept over requests. */
export interface Plan {
  /** One after the other; the steps of one stage run at once. */
  readonly stages: readonly (readonly PlannedStep[])[];
  readonly inputSchema: JsonObject;
  /** Of secrets that steps refer to, each once. */
  readonly secretNames: readonly string[];
  readonly policy: PlannedPolicy;
  /** Whether a step or a rule reads `request`. */
  readonly readsRequest: boolean;
}

export interface Planning {
  readonly registry: Registry;
  readonly expressions: Expressions;
  readonly policy: Policy;
}

/** The graph's own schema, else the one of its `input` tool, else any object. */
export function resolveInputSchema(graph: {
  readonly tools: readonly ToolSpec[];
  readonly inputSchema?: JsonObject | undefined;
}): JsonObject {
  if (graph.inputSchema !== undefined) return graph.inputSchema;
  return graph.tools.find((tool) => tool.name === "input")?.inputSchema ?? { type: "object" };
}

/** Whether planning will compile an expression: what compiles them is loaded only then. */
export function hasExpressions(
  graph: Pick<Graph, "tools">,
  { registry, policy }: Omit<Planning, "expressions">,
): boolean {
  return countExpressions(graph, registry, policy) > 0;
}

/** Checks all that can be known of a graph before it runs, and tells every fault at once. */
export function planGraph(graph: Graph, planning: Planning): Result<Plan, readonly FieldError[]> {
  const { registry, policy } = planning;
  const order = readOrder(graph);
  const toolIds = new Set(graph.tools.map((tool) => tool.toolId));
  const faults = [...idFaults(graph, order), ...orderFaults(graph, order), ...schemaFaults(graph)];
  faults.push(...crowdFaults(graph, order, registry));
  const count = countExpressions(graph, registry, policy);
  const hasTooMany = count > GRAPH_MAX_EXPRESSIONS;
  if (hasTooMany) faults.push({ path: "tools", message: tooMany(count) });
  const expressions = hasTooMany ? null : planning.expressions;
  const steps = new Map<string, PlannedStep>();
  for (const [i, spec] of graph.tools.entries()) {
    const rootFault = rootsBefore(spec.toolId, toolIds, order);
    const path = `tools.${i}`;
    steps.set(spec.toolId, planStep(spec, { graph, order, registry, expressions, rootFault, toolIds, path, faults }));
  }
  faults.push(...policyFaults(policy, graph, registry));
  const planned = planPolicy(policy, graph, { expressions, rootFault: rootsOfRules(toolIds), toolIds, faults });
  if (faults.length > 0) return err(faults);
  const stages = order.stages.map((stage) => stage.flatMap((id) => steps.get(id) ?? []));
  const secretNames = [...new Set([...steps.values()].flatMap((step) => step.secretNames))];
  const readsRequest = planned.ruleRoots.includes("request") || [...steps.values()].some(readsOfRequest);
  return ok({ stages, inputSchema: graph.inputSchema, secretNames, policy: planned, readsRequest });
}

function readsOfRequest({ reads, when }: PlannedStep): boolean {
  return reads === null || reads.has("request") || (when?.roots.includes("request") ?? false);
}

function tooMany(expressions: number): string {
  const max = `a graph and its policy's rules hold at most ${GRAPH_MAX_EXPRESSIONS} expressions`;
  return `${max}, conditions counted: here are ${expressions}`;
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
