import type { Json } from "../../core/json.ts";
import { BUILT_IN_RULES, type PlannedRule, ruleScope } from "../graph/policy.ts";
import type { Scope } from "../graph/references.ts";
import type { PlannedStep } from "../graph/step.ts";
import type { ActiveRun } from "./active-run.ts";

/** A call that the policy does not allow. */
export interface PolicyRefusal {
  readonly rule: string;
  readonly message: string;
}

/** The frame of a graph: what comes in and goes out is no call of a tool. */
const UNCOUNTED: ReadonlySet<string> = new Set(["input", "response"]);

/**
 * Counts one call of a tool, or says why it may not be made. Rules are asked for every step, those that are not counted
 * too: what comes in and what is answered can be what they are about. `config` is what they see: without secrets.
 */
export function admitCall(run: ActiveRun, step: PlannedStep, config: () => Json): PolicyRefusal | null {
  const { maxCalls, rules } = run.plan.policy;
  const counts = !UNCOUNTED.has(step.name);
  if (counts && maxCalls !== null && run.calls >= maxCalls) {
    return { rule: BUILT_IN_RULES.calls, message: `the policy allows ${maxCalls} tool calls in one run` };
  }
  const refusal = rules.length === 0 ? null : findRefusal(run, step, config());
  if (refusal === null && counts) run.calls += 1;
  return refusal;
}

function findRefusal(run: ActiveRun, step: PlannedStep, config: Json): PolicyRefusal | null {
  const { policy } = run.plan;
  if (config === null) return notEvaluated(policy.rules[0]?.name ?? "", "the step's config is too large");
  const { caller, request } = run.order;
  const { kind, id } = caller;
  const call: Record<string, Json> = { tool: { id: step.toolId, name: step.name }, config, caller: { kind, id } };
  const scope = ruleScope(policy, run.scope, { call, body: request.input });
  for (const rule of policy.rules) {
    const refusal = applyRule(rule, scope);
    if (refusal !== null) return refusal;
  }
  return null;
}

/** A rule that says neither yes nor no refuses: what it was written to keep out could be in. */
function applyRule({ name, when }: PlannedRule, scope: Scope): PolicyRefusal | null {
  const verdict = when.evaluate(scope);
  if (!verdict.ok) return notEvaluated(name, verdict.error);
  if (verdict.value === false) return null;
  const why = verdict.value === true ? "denies this call" : "gives neither true nor false";
  return { rule: name, message: `the policy's rule "${name}" ${why}` };
}

function notEvaluated(rule: string, why: string): PolicyRefusal {
  return { rule, message: `the policy's rule "${rule}" could not be evaluated: ${why}` };
}
