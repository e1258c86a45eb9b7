import { GRAPH_MAX_STEPS } from "../../config/limits.ts";
import type { FieldError } from "../../core/errors.ts";
import { isPrototypeKey } from "../../core/json.ts";
import type { Graph, ToolSpec } from "../contract.ts";
import type { Registry } from "../registry.ts";
import { RESERVED_IDS } from "./roots.ts";

/** When each step runs. */
export interface Order {
  /** Ids; those of one stage run at once. */
  readonly stages: readonly (readonly string[])[];
  /** The stage that a step is in: the first one where it is in several, which is a fault. */
  readonly stageOf: ReadonlyMap<string, number>;
}

/** The order as it is written, right or not. */
export function readOrder({ executionOrder }: Graph): Order {
  const stages = executionOrder.map((entry) => (typeof entry === "string" ? [entry] : entry));
  const stageOf = new Map<string, number>();
  for (const [i, stage] of stages.entries()) {
    for (const id of stage) if (!stageOf.has(id)) stageOf.set(id, i);
  }
  return { stages, stageOf };
}

/** Of the steps' names. */
export function idFaults({ tools }: Graph, { stageOf }: Order): readonly FieldError[] {
  const faults: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, { toolId }] of tools.entries()) {
    const path = `tools.${i}.toolId`;
    if (seen.has(toolId)) faults.push({ path, message: `another tool has the id ${toolId}` });
    else if (!stageOf.has(toolId)) {
      faults.push({ path, message: `executionOrder does not name ${toolId}: it never runs` });
    }
    if (RESERVED_IDS.has(toolId)) faults.push({ path, message: `${toolId} is a name that references know already` });
    if (isPrototypeKey(toolId)) faults.push({ path, message: `${toolId} is never the id of a step` });
    seen.add(toolId);
  }
  return faults;
}

/** Of the order itself: steps that are not there, or never run. */
export function orderFaults({ tools, executionOrder }: Graph, order: Order): readonly FieldError[] {
  const { stages } = order;
  const faults: FieldError[] = [];
  const byId = new Map(tools.map((tool) => [tool.toolId, tool]));
  const seen = new Set<string>();
  const ends = endsBefore(order, byId);
  for (const [i, stage] of stages.entries()) {
    for (const [j, id] of stage.entries()) {
      const path = typeof executionOrder[i] === "string" ? `executionOrder.${i}` : `executionOrder.${i}.${j}`;
      const message = placeFault(id, byId.get(id), seen, ends[i] ?? null, stage);
      if (message !== null) faults.push({ path, message });
      seen.add(id);
    }
  }
  const count = stages.reduce((sum, stage) => sum + stage.length, 0);
  if (count > GRAPH_MAX_STEPS) {
    faults.push({ path: "executionOrder", message: `a graph has at most ${GRAPH_MAX_STEPS} steps` });
  }
  const inputs = tools.flatMap((tool, i) => (tool.name === "input" ? [i] : []));
  for (const i of inputs.slice(1)) faults.push({ path: `tools.${i}.name`, message: "a graph has one input tool" });
  return faults;
}

/** Groups that run more steps of one tool at once than it allows. */
export function crowdFaults({ tools }: Graph, { stages }: Order, registry: Registry): readonly FieldError[] {
  const names = new Map(tools.map(({ toolId, name }) => [toolId, name]));
  const limited = [...registry.values()].filter(({ maxAtOnce }) => maxAtOnce !== null);
  return stages.flatMap((stage, i) =>
    limited.flatMap(({ name, maxAtOnce }) => {
      const count = stage.filter((id) => names.get(id) === name).length;
      if (maxAtOnce === null || count <= maxAtOnce) return [];
      const message = `at most ${maxAtOnce} ${name} steps run at once: here are ${count}`;
      return [{ path: `executionOrder.${i}`, message }];
    }),
  );
}

function placeFault(
  id: string,
  tool: ToolSpec | undefined,
  seen: ReadonlySet<string>,
  end: string | null,
  stage: readonly string[],
): string | null {
  if (tool === undefined) return `no tool has the id ${id}`;
  if (seen.has(id)) return `${id} is in the order already`;
  if (end !== null) return `${id} never runs: the response step ${end} ends the run before, and no onError leads here`;
  if (tool.name === "response" && stage.length > 1) {
    return `${id} ends the run: a response step does not run at once with others`;
  }
  return null;
}

/**
 * For each stage, the response step that ends every run before it; null where a run can come there: from the stage
 * before, passing by a step whose condition does not hold, or by a failure whose `onError` leads there.
 */
function endsBefore({ stages, stageOf }: Order, byId: ReadonlyMap<string, ToolSpec>): readonly (string | null)[] {
  const led = new Set<number>();
  const ends: (string | null)[] = [];
  let end: string | null = null;
  for (const [i, stage] of stages.entries()) {
    if (led.has(i)) end = null;
    ends.push(end);
    // What never runs leads nowhere.
    if (end !== null) continue;
    for (const id of stage) {
      const { onError = "fail" } = byId.get(id) ?? {};
      const there = isStepId(onError) ? stageOf.get(onError) : undefined;
      if (there !== undefined && there > i) led.add(there);
    }
    const [only] = stage;
    if (stage.length === 1 && only !== undefined && endsOrder(byId.get(only))) end = only;
  }
  return ends;
}

/** Whether an `onError` names a step: the two words are never taken for one. */
function isStepId(onError: string): boolean {
  return onError !== "fail" && onError !== "continue";
}

/** Whether no run goes on at the next step: a response with a condition may be passed by, and one may fail. */
function endsOrder(tool: ToolSpec | undefined): boolean {
  return tool?.name === "response" && tool.when === undefined && tool.onError !== "continue";
}
