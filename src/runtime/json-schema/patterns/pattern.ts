import { PATTERN_MAX_CHARS } from "../../limits.ts";
import type { Budget } from "../budget.ts";
import { PATTERN_MAX_STATES } from "../limits.ts";
import { matches } from "./match.ts";
import { parsePattern } from "./parse.ts";
import { buildProgram } from "./program.ts";
import { PatternFault } from "./reader.ts";
import { countStates, type Tree } from "./tree.ts";

/**
 * Whether it is found anywhere in the text.
 * @throws Exhausted
 */
export type Pattern = (text: string, budget: Budget) => boolean;

/** How many states the pattern takes, or what is wrong with it. */
export function measurePattern(text: string): number | string {
  try {
    const states = countStates(read(text));
    return states > PATTERN_MAX_STATES ? "the pattern is too large: let it repeat less" : states;
  } catch (error) {
    if (error instanceof PatternFault) return error.message;
    throw error;
  }
}

/**
 * Of a text that `measurePattern` found right. The platform's own expressions are not used: they go back and try again
 * in time without bound.
 */
export function compilePattern(text: string): Pattern {
  const program = buildProgram(read(text));
  return (searched, budget) => matches(program, searched, budget);
}

function read(text: string): Tree {
  if (text.length > PATTERN_MAX_CHARS)
    throw new PatternFault(`a pattern holds at most ${PATTERN_MAX_CHARS} characters`);
  return parsePattern(text);
}
