import { compileHas } from "./compile-access.ts";
import { compileMacro } from "./compile-macros.ts";
import { type Compiled, type Context, nodesOf, placed } from "./compiled.ts";
import { Fault, spend } from "./faults.ts";
import type { CelFunction } from "./function.ts";
import { FUNCTIONS } from "./functions.ts";
import { CALL_STEPS, QUOTE_MAX_CHARS } from "./limits.ts";
import type { Node } from "./parse.ts";
import { compilePattern } from "./patterns.ts";
import { isOptional, type Kind, kindOf, optional, TYPE_NAMES, type Value } from "./values.ts";

export function compileCall(
  node: Node,
  name: string,
  receiver: Node | null,
  given: readonly Node[],
  context: Context,
): Compiled {
  const macro = receiver === null ? null : compileMacro(node, name, receiver, given, context);
  if (macro !== null) return macro;
  const qualified = qualifiedName(name, receiver, context);
  const known = qualified === null ? undefined : FUNCTIONS[qualified];
  if (qualified !== null && known !== undefined) return compileFunction(node, qualified, known, given, context);
  const all = receiver === null ? given : [receiver, ...given];
  const [first] = all;
  if (name === "has" && first !== undefined && all.length === 1) return compileHas(first, context);
  if (name === "matches") return compileMatches(node, all, context);
  const optionals = compileOptional(node, name, all, context);
  if (optionals !== null) return optionals;
  if (name === "type") throw new Fault(TYPE_FORM, node.start);
  const called = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (called === undefined) throw new Fault(`there is no function ${name.slice(0, QUOTE_MAX_CHARS)}`, node.pos);
  return compileFunction(node, name, called, all, context);
}

const TYPE_FORM = `type() is compared with a type's name: write type(x) == ${Object.keys(TYPE_NAMES).join(" or ")}`;

/** `base64.encode`, where that is a function and `base64` no name that a macro binds. */
function qualifiedName(name: string, receiver: Node | null, context: Context): string | null {
  if (receiver?.op !== "id" || context.bound.has(receiver.args)) return null;
  const qualified = `${receiver.args}.${name}`;
  return Object.hasOwn(FUNCTIONS, qualified) ? qualified : null;
}

function compileFunction(node: Node, name: string, called: CelFunction, given: readonly Node[], context: Context) {
  const { takes, mayLack = 0, run, gives, steps = CALL_STEPS } = called;
  if (given.length > takes.length || given.length < takes.length - mayLack) {
    throw new Fault(`write ${called.form}`, node.start);
  }
  const parts = given.map((argument) => context.compile(argument, context));
  const refuse = (kind: Kind, i: number) => {
    const taken = (takes[i] ?? []).join(" or ");
    return new Fault(`${name}() does not take ${kind}: it takes ${taken}, as in ${called.form}`, node.start);
  };
  for (const [i, { kind }] of parts.entries()) if (kind !== "dyn" && !fits(takes[i], kind)) throw refuse(kind, i);
  const compiled: Compiled = {
    kind: gives,
    nodes: nodesOf(...parts),
    run(frame) {
      const values = parts.map((part) => part.run(frame));
      for (let i = 0; i < values.length; i++) {
        const kind = kindOf(values[i] ?? null);
        if (!fits(takes[i], kind)) throw refuse(kind, i);
      }
      frame.at = node.start;
      spend(frame, steps);
      return run(values, frame);
    },
  };
  return compiled;
}

function fits(kinds: readonly Kind[] | null | undefined, kind: Kind): boolean {
  return kinds === null || kinds === undefined || kinds.includes(kind);
}

function compileMatches(node: Node, [text, pattern]: readonly Node[], context: Context): Compiled {
  if (text === undefined || pattern?.op !== "value" || typeof pattern.args !== "string") {
    throw new Fault("write text.matches('pattern'), with the pattern as it is", node.start);
  }
  const part = context.compile(text, context);
  if (part.kind !== "dyn" && part.kind !== "string")
    throw new Fault(`matches() does not take ${part.kind}`, node.start);
  const { matches } = addPattern(pattern.args, pattern.start, context);
  return {
    kind: "bool",
    nodes: nodesOf(part),
    run(frame) {
      const value = part.run(frame);
      if (typeof value !== "string") throw new Fault(`matches() does not take ${kindOf(value)}`, node.start);
      return matches(value, frame);
    },
  };
}

function addPattern(text: string, at: number, context: Context) {
  try {
    return context.addPattern(() => compilePattern(text));
  } catch (error) {
    throw placed(error, at);
  }
}

/** Of optionals: the other value is computed only where it is needed. */
function compileOptional(node: Node, name: string, given: readonly Node[], context: Context): Compiled | null {
  const operations: Readonly<Record<string, number>> = { orValue: 2, or: 2, hasValue: 1, value: 1 };
  const [first, second] = given;
  if (!Object.hasOwn(operations, name) || first === undefined || given.length !== operations[name]) return null;
  const maybe = context.compile(first, context);
  if (maybe.kind !== "dyn" && maybe.kind !== "optional") {
    throw new Fault(`${name}() is for what a.?b gives, not for ${maybe.kind}`, node.start);
  }
  const other = second === undefined ? null : context.compile(second, context);
  return {
    kind: name === "hasValue" ? "bool" : name === "or" ? "optional" : "dyn",
    nodes: other === null ? nodesOf(maybe) : nodesOf(maybe, other),
    run(frame) {
      const value = maybe.run(frame);
      if (!isOptional(value)) throw new Fault(`${name}() is for what a.?b gives, not for ${kindOf(value)}`, node.start);
      if (name === "hasValue") return value.value !== undefined;
      if (value.value !== undefined) return name === "or" ? value : value.value;
      if (other === null) throw new Fault("the optional has no value", node.start);
      return name === "or" ? asOptional(other.run(frame)) : other.run(frame);
    },
  };
}

function asOptional(value: Value): Value {
  return isOptional(value) ? value : optional(value);
}
