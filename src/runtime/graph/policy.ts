import type { FieldError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { Graph, Policy } from "../contract.ts";
import type { Expression } from "../expressions/expression.ts";
import type { Registry } from "../registry.ts";
import { type ExpressionPlanning, planExpression } from "./expressions.ts";
import type { Scope } from "./references.ts";
import { INPUT } from "./roots.ts";

/** Rules that every policy has, by the names that refusals and traces give them. */
export const BUILT_IN_RULES = { calls: "max-calls", tools: "allowed-tools", hosts: "allowed-hosts" } as const;

export interface PlannedRule {
  readonly name: string;
  readonly when: Expression;
}

/** A policy as runs obey it. Null is no restriction beyond that of every server. */
export interface PlannedPolicy {
  readonly allowedHosts: readonly string[] | null;
  readonly maxDurationMs: number | null;
  readonly maxCalls: number | null;
  readonly maxOutputBytes: number | null;
  /** Of runs. Counted where they are admitted, not in them. */
  readonly rate: Policy["rate"];
  /** In their order. */
  readonly rules: readonly PlannedRule[];
  /** Names that the rules read, each once. */
  readonly ruleRoots: readonly string[];
  /** Names by which rules read the request's body, whether or not a step has given it yet. */
  readonly bodyRoots: ReadonlySet<string>;
}

/** `planning` is that of rules: they read any step. */
export function planPolicy(policy: Policy, graph: Pick<Graph, "tools">, planning: ExpressionPlanning): PlannedPolicy {
  const rules = (policy.deny ?? []).flatMap(({ name, when }, i): readonly PlannedRule[] => {
    const expression = planExpression(when, `policy.deny.${i}.when`, planning);
    return expression === null ? [] : [{ name, when: expression }];
  });
  return {
    allowedHosts: policy.allowedHosts ?? null,
    maxDurationMs: policy.maxDurationMs ?? null,
    maxCalls: policy.maxCalls ?? null,
    maxOutputBytes: policy.maxOutputBytes ?? null,
    rate: policy.rate,
    rules,
    ruleRoots: [...new Set(rules.flatMap((rule) => rule.when.roots))],
    bodyRoots: bodyRootsOf(graph),
  };
}

/** What is wrong with a policy, and with a graph under it, but for the rules' expressions. */
export function policyFaults(policy: Policy, { tools }: Graph, registry: Registry): readonly FieldError[] {
  const { allowedTools, deny = [] } = policy;
  const unknown = (allowedTools ?? []).flatMap((name, i) =>
    registry.has(name) ? [] : [{ path: `policy.allowedTools.${i}`, message: `no tool is named ${name}` }],
  );
  const refused = tools.flatMap(({ name }, i) =>
    allowedTools === undefined || allowedTools.includes(name) || !registry.has(name)
      ? []
      : [{ path: `tools.${i}.name`, message: `the policy's ${BUILT_IN_RULES.tools} do not name ${name}` }],
  );
  return [...unknown, ...refused, ...nameFaults(deny)];
}

/** A refusal names its rule: names that a reader takes for each other are the same. */
function nameFaults(deny: NonNullable<Policy["deny"]>): readonly FieldError[] {
  const builtIn: readonly string[] = Object.values(BUILT_IN_RULES);
  const read = deny.map(({ name }) => name.trim().toLowerCase());
  return deny.flatMap(({ name }, i) => {
    const path = `policy.deny.${i}.name`;
    const same = read[i] ?? "";
    if (builtIn.includes(same)) return [{ path, message: `${name} is a rule that every policy has` }];
    return read.indexOf(same) < i ? [{ path, message: `another rule is named ${name}` }] : [];
  });
}

/** The `input` step, whatever its id; `input` itself unless another tool's step is called so. */
function bodyRootsOf({ tools }: Pick<Graph, "tools">): ReadonlySet<string> {
  const roots = new Set(tools.flatMap(({ toolId, name }) => (name === INPUT ? [toolId] : [])));
  return tools.some(({ toolId }) => toolId === INPUT) ? roots : roots.add(INPUT);
}

/**
 * What rules read about one call: the request's body from the first call on, any other step is null until it has run,
 * and the call's own names come first.
 */
export function ruleScope(
  { ruleRoots, bodyRoots }: PlannedPolicy,
  scope: Scope,
  { call, body }: { readonly call: Readonly<Record<string, Json>>; readonly body: Json },
): Scope {
  const read = (root: string): Json => {
    if (Object.hasOwn(call, root)) return call[root] ?? null;
    return bodyRoots.has(root) ? body : (scope.get(root) ?? null);
  };
  return new Map(ruleRoots.map((root) => [root, read(root)]));
}
