import { Fault, type Frame, spend } from "./faults.ts";
import { FAULT_STEPS } from "./limits.ts";
import type { Node } from "./parse.ts";
import type { Pattern } from "./patterns.ts";
import { kindOf, type StaticKind, type Value } from "./values.ts";

/** A part of an expression, made into closures. */
export interface Compiled {
  readonly kind: StaticKind;
  /** Nodes of the tree in it: what one evaluation of it costs, at most. */
  readonly nodes: number;
  readonly run: (frame: Frame) => Value;
}

/** What is found out on the way. */
export interface Context {
  readonly text: string;
  readonly compile: (node: Node, context: Context) => Compiled;
  readonly roots: Set<string>;
  /** Slots for what macros bind, so far. */
  readonly addSlot: () => number;
  readonly addPattern: (compile: () => Pattern) => Pattern;
  /** Names that macros around this part bind, with their slots. */
  readonly bound: ReadonlyMap<string, number>;
}

export function nodesOf(...parts: readonly Compiled[]): number {
  return parts.reduce((sum, part) => sum + part.nodes, 1);
}

/** Gives a fault from where there are no places its own. */
export function placed(error: unknown, at: number): unknown {
  if (error instanceof Fault) error.at ??= at;
  return error;
}

export interface Test extends Compiled {
  readonly run: (frame: Frame) => boolean;
}

/** Where a bool is needed. */
export function compileTest(node: Node, what: string, context: Context): Test {
  const { kind, nodes, run } = context.compile(node, context);
  if (kind !== "dyn" && kind !== "bool") throw new Fault(`${what} needs a bool, not ${kind}`, node.start);
  return {
    kind: "bool",
    nodes,
    run(frame) {
      const value = run(frame);
      if (typeof value !== "boolean") throw new Fault(`${what} needs a bool, not ${kindOf(value)}`, node.start);
      return value;
    },
  };
}

/** A fault as a value; what ends the evaluation goes on ending it. */
export function attempt<T>(run: (frame: Frame) => T, frame: Frame): T | Fault {
  try {
    return run(frame);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    spend(frame, FAULT_STEPS);
    error.at ??= frame.at;
    return error;
  }
}
