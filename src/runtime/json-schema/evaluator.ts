import type { FieldError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import { Exhausted } from "./budget.ts";
import type { ReadSchema, SchemaNode } from "./json-schema.ts";
import { SCHEMA_MAX_WORK } from "./limits.ts";
import { compilePattern, type Pattern } from "./patterns/pattern.ts";
import { ANYTHING, NOTHING, type Rule } from "./rule.ts";
import { createRun, EnoughFaults, IllFormedName, type Run } from "./run.ts";
import { createSchemaRule, type SchemaRule } from "./schema-rule.ts";

export interface Evaluation {
  readonly faults: readonly FieldError[];
  /** At most SCHEMA_MAX_WORK to find out whether there are faults, and as much again to tell them, and what broke it off. */
  readonly work: number;
}

const TOO_MUCH: FieldError = { path: "", message: "takes too much work to check against the schema: send less" };
const ILL_FORMED: FieldError = { path: "", message: "holds a name that is not valid Unicode" };
/** Of data that is not valid although none of the schema's keywords says why. */
const UNEXPLAINED: FieldError = { path: "", message: "does not satisfy the schema" };

/**
 * Makes rules of a schema that was read without a fault. The library that others use has no bound: patterns and
 * references multiply, so that a small schema and a small input could stop every other request of an isolate. An
 * evaluation takes `most` of work in all, whatever it is.
 */
export function createEvaluator({ schema, nodes, uses }: ReadSchema): (data: Json, most: number) => Evaluation {
  const root = createRules({ schema, nodes, uses });
  return (data, most) => {
    const toCheck = Math.min(SCHEMA_MAX_WORK, most);
    const run = createRun(toCheck);
    const checked = check(root, data, run);
    const checking = toCheck - run.left;
    if (checked !== null) return { faults: checked, work: checking };
    const toExplain = Math.min(SCHEMA_MAX_WORK, most - checking);
    run.left = toExplain;
    return { faults: explain(root, data, run), work: checking + toExplain - run.left };
  };
}

/** Null where the data has faults, which are to be told. */
function check(root: Rule, data: Json, run: Run): readonly FieldError[] | null {
  try {
    return root.check(data, run) ? [] : null;
  } catch (error) {
    return [faultOf(error)];
  }
}

function explain(root: Rule, data: Json, run: Run): readonly FieldError[] {
  try {
    root.explain(data, null, run);
  } catch (error) {
    const hasSome = error instanceof EnoughFaults || (error instanceof Exhausted && run.faults.size > 0);
    if (!hasSome) return [faultOf(error)];
  }
  return run.faults.size === 0 ? [UNEXPLAINED] : [...run.faults.values()];
}

function faultOf(error: unknown): FieldError {
  // Whoever calls may have left less of the stack than SCHEMA_MAX_NESTING counts on.
  if (error instanceof Exhausted || error instanceof RangeError) return TOO_MUCH;
  if (error instanceof IllFormedName) return ILL_FORMED;
  throw error;
}

function createRules({ schema, nodes, uses }: Omit<ReadSchema, "faults">): Rule {
  const rules = new Map<SchemaNode, SchemaRule>();
  for (const node of nodes.values()) {
    if (typeof node === "boolean" || rules.has(node)) continue;
    rules.set(node, createSchemaRule(rules.size, (uses.get(node) ?? 0) > 1));
  }
  const ruleOf = (node: Json): Rule => {
    if (typeof node === "boolean") return node ? ANYTHING : NOTHING;
    return rules.get(node as SchemaNode) ?? ANYTHING;
  };
  const patterns = new Map<string, Pattern>();
  const patternOf = (text: string) => {
    const pattern = patterns.get(text) ?? compilePattern(text);
    patterns.set(text, pattern);
    return pattern;
  };
  const ruleAt = (ref: string) => ruleOf(nodes.get(ref) ?? true);
  for (const [node, rule] of rules) {
    if (typeof node !== "boolean") rule.fill({ node, ruleOf, ruleAt, patternOf });
  }
  return ruleOf(schema);
}
