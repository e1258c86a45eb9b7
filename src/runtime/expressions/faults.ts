import { RUN_OUTPUT_MAX_BYTES } from "../../config/limits.ts";
import type { Scope } from "../graph/references.ts";
import { MADE_CHARS_PER_STEP } from "./limits.ts";
import type { Value } from "./values.ts";

/** What is wrong with an expression or its data; `||`, `all` and `exists` may live with it. Never holds a value. */
export class Fault extends Error {
  override readonly name = "Fault";
  /** Where in the text, from 0. */
  at: number | undefined;
  constructor(message: string, at?: number) {
    super(message);
    this.at = at;
  }
}

/** Ends the evaluation whatever is around it. */
export class Exhausted extends Error {
  override readonly name = "Exhausted";
}

/** One evaluation. */
export interface Frame {
  readonly scope: Scope;
  /** What macros bind, each in its own slot. */
  readonly bound: Value[];
  stepsLeft: number;
  /** Of the value that it gave. The run pays for them: what came in as JSON is no work of the expression. */
  parts: number;
  /** Of what is being done, for a fault that does not know. */
  at: number;
}

export function createFrame(scope: Scope, steps: number): Frame {
  return { scope, bound: [], stepsLeft: steps, parts: 0, at: 0 };
}

export function spend(frame: Frame, steps: number): void {
  frame.stepsLeft -= steps;
  if (frame.stepsLeft < 0)
    throw new Exhausted("too much work for one expression: let it look at fewer or smaller values");
}

/** To be asked before a text of this length is made. */
export function spendText(frame: Frame, chars: number): void {
  if (chars > RUN_OUTPUT_MAX_BYTES) throw new Exhausted(`makes a text of more than ${RUN_OUTPUT_MAX_BYTES} characters`);
  spend(frame, chars / MADE_CHARS_PER_STEP);
}

/** `1:15`: line and column, as editors count. */
export function placeOf(text: string, at: number): string {
  const before = text.slice(0, at).split("\n");
  return `${before.length}:${(before.at(-1) ?? "").length + 1}`;
}
