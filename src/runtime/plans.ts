import type { AtOnce } from "../core/at-once.ts";
import type { FieldError } from "../core/errors.ts";
import { createRecent } from "../core/recent.ts";
import { err, type Result } from "../core/result.ts";
import { type AgentRecord, storedGraph, storedPolicy } from "./agents/agent-store.ts";
import { type Graph, policySchema } from "./contract.ts";
import type { Expressions } from "./expressions/expression.ts";
import { hasExpressions, type Plan, planGraph } from "./graph/graph.ts";
import { PLAN_CACHE_MAX_CHARS } from "./limits.ts";
import type { Registry } from "./registry.ts";

/** Graphs with their policies, checked and made ready to run. */
export interface Plans {
  /** Every fault at once, those of the policy under `policy`. */
  plan(graph: Graph, policy: unknown): Promise<Result<Plan, readonly FieldError[]>>;
  /**
   * Of a stored agent: planned once per revision and isolate, those planned longest ago forgotten first. Faults of a graph
   * that was right when it was stored: this version may take less than the one that took it.
   */
  planOf(agent: AgentRecord): AtOnce<Result<Plan, readonly FieldError[]>>;
}

interface Planned {
  readonly revision: string;
  readonly plan: Result<Plan, readonly FieldError[]>;
  readonly chars: number;
}

export function createPlans(deps: {
  readonly registry: Registry;
  /** Loads the expression language when it is first needed, and gives the same one ever after. */
  readonly loadExpressions: () => Promise<Expressions>;
}): Plans {
  const { registry, loadExpressions } = deps;
  const cache = createRecent<Planned>(PLAN_CACHE_MAX_CHARS, undefined, ({ chars }) => chars);

  const plans: Plans = {
    async plan(graph, policy) {
      const read = policySchema.safeParse(policy);
      if (!read.success) return err(read.error.issues.map((issue) => toFault(issue.path, issue.message)));
      const planning = { registry, policy: read.data };
      const expressions = hasExpressions(graph, planning) ? await loadExpressions() : NO_EXPRESSIONS;
      return planGraph(graph, { ...planning, expressions });
    },
    planOf(agent) {
      const known = cache.get(agent._id);
      return known?.revision === agent.revision ? known.plan : planAnew(agent);
    },
  };

  async function planAnew(agent: AgentRecord): Promise<Result<Plan, readonly FieldError[]>> {
    const { revision, graph, policy } = agent;
    const plan = await plans.plan(storedGraph(agent), storedPolicy(agent));
    cache.set(agent._id, { revision, plan, chars: graph.length + policy.length });
    return plan;
  }

  return plans;
}

/** For graphs that hold none. */
const NO_EXPRESSIONS: Expressions = { compile: () => err("expressions are not loaded") };

/** For callers that hold what a contract has not seen yet: a record of another version. */
function toFault(path: readonly PropertyKey[], message: string): FieldError {
  return { path: ["policy", ...path.map(String)].join("."), message };
}
