import { type AtOnce, goOn } from "../../core/at-once.ts";
import type { Json } from "../../core/json.ts";
import { BUILT_IN_RULES, type PlannedRule, ruleScope } from "../graph/policy.ts";
import type { Scope } from "../graph/references.ts";
import type { PlannedStep } from "../graph/step.ts";
import { isBreakDue, type RunWork, takeBreak } from "../run-work.ts";
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
 * too: what comes in and what is answered can be what they are about. `config` is what they see: without secrets. Comes
 * later where rules are so much work that others are served in between.
 */
export function admitCall(run: ActiveRun, step: PlannedStep, config: () => Json): AtOnce<PolicyRefusal | null> {
  const tooMany = refuseMany(run, step);
  if (tooMany !== null) return tooMany;
  if (run.plan.policy.rules.length === 0) return countCall(run, step);
  // Asked again: steps that run at once may have called while rules were asked.
  return goOn(findRefusal(run, step, config()), (refusal) => refusal ?? refuseMany(run, step) ?? countCall(run, step));
}

function refuseMany({ plan, calls }: ActiveRun, { name }: PlannedStep): PolicyRefusal | null {
  const { maxCalls } = plan.policy;
  if (maxCalls === null || calls < maxCalls || UNCOUNTED.has(name)) return null;
  return { rule: BUILT_IN_RULES.calls, message: `the policy allows ${maxCalls} tool calls in one run` };
}

function countCall(run: ActiveRun, { name }: PlannedStep): null {
  if (!UNCOUNTED.has(name)) run.calls += 1;
  return null;
}

function findRefusal(run: ActiveRun, step: PlannedStep, config: Json): AtOnce<PolicyRefusal | null> {
  const { policy } = run.plan;
  if (config === null) return notEvaluated(policy.rules[0]?.name ?? "", "the step's config is too large");
  const { caller, request } = run.order;
  const { kind, id } = caller;
  const call: Record<string, Json> = { tool: { id: step.toolId, name: step.name }, config, caller: { kind, id } };
  const scope = ruleScope(policy, run.scope, { call, body: request.input });
  return askRules(run, scope, 0);
}

function askRules(run: ActiveRun, scope: Scope, from: number): AtOnce<PolicyRefusal | null> {
  const { rules } = run.plan.policy;
  const { work } = run.context.family;
  let asked = from;
  for (const rule of from === 0 ? rules : rules.slice(from)) {
    const refusal = applyRule(rule, scope, work);
    if (refusal !== null) return refusal;
    asked += 1;
    if (isBreakDue(work)) return breakAndAsk(run, scope, asked);
  }
  return null;
}

async function breakAndAsk(run: ActiveRun, scope: Scope, from: number): Promise<PolicyRefusal | null> {
  const { work } = run.context.family;
  while (isBreakDue(work)) await takeBreak(work, run.deps.clock);
  return askRules(run, scope, from);
}

/** A rule that says neither yes nor no refuses: what it was written to keep out could be in. */
function applyRule({ name, when }: PlannedRule, scope: Scope, work: RunWork): PolicyRefusal | null {
  const verdict = when.evaluate(scope, work);
  if (!verdict.ok) return notEvaluated(name, verdict.error);
  if (verdict.value === false) return null;
  const why = verdict.value === true ? "denies this call" : "gives neither true nor false";
  return { rule: name, message: `the policy's rule "${name}" ${why}` };
}

function notEvaluated(rule: string, why: string): PolicyRefusal {
  return { rule, message: `the policy's rule "${rule}" could not be evaluated: ${why}` };
}
