import type { Order } from "./order.ts";

/** Names that references know already: no step has one of these. */
export const RESERVED_IDS: ReadonlySet<string> = new Set(["request", "run", "agent", "owner", "secrets"]);

/** Names that the policy's rules know beside them; they hide steps that are called the same. */
export const RULE_ROOTS: ReadonlySet<string> = new Set(["tool", "config", "caller"]);

/** What rules call the request's body, whether or not a step gives it. */
export const INPUT = "input";

/** Why a path may not begin with this name; null where it may. */
export type RootFault = (root: string) => string | null;

/** What a step may read: what every run knows, and the steps of earlier stages. */
export function rootsBefore(toolId: string, toolIds: ReadonlySet<string>, { stageOf }: Order): RootFault {
  return (root) => {
    if (root === "secrets") return "secrets are not available here";
    if (RESERVED_IDS.has(root)) return null;
    if (!toolIds.has(root)) return `there is no step ${root}`;
    const here = stageOf.get(toolId);
    const there = stageOf.get(root);
    // A step that is in no order has been reported as such.
    if (here === undefined || there === undefined || there < here) return null;
    if (there === here && root !== toolId) return `the step ${root} runs at the same time as this one`;
    return `the step ${root} does not run before this one`;
  };
}

/** What a rule of the policy may read: the request's body, and any step, which is null until it has run. */
export function rootsOfRules(toolIds: ReadonlySet<string>): RootFault {
  return (root) => {
    if (root === "secrets") return "secrets are not available here";
    const isKnown = root === INPUT || RULE_ROOTS.has(root) || RESERVED_IDS.has(root) || toolIds.has(root);
    return isKnown ? null : `there is no step ${root}`;
  };
}
