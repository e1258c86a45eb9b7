import { isPrototypeKey } from "../../core/json.ts";
import { compileAccess, compileName } from "./compile-access.ts";
import { compileCall } from "./compile-calls.ts";
import { attempt, type Compiled, type Context, compileTest, nodesOf, placed } from "./compiled.ts";
import { Fault, type Frame } from "./faults.ts";
import {
  type Arithmetic,
  arithmeticKind,
  calculate,
  comparableKinds,
  compare,
  equals,
  INT_MIN,
  intOf,
  isIn,
  type Order,
} from "./operators.ts";
import type { Node } from "./parse.ts";
import { kindOf, type StaticKind, TYPE_NAMES, type Value } from "./values.ts";

export function compileNode(node: Node, context: Context): Compiled {
  switch (node.op) {
    case "value":
      return compileLiteral(node.args, node.start);
    case "id":
      return compileName(node.args, node, context);
    case ".":
    case ".?":
    case "[]":
    case "[?]":
      return compileAccess(node, context);
    case "call":
      return compileCall(node, node.args[0], null, node.args[1], context);
    case "rcall":
      return compileCall(node, node.args[0], node.args[1], node.args[2], context);
    case "list":
      return compileList(node.args, context);
    case "map":
      return compileMap(node.args, context);
    case "?:":
      return compileChoice(node.args, context);
    case "||":
    case "&&":
      return compileLogic(node.op === "||", node.args, context);
    case "!_":
    case "-_":
      return compileUnary(node.op, node.args, node.start, context);
    default:
      return compileBinary(node.op, node.args, node.start, context);
  }
}

function compileLiteral(value: unknown, at: number): Compiled {
  if (typeof value === "bigint") {
    try {
      intOf(value);
    } catch (error) {
      throw placed(error, at);
    }
  }
  const known = value === null || typeof value !== "object" || value instanceof Uint8Array;
  if (!known) throw new Fault("write the number without u", at);
  const literal = value as Value;
  return { kind: kindOf(literal), nodes: 1, run: () => literal };
}

function compileList(items: readonly Node[], context: Context): Compiled {
  const parts = items.map((item) => compileNode(item, context));
  return { kind: "list", nodes: nodesOf(...parts), run: (frame) => parts.map((part) => part.run(frame)) };
}

function compileMap(entries: readonly (readonly [Node, Node])[], context: Context): Compiled {
  const parts = entries.map(([key, value]) => {
    const compiled = compileNode(key, context);
    if (compiled.kind !== "dyn" && compiled.kind !== "string") {
      throw new Fault(`a map's key is a string, not ${compiled.kind}`, key.start);
    }
    return { key: compiled, value: compileNode(value, context), at: key.start };
  });
  const literals = entries.flatMap(([key]) => (key.op === "value" ? [key] : []));
  const keys = literals.map((key) => key.args);
  const twice = literals.find((key, i) => keys.indexOf(key.args) !== i || isPrototypeKey(String(key.args)));
  if (twice !== undefined) throw new Fault("such a key is never one of a map, or stands there twice", twice.start);
  return {
    kind: "map",
    nodes: nodesOf(...parts.map(({ key }) => key), ...parts.map(({ value }) => value)),
    run(frame) {
      const made = new Map<string, Value>();
      for (const { key, value, at } of parts) {
        const name = key.run(frame);
        if (typeof name !== "string") throw new Fault(`a map's key is a string, not ${kindOf(name)}`, at);
        if (isPrototypeKey(name)) throw new Fault("this key is never one of a map", at);
        if (made.has(name)) throw new Fault("two entries have the same key", at);
        made.set(name, value.run(frame));
      }
      return Object.fromEntries(made);
    },
  };
}

function compileChoice([test, yes, no]: readonly [Node, Node, Node], context: Context): Compiled {
  const condition = compileTest(test, "?:", context);
  const [left, right] = [compileNode(yes, context), compileNode(no, context)];
  return {
    kind: left.kind === right.kind ? left.kind : "dyn",
    nodes: nodesOf(condition, left, right),
    run: (frame) => (condition.run(frame) ? left.run(frame) : right.run(frame)),
  };
}

/** As CEL has it: an operand that fails counts for nothing where the other one decides. */
function compileLogic(decisive: boolean, [a, b]: readonly [Node, Node], context: Context): Compiled {
  const op = decisive ? "||" : "&&";
  const [left, right] = [compileTest(a, op, context), compileTest(b, op, context)];
  return {
    kind: "bool",
    nodes: nodesOf(left, right),
    run(frame) {
      const first = attempt(left.run, frame);
      if (first === decisive) return decisive;
      const second = right.run(frame);
      if (second === decisive) return decisive;
      if (first instanceof Fault) throw first;
      return !decisive;
    },
  };
}

