import { RUN_OUTPUT_MAX_BYTES } from "../../config/limits.ts";
import type { FieldError } from "../../core/errors.ts";
import { isJsonObject, isPrototypeKey, type Json, type JsonObject } from "../../core/json.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { REFERENCE_MAX_CHARS, REFERENCE_MAX_SEGMENTS, TEMPLATE_MAX_CHARS, TEMPLATE_MAX_REFERENCES } from "../limits.ts";

/** `{{root.path[0]?}}`, taken apart. `text` is what the author wrote, braces included. */
export interface Reference {
  readonly text: string;
  readonly root: string;
  readonly path: readonly (string | number)[];
  readonly optional: boolean;
}

/** A config whose strings are taken apart once, when the graph is planned. */
export type Template =
  | { readonly kind: "constant"; readonly value: Json }
  | { readonly kind: "reference"; readonly reference: Reference }
  | { readonly kind: "text"; readonly parts: readonly (string | Reference)[] }
  | { readonly kind: "list"; readonly items: readonly Template[] }
  | { readonly kind: "object"; readonly entries: readonly (readonly [string, Template])[] }
  /** `{ $eq: inner }`, or nothing where `inner` is nothing: what a referenced value becomes in a filter. */
  | { readonly kind: "equals"; readonly inner: Template };

export interface PlacedReference {
  readonly reference: Reference;
  /** Dotted, inside the config. */
  readonly path: string;
}

export interface CompiledTemplate {
  readonly template: Template;
  readonly references: readonly PlacedReference[];
  readonly faults: readonly FieldError[];
}

/** What references read: the outputs so far by step id, beside `request`, `run`, `agent` and `owner`. */
export type Scope = ReadonlyMap<string, Json>;

/** Takes every string of a config apart. Keys are never templates. */
export function compileTemplate(config: Json): CompiledTemplate {
  const references: PlacedReference[] = [];
  const faults: FieldError[] = [];
  const template = compileValue(config, "", references, faults);
  return { template, references, faults };
}

export function joinPath(parent: string, key: string | number): string {
  return parent === "" ? String(key) : `${parent}.${key}`;
}

function compileValue(value: Json, path: string, found: PlacedReference[], faults: FieldError[]): Template {
  if (typeof value === "string") return compileString(value, path, found, faults);
  if (Array.isArray(value)) {
    const items = (value as readonly Json[]).map((item, i) => compileValue(item, joinPath(path, i), found, faults));
    return items.every(isConstant) ? constant(items.map((item) => item.value)) : { kind: "list", items };
  }
  if (isJsonObject(value)) {
    const entries = Object.entries(value).map(
      ([key, inner]) => [key, compileValue(inner, joinPath(path, key), found, faults)] as const,
    );
    const constants = entries.flatMap(([key, inner]) => (isConstant(inner) ? [[key, inner.value] as const] : []));
    return constants.length === entries.length ? constant(Object.fromEntries(constants)) : { kind: "object", entries };
  }
  return constant(value);
}

function constant(value: Json): Template {
  return { kind: "constant", value };
}

function isConstant(template: Template): template is Extract<Template, { kind: "constant" }> {
  return template.kind === "constant";
}

function compileString(text: string, path: string, found: PlacedReference[], faults: FieldError[]): Template {
  if (!text.includes("{{")) return constant(text);
  const parts = splitString(text);
  if (!parts.ok) {
    faults.push({ path, message: parts.error });
    return constant(text);
  }
  for (const part of parts.value) if (typeof part !== "string") found.push({ reference: part, path });
  const [first] = parts.value;
  if (parts.value.every((part) => typeof part === "string")) return constant(parts.value.join(""));
  if (parts.value.length === 1 && typeof first === "object") return { kind: "reference", reference: first };
  return { kind: "text", parts: parts.value };
}

function splitString(text: string): Result<readonly (string | Reference)[], string> {
  if (text.length > TEMPLATE_MAX_CHARS) {
    return err(`a string with references holds at most ${TEMPLATE_MAX_CHARS} characters`);
  }
  const parts: (string | Reference)[] = [];
  let literal = "";
  let count = 0;
  let at = 0;
  for (let open = text.indexOf("{{"); open !== -1; open = text.indexOf("{{", at)) {
    if (open > at && text[open - 1] === "\\") {
      literal += `${text.slice(at, open - 1)}{{`;
      at = open + 2;
      continue;
    }
    const close = text.indexOf("}}", open);
    if (close === -1)
      return err("a reference is not closed: write {{step.path}}, or \\{{ for the characters themselves");
    const reference = parseReference(text.slice(open, close + 2));
    if (!reference.ok) return reference;
    if (++count > TEMPLATE_MAX_REFERENCES) return err(`at most ${TEMPLATE_MAX_REFERENCES} references in one string`);
    literal += text.slice(at, open);
    if (literal !== "") parts.push(literal);
    parts.push(reference.value);
    literal = "";
    at = close + 2;
  }
  literal += text.slice(at);
  if (literal !== "") parts.push(literal);
  return ok(parts);
}

