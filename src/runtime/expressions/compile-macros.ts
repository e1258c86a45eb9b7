import { attempt, type Compiled, type Context, compileTest, nodesOf, type Test } from "./compiled.ts";
import { Fault, type Frame, spend } from "./faults.ts";
import { keysOf } from "./functions-lists.ts";
import type { Node } from "./parse.ts";
import { isDict, isList, kindOf, type StaticKind, type Value } from "./values.ts";

/** Null where this is no macro. What they walk over is paid for item by item, before the item is looked at. */
export function compileMacro(
  node: Node,
  name: string,
  receiver: Node,
  given: readonly Node[],
  context: Context,
): Compiled | null {
  const [variable, a, b] = given;
  if (variable === undefined || a === undefined) return null;
  if (name === "bind" && receiver.op === "id" && receiver.args === "cel" && b !== undefined && given.length === 3) {
    return compileBind(variable, a, b, context);
  }
  if (name === "map" && b !== undefined && given.length === 3)
    return compileMap(node, receiver, variable, a, b, context);
  if (given.length !== 2) return null;
  switch (name) {
    case "map":
      return compileMap(node, receiver, variable, null, a, context);
    case "filter":
      return compileMap(node, receiver, variable, a, variable, context);
    case "all":
    case "exists":
      return compileQuantifier(node, name === "exists", receiver, variable, a, context);
    case "exists_one":
      return compileExistsOne(node, receiver, variable, a, context);
    default:
      return null;
  }
}

function bind(variable: Node, context: Context): { readonly slot: number; readonly inner: Context } {
  if (variable.op !== "id") throw new Fault("a name is needed here", variable.start);
  const slot = context.addSlot();
  return { slot, inner: { ...context, bound: new Map([...context.bound, [variable.args, slot]]) } };
}

function compileBind(variable: Node, value: Node, expression: Node, context: Context): Compiled {
  const bound = context.compile(value, context);
  const { slot, inner } = bind(variable, context);
  const result = context.compile(expression, inner);
  return {
    kind: result.kind,
    nodes: nodesOf(bound, result),
    run(frame) {
      frame.bound[slot] = bound.run(frame);
      return result.run(frame);
    },
  };
}

const WALKABLE: ReadonlySet<StaticKind> = new Set(["dyn", "list", "map"]);

interface Walk {
  readonly slot: number;
  readonly inner: Context;
  readonly nodes: number;
  /** The list's items, or the map's keys. */
  readonly items: (frame: Frame) => readonly Value[];
}

function compileWalk(node: Node, receiver: Node, variable: Node, context: Context): Walk {
  const list = context.compile(receiver, context);
  const refuse = (kind: StaticKind) => new Fault(`only a list or a map has items, not ${kind}`, node.start);
  if (!WALKABLE.has(list.kind)) throw refuse(list.kind);
  return {
    ...bind(variable, context),
    nodes: list.nodes,
    items(frame) {
      const value = list.run(frame);
      if (isList(value)) return value;
      if (!isDict(value)) throw refuse(kindOf(value));
      return keysOf(value, frame);
    },
  };
}

function compileMap(
  node: Node,
  receiver: Node,
  variable: Node,
  test: Node | null,
  value: Node,
  context: Context,
): Compiled {
  const { slot, inner, nodes, items } = compileWalk(node, receiver, variable, context);
  const condition = test === null ? null : compileTest(test, "the test", inner);
  const made = context.compile(value, inner);
  const perItem = condition === null ? nodesOf(made) : nodesOf(condition, made);
  return {
    kind: "list",
    nodes: nodes + perItem,
    run(frame) {
      const results: Value[] = [];
      for (const item of items(frame)) {
        spend(frame, perItem);
        frame.bound[slot] = item;
        if (condition === null || condition.run(frame)) results.push(made.run(frame));
      }
      return results;
    },
  };
}

function compileTested(
  node: Node,
  receiver: Node,
  variable: Node,
  test: Node,
  context: Context,
): Walk & { test: Test } {
  const walk = compileWalk(node, receiver, variable, context);
  return { ...walk, test: compileTest(test, "the test", walk.inner) };
}

/** As CEL has it: an item whose test fails counts for nothing where another one decides. */
function compileQuantifier(
  node: Node,
  decisive: boolean,
  receiver: Node,
  variable: Node,
  predicate: Node,
  context: Context,
): Compiled {
  const { slot, nodes, items, test } = compileTested(node, receiver, variable, predicate, context);
  const perItem = nodesOf(test);
  return {
    kind: "bool",
    nodes: nodes + perItem,
    run(frame) {
      let fault: Fault | null = null;
      for (const item of items(frame)) {
        spend(frame, perItem);
        frame.bound[slot] = item;
        const result = attempt(test.run, frame);
        if (result === decisive) return decisive;
        if (result instanceof Fault) fault ??= result;
      }
      if (fault !== null) throw fault;
      return !decisive;
    },
  };
}

function compileExistsOne(node: Node, receiver: Node, variable: Node, predicate: Node, context: Context): Compiled {
  const { slot, nodes, items, test } = compileTested(node, receiver, variable, predicate, context);
  const perItem = nodesOf(test);
  return {
    kind: "bool",
    nodes: nodes + perItem,
    run(frame) {
      let count = 0;
      for (const item of items(frame)) {
        spend(frame, perItem);
        frame.bound[slot] = item;
        if (test.run(frame)) count++;
      }
      return count === 1;
    },
  };
}