function compileUnary(op: "!_" | "-_", operand: Node, at: number, context: Context): Compiled {
  if (op === "!_") {
    const test = compileTest(operand, "!", context);
    return { kind: "bool", nodes: nodesOf(test), run: (frame) => !test.run(frame) };
  }
  if (isLowestInt(operand, at)) return { kind: "int", nodes: 1, run: () => INT_MIN };
  const part = compileNode(operand, context);
  if (part.kind !== "dyn" && part.kind !== "int" && part.kind !== "double") {
    throw new Fault(`- does not take ${part.kind}`, at);
  }
  return {
    kind: part.kind,
    nodes: nodesOf(part),
    run(frame) {
      const value = part.run(frame);
      frame.at = at;
      if (typeof value === "number") return -value;
      if (typeof value === "bigint") return intOf(-value);
      throw new Fault(`- does not take ${kindOf(value)}`, at);
    },
  };
}

/** In CEL the minus before a number is a part of it. In brackets the number is one by itself, which 64 bits cannot hold. */
function isLowestInt(operand: Node, minusAt: number): boolean {
  if (operand.op !== "value" || operand.args !== -INT_MIN) return false;
  return operand.input.slice(minusAt + 1, operand.start).trim() === "";
}

type Binary = Arithmetic | Order | "==" | "!=" | "in";

const ARITHMETIC: ReadonlySet<string> = new Set(["+", "-", "*", "/", "%"]);
const ORDERS: ReadonlySet<string> = new Set(["<", "<=", ">", ">="]);
const CAN_HOLD: ReadonlySet<StaticKind> = new Set(["dyn", "list", "map"]);

function compileBinary(op: Binary, operands: readonly [Node, Node], at: number, context: Context): Compiled {
  const typeTest = op === "==" || op === "!=" ? compileTypeTest(op, operands, context) : null;
  if (typeTest !== null) return typeTest;
  const a = compileNode(operands[0], context);
  const b = compileNode(operands[1], context);
  const kind = binaryKind(op, a.kind, b.kind);
  if (kind === null) throw new Fault(`${op} does not take ${a.kind} and ${b.kind}`, at);
  const apply = binaryOperation(op);
  return {
    kind,
    nodes: nodesOf(a, b),
    run(frame) {
      const left = a.run(frame);
      const right = b.run(frame);
      frame.at = at;
      return apply(left, right, frame);
    },
  };
}

function binaryKind(op: Binary, a: StaticKind, b: StaticKind): StaticKind | null {
  if (ARITHMETIC.has(op)) return arithmeticKind(op as Arithmetic, a, b);
  if (op === "in") return CAN_HOLD.has(b) ? "bool" : null;
  // Null is what anything can be compared with, to learn whether it is there.
  const comparable = comparableKinds(a, b) || (!ORDERS.has(op) && (a === "null" || b === "null"));
  return comparable ? "bool" : null;
}

function binaryOperation(op: Binary): (a: Value, b: Value, frame: Frame) => Value {
  switch (op) {
    case "==":
      return equals;
    case "!=":
      return (a, b, frame) => !equals(a, b, frame);
    case "in":
      return isIn;
    case "<":
    case "<=":
    case ">":
    case ">=":
      return (a, b, frame) => compare(op, a, b, frame);
    default:
      return (a, b, frame) => calculate(op, a, b, frame);
  }
}

/** `type(x) == string`: the only place where a type's name is no step's. */
function compileTypeTest(op: "==" | "!=", [a, b]: readonly [Node, Node], context: Context): Compiled | null {
  const [call, name] = isTypeCall(a) ? [a, b] : [b, a];
  if (!isTypeCall(call) || name.op !== "id" || !Object.hasOwn(TYPE_NAMES, name.args)) return null;
  const [argument] = call.args[1];
  if (argument === undefined || call.args[1].length !== 1) return null;
  const part = compileNode(argument, context);
  const wanted = TYPE_NAMES[name.args];
  return {
    kind: "bool",
    nodes: nodesOf(part),
    run: (frame) => (kindOf(part.run(frame)) === wanted) === (op === "=="),
  };
}

function isTypeCall(node: Node): node is Extract<Node, { op: "call" }> {
  return node.op === "call" && node.args[0] === "type";
}
