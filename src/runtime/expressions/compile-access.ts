import { isPrototypeKey } from "../../core/json.ts";
import { fieldFault, heldName } from "../graph/known-fields.ts";
import { type Compiled, type Context, nodesOf } from "./compiled.ts";
import { Fault, type Frame } from "./faults.ts";
import { QUOTE_MAX_CHARS } from "./limits.ts";
import { itemOf, memberOf } from "./operators.ts";
import type { Node } from "./parse.ts";
import { isOptional, optional, type StaticKind, type Value } from "./values.ts";

export type Access = Extract<Node, { op: "." | ".?" | "[]" | "[?]" }>;

/** How a step is reached whose name is no CEL name: `steps["my-step"]`. */
const STEPS = "steps";

export function compileName(name: string, node: Node, context: Context): Compiled {
  const slot = context.bound.get(name);
  if (slot !== undefined) return { kind: "dyn", nodes: 1, run: (frame) => frame.bound[slot] ?? null };
  if (name === STEPS) throw new Fault('write which step: steps["name"]', node.start);
  return compileRoot(name, node, context);
}

function compileRoot(name: string, node: Node, context: Context): Compiled {
  if (isPrototypeKey(name)) throw new Fault("this name is never readable", node.start);
  if (name === "secrets") {
    throw new Fault("expressions see no secrets: use {{secrets.NAME}} in the setting that needs it", node.start);
  }
  context.roots.add(name);
  const message = `${quote(node, context)} has no value`;
  return {
    kind: "dyn",
    nodes: 1,
    run(frame) {
      const value = frame.scope.get(name);
      if (value === undefined) throw new Fault(message, node.start);
      return value;
    },
  };
}

/** What the author wrote there. */
export function quote(node: Node, context: Context): string {
  const text = context.text.slice(node.start, node.end);
  return text.length > QUOTE_MAX_CHARS ? `${text.slice(0, QUOTE_MAX_CHARS).toWellFormed()}…` : text;
}

export function compileAccess(node: Access, context: Context): Compiled {
  const root = stepName(node, context);
  if (root !== null) return compileStep(root, node, context);
  const look = compileLook(node, context);
  const isMaybe = node.op === ".?" || node.op === "[?]";
  const missing = `${quote(node, context)} is missing`;
  return {
    kind: isMaybe ? "optional" : "dyn",
    nodes: look.nodes,
    run(frame) {
      const holder = look.holder(frame);
      const inOptional = isOptional(holder);
      const found = look.within(inOptional ? holder.value : holder, frame);
      if (isMaybe || inOptional) return found !== undefined && isOptional(found) ? found : optional(found);
      if (found === undefined) throw new Fault(missing, node.start);
      return found;
    },
  };
}

export interface Look {
  readonly nodes: number;
  readonly holder: (frame: Frame) => Value;
  /** Undefined where there is no such field or item. */
  readonly within: (holder: Value | undefined, frame: Frame) => Value | undefined;
}

const HOLDS_FIELDS: ReadonlySet<StaticKind> = new Set(["dyn", "map", "optional"]);

/** The two halves of an access, for those who ask whether it is there. */
export function compileLook(node: Access, context: Context): Look {
  const holder = context.compile(node.args[0], context);
  if (node.op === "." || node.op === ".?") {
    const name = heldKey(node, context) ?? node.args[1];
    if (isPrototypeKey(name)) throw new Fault(`${name} is never readable`, node.start);
    if (!HOLDS_FIELDS.has(holder.kind)) throw new Fault(`${holder.kind} has no fields`, node.start);
    refuseUnknown(node, context);
    const within = (value: Value | undefined) => (value === undefined ? undefined : memberOf(value, name));
    return { nodes: nodesOf(holder), holder: holder.run, within };
  }
  const keyNode = node.args[1];
  if (keyNode.op === "value" && typeof keyNode.args === "string" && isPrototypeKey(keyNode.args)) {
    throw new Fault(`${keyNode.args} is never readable`, keyNode.start);
  }
  if (!HOLDS_FIELDS.has(holder.kind) && holder.kind !== "list") {
    throw new Fault(`${holder.kind} has no items`, node.start);
  }
  refuseUnknown(node, context);
  const key = context.compile(keyNode, context);
  const held = heldKey(node, context);
  return {
    nodes: nodesOf(holder, key),
    holder: holder.run,
    within(value, frame) {
      const wanted = held ?? key.run(frame);
      frame.at = node.start;
      return value === undefined ? undefined : itemOf(value, wanted);
    },
  };
}

/** Of what every run knows, a field that is never there is no matter of data. */
function refuseUnknown(node: Access, context: Context): void {
  const root = knownRoot(node.args[0], context);
  const fault = root === null ? null : fieldFault(root, writtenKey(node) ?? undefined);
  if (fault !== null) throw new Fault(fault, node.start);
}

/** The name at the beginning of a path, unless a macro binds it. */
function knownRoot(node: Node, context: Context): string | null {
  return node.op === "id" && !context.bound.has(node.args) ? node.args : null;
}

/** The name of a field, where it is written out. */
function writtenKey({ args: [, key] }: Access): string | null {
  if (typeof key === "string") return key;
  return key.op === "value" && typeof key.args === "string" ? key.args : null;
}

/** The written name of a field of `root.field`, as it is held; null where the access is of anything else. */
function heldKey(node: Access, context: Context): string | null {
  const [holder] = node.args;
  const name = writtenKey(node);
  if (name === null || (holder.op !== "." && holder.op !== "[]")) return null;
  const root = knownRoot(holder.args[0], context);
  const field = writtenKey(holder);
  return root === null || field === null ? null : heldName(root, [field], name);
}

/** The step that `steps.name` or `steps["name"]` means; null where the access is of something else. */
export function stepName(node: Node, context: Context): string | null {
  if (node.op !== "." && node.op !== ".?" && node.op !== "[]" && node.op !== "[?]") return null;
  const [holder, key] = node.args;
  if (holder.op !== "id" || holder.args !== STEPS || context.bound.has(STEPS)) return null;
  if (typeof key === "string") return key;
  if (key.op === "value" && typeof key.args === "string") return key.args;
  throw new Fault('a step is named as it is, not computed: steps["name"]', key.start);
}

function compileStep(name: string, node: Access, context: Context): Compiled {
  const root = compileRoot(name, node, context);
  if (node.op === "." || node.op === "[]") return root;
  return { kind: "optional", nodes: 1, run: (frame) => optional(frame.scope.get(name)) };
}

/** `has(a.b)`: whether the last field is there; what it stands on has to be. */
export function compileHas(node: Node, context: Context): Compiled {
  if (node.op !== "." && node.op !== "[]" && node.op !== ".?" && node.op !== "[?]") {
    throw new Fault("has() takes a field, such as has(input.name)", node.start);
  }
  const step = stepName(node, context);
  if (step !== null) {
    compileRoot(step, node, context);
    return { kind: "bool", nodes: 1, run: (frame) => frame.scope.has(step) };
  }
  const look = compileLook(node, context);
  return {
    kind: "bool",
    nodes: look.nodes,
    run(frame) {
      const holder = look.holder(frame);
      const value = isOptional(holder) ? holder.value : holder;
      return look.within(value, frame) !== undefined;
    },
  };
}
