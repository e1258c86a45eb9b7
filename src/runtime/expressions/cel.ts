import type { Json } from "../../core/json.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { Scope } from "../graph/references.ts";
import { isSpent, type RunWork, roomFor, WORK_SPENT } from "../run-work.ts";
import { compileNode } from "./compile.ts";
import type { Compiled, Context } from "./compiled.ts";
import type { Expression, Expressions } from "./expression.ts";
import { createFrame, Exhausted, Fault, placeOf } from "./faults.ts";
import { EVALUATION_MAX_STEPS, EXPRESSION_MAX_PATTERNS } from "./limits.ts";
import { createParse, type Node } from "./parse.ts";
import type { Pattern } from "./patterns.ts";
import { toJson } from "./to-json.ts";

/**
 * CEL for strangers' expressions over strangers' data. The library reads the text; its evaluator is not used: it keeps a
 * type for every shape of data that it ever compared, its searches and patterns take time without bound, and `exists`
 * and `||` go on after any error, so that no budget could end them.
 */
export function createExpressions(): Expressions {
  const parse = createParse();
  return {
    compile(text) {
      const parsed = parse(text);
      return parsed.ok ? compile(text, parsed.value) : parsed;
    },
  };
}

function compile(text: string, node: Node): Result<Expression, string> {
  const roots = new Set<string>();
  const patterns: Pattern[] = [];
  const whole = guarded(text, () => compileNode(node, createContext(text, roots, patterns)));
  if (!whole.ok) return whole;
  return ok({ text, roots: [...roots], evaluate: (scope, work) => evaluate(text, whole.value, patterns, scope, work) });
}

function createContext(text: string, roots: Set<string>, patterns: Pattern[]): Context {
  let slots = 0;
  return {
    text,
    compile: compileNode,
    roots,
    bound: new Map(),
    addSlot: () => slots++,
    addPattern(compilePattern) {
      if (patterns.length === EXPRESSION_MAX_PATTERNS) throw new Fault(`at most ${EXPRESSION_MAX_PATTERNS} patterns`);
      const pattern = compilePattern();
      patterns.push(pattern);
      return pattern;
    },
  };
}

function evaluate(
  text: string,
  whole: Compiled,
  patterns: readonly Pattern[],
  scope: Scope,
  work: RunWork,
): Result<Json, string> {
  const most = roomFor(work, EVALUATION_MAX_STEPS);
  const frame = createFrame(scope, most);
  const result = guarded(text, () => toJson(whole.run(frame), frame), frame);
  for (const pattern of patterns) pattern.tidy();
  // What was not done for want of steps counts for no more than an evaluation may take.
  work.left -= Math.min(most - frame.stepsLeft, EVALUATION_MAX_STEPS) + frame.parts;
  return isSpent(work) ? SPENT : result;
}

const SPENT = err(WORK_SPENT);

function guarded<T>(text: string, work: () => T, frame: { readonly at: number } = { at: 0 }): Result<T, string> {
  try {
    return ok(work());
  } catch (error) {
    if (error instanceof Fault) return err(`${error.message}, at ${placeOf(text, error.at ?? frame.at)}`);
    if (error instanceof Exhausted) return err(error.message);
    throw error;
  }
}
