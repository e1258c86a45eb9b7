import { STEP_TIMEOUT_MS } from "../../config/limits.ts";
import type { FieldError } from "../../core/errors.ts";
import type { Graph, ToolSpec } from "../contract.ts";
import type { Expression, Expressions } from "../expressions/expression.ts";
import type { Registry } from "../registry.ts";
import type { ToolEffect } from "../tool.ts";
import { planExpression, planExpressions } from "./expressions.ts";
import { fieldFault } from "./known-fields.ts";
import type { Order } from "./order.ts";
import type { PlacedReference } from "./references.ts";
import type { RootFault } from "./roots.ts";
import { type PlannedConfig, planConfig } from "./step-config.ts";

/** What a failure of the step means for the run. */
export type OnError =
  | { readonly kind: "fail" }
  | { readonly kind: "continue" }
  /** The run goes on at this stage, later than the step's own. */
  | { readonly kind: "goTo"; readonly stage: number };

export interface PlannedStep extends PlannedConfig {
  readonly toolId: string;
  /** The tool's. */
  readonly name: string;
  readonly effect: ToolEffect;
  readonly when: Expression | null;
  /** Names that its config begins references and expressions with; null where it sees all outputs so far. */
  readonly reads: ReadonlySet<string> | null;
  /** Of one attempt. */
  readonly timeoutMs: number;
  /** Attempts in all, the first one counted. */
  readonly maxAttempts: number;
  readonly backoffMs: number;
  readonly onError: OnError;
  /** Expressions of the config by their paths in it. */
  readonly expressions: ReadonlyMap<string, Expression>;
}

export interface StepPlanning {
  readonly graph: Graph;
  readonly order: Order;
  readonly registry: Registry;
  /** Null where none is compiled: the graph has too many. */
  readonly expressions: Expressions | null;
  /** What this step may read. */
  readonly rootFault: RootFault;
  readonly toolIds: ReadonlySet<string>;
  /** Where the step stands in the graph: `tools.2`. */
  readonly path: string;
  readonly faults: FieldError[];
}

/** Checks one step and compiles it. What comes out is good for a run only where no fault was found. */
export function planStep(spec: ToolSpec, planning: StepPlanning): PlannedStep {
  const { registry, rootFault, toolIds, path, faults, expressions } = planning;
  const tool = registry.get(spec.name);
  if (tool === undefined) {
    const known = [...registry.keys()].join(", ");
    faults.push({ path: `${path}.name`, message: `no tool is named ${spec.name}; there are ${known}` });
  }
  const { planned, references, faults: configFaults } = planConfig(spec.config, tool);
  const inConfig = [...configFaults];
  for (const { reference, path: at } of references) {
    const { root, path: parts } = reference;
    const message = root === "secrets" ? null : (rootFault(root) ?? fieldFault(root, parts[0]));
    if (message !== null) inConfig.push({ path: at, message: `${reference.text}: ${message}` });
  }
  const compiling = { expressions, rootFault, toolIds, faults: inConfig };
  const ofConfig = tool === undefined ? new Map<string, Expression>() : planExpressions(spec.config, tool, compiling);
  for (const { path: at, message } of inConfig) {
    faults.push({ path: at === "" ? `${path}.config` : `${path}.config.${at}`, message });
  }
  const { retry } = spec;
  const when =
    spec.when === undefined
      ? null
      : planExpression(spec.when, `${path}.when`, { expressions, rootFault, toolIds, faults });
  return {
    ...planned,
    toolId: spec.toolId,
    name: spec.name,
    effect: tool?.effect ?? "none",
    when,
    reads: tool?.readsAll ? null : new Set([...namesIn(references), ...[...ofConfig.values()].flatMap(rootsOf)]),
    timeoutMs: spec.timeoutMs ?? STEP_TIMEOUT_MS,
    maxAttempts: retry?.attempts ?? 1,
    backoffMs: retry?.backoffMs ?? 0,
    onError: planOnError(spec, planning),
    expressions: ofConfig,
  };
}

function namesIn(references: readonly PlacedReference[]): readonly string[] {
  return references.map(({ reference }) => reference.root);
}

function rootsOf({ roots }: Expression): readonly string[] {
  return roots;
}

function planOnError({ toolId, onError = "fail" }: ToolSpec, { graph, order, path, faults }: StepPlanning): OnError {
  if (onError === "fail" || onError === "continue") return { kind: onError };
  const here = order.stageOf.get(toolId);
  const there = order.stageOf.get(onError);
  const fault = (message: string): OnError => {
    faults.push({ path: `${path}.onError`, message });
    return { kind: "fail" };
  };
  if (!graph.tools.some((tool) => tool.toolId === onError)) {
    return fault(`is fail, continue or the id of a later step; there is no step ${onError}`);
  }
  // A step that is in no order has been reported as such.
  if (here === undefined || there === undefined) return { kind: "fail" };
  if (there <= here) return fault(`the step ${onError} does not run after this one`);
  if ((order.stages[there]?.length ?? 0) > 1) {
    return fault(`the step ${onError} runs at once with others: a run goes on at a step that stands alone`);
  }
  return { kind: "goTo", stage: there };
}