const REFERENCE = /^([A-Za-z_][A-Za-z0-9_-]{0,63})((?:\.[^.[\]{}?\s]+|\[\d{1,9}\])*)(\??)$/;
const SEGMENT = /\.([^.[]+)|\[(\d+)\]/g;

function parseReference(text: string): Result<Reference, string> {
  const inner = text.slice(2, -2).trim();
  if (inner.length > REFERENCE_MAX_CHARS) return err(`a reference holds at most ${REFERENCE_MAX_CHARS} characters`);
  const match = REFERENCE.exec(inner);
  const [, root, rest, mark] = match ?? [];
  if (root === undefined || rest === undefined) {
    return err(`${text} is not a reference: write {{step.path.to[0].value}}, or \\{{ for the characters themselves`);
  }
  const path = Array.from(rest.matchAll(SEGMENT), ([, name, index]) => name ?? Number(index));
  if (path.length > REFERENCE_MAX_SEGMENTS) return err(`${text} has more than ${REFERENCE_MAX_SEGMENTS} parts`);
  const forbidden = [root, ...path].find((part) => typeof part === "string" && isPrototypeKey(part));
  if (forbidden !== undefined) return err(`${text}: ${forbidden} is never part of a path`);
  return ok({ text, root, path, optional: mark === "?" });
}

/** Ends a resolution: the message names the reference, never a value. */
class Unresolvable extends Error {
  override readonly name = "Unresolvable";
}

/**
 * The config with its references replaced; what they bring in is data and not looked at again. `undefined` where the
 * whole is an optional reference to nothing. The error is a sentence for the caller that names the reference.
 */
export function resolveTemplate(template: Template, scope: Scope): Result<Json | undefined, string> {
  // Outputs are bounded one by one, but a string can repeat one as often as it likes.
  const budget = { chars: RUN_OUTPUT_MAX_BYTES };
  try {
    return ok(resolve(template, scope, budget));
  } catch (error) {
    if (error instanceof Unresolvable) return err(error.message);
    throw error;
  }
}

function resolve(template: Template, scope: Scope, budget: { chars: number }): Json | undefined {
  switch (template.kind) {
    case "constant":
      return template.value;
    case "reference":
      return read(template.reference, scope);
    case "text":
      return template.parts
        .map((part) => spend(typeof part === "string" ? part : asText(part, scope), budget))
        .join("");
    case "list":
      return template.items.flatMap((item) => {
        const value = resolve(item, scope, budget);
        return value === undefined ? [] : [value];
      });
    case "object":
      return resolveObject(template.entries, scope, budget);
    case "equals": {
      const value = resolve(template.inner, scope, budget);
      return value === undefined ? undefined : { $eq: value };
    }
  }
}

function resolveObject(
  entries: readonly (readonly [string, Template])[],
  scope: Scope,
  budget: { chars: number },
): JsonObject {
  const resolved: [string, Json][] = [];
  for (const [key, inner] of entries) {
    const value = resolve(inner, scope, budget);
    if (value !== undefined) resolved.push([key, value]);
  }
  return Object.fromEntries(resolved);
}

function read(reference: Reference, scope: Scope): Json | undefined {
  let value = scope.get(reference.root);
  for (const part of reference.path) {
    if (value === undefined) break;
    value = child(value, part);
  }
  if (value === undefined && !reference.optional) throw new Unresolvable(`${reference.text} has no value`);
  return value;
}

/** Names read objects, indexes read lists: a list's `length` is no data of anybody's. */
function child(value: Json, part: string | number): Json | undefined {
  if (typeof part === "number") return Array.isArray(value) ? (value as readonly Json[])[part] : undefined;
  return isJsonObject(value) && Object.hasOwn(value, part) ? value[part] : undefined;
}

function asText(reference: Reference, scope: Scope): string {
  const value = read(reference, scope);
  if (value === undefined) return "";
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

function spend(text: string, budget: { chars: number }): string {
  budget.chars -= text.length;
  if (budget.chars < 0) throw new Unresolvable(`its texts grow beyond ${RUN_OUTPUT_MAX_BYTES} characters`);
  return text;
}
