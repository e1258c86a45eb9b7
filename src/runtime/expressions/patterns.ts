import { RE2JS, RE2JSException } from "re2js";
import { Fault, type Frame, spend } from "./faults.ts";
import {
  EXPRESSION_PATTERN_MAX_CHARS,
  EXPRESSION_PATTERN_MAX_CLASSES,
  EXPRESSION_PATTERN_MAX_SIZE,
  MATCHED_STATES_PER_STEP,
  PATTERN_MEMORY_CHARS,
} from "./limits.ts";

export interface Pattern {
  /** Whether it is found anywhere in the text, in time that grows with the text alone. */
  matches(text: string, frame: Frame): boolean;
  /** At the end of an evaluation: lets go of what was remembered of long texts. */
  tidy(): void;
}

/** More repetitions than this make a small pattern a large one. */
const LARGE_REPETITION = /\{\d*,?\d{3,}/;
const LARGE_CLASS = /\\p/gi;

/** A pattern as RE2 reads it. */
export function compilePattern(text: string): Pattern {
  if (text.length > EXPRESSION_PATTERN_MAX_CHARS) {
    throw new Fault(`a pattern holds at most ${EXPRESSION_PATTERN_MAX_CHARS} characters`);
  }
  if (LARGE_REPETITION.test(text)) throw new Fault("a pattern repeats a part at most 99 times");
  if ((text.match(LARGE_CLASS) ?? []).length > EXPRESSION_PATTERN_MAX_CLASSES) {
    throw new Fault(`a pattern holds at most ${EXPRESSION_PATTERN_MAX_CLASSES} classes such as \\pL`);
  }
  const first = compile(text);
  const size = first.programSize();
  if (size > EXPRESSION_PATTERN_MAX_SIZE) throw new Fault("the pattern is too large: let it repeat less");
  let compiled: RE2JS | null = first;
  let remembered = 0;
  return {
    matches(searched, frame) {
      spend(frame, (searched.length * size) / MATCHED_STATES_PER_STEP);
      remembered += searched.length;
      compiled ??= compile(text);
      return compiled.test(searched);
    },
    tidy() {
      if (remembered <= PATTERN_MEMORY_CHARS) return;
      compiled = null;
      remembered = 0;
    },
  };
}

function compile(text: string): RE2JS {
  try {
    return RE2JS.compile(text);
  } catch (error) {
    if (error instanceof RE2JSException) throw new Fault("the pattern is none that RE2 knows");
    throw error;
  }
}
