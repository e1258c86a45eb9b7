import { RUN_OUTPUT_MAX_BYTES } from "../../config/limits.ts";
import type { FieldError } from "../../core/errors.ts";
import { isJsonObject, isPrototypeKey, type Json, type JsonObject } from "../../core/json.ts";
import { MASK } from "../../core/mask.ts";
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
  /** The string that it stands in, taken apart. */
  readonly parts: readonly (string | Reference)[];
}

export interface CompiledTemplate {
  readonly template: Template;
  readonly references: readonly PlacedReference[];
  readonly faults: readonly FieldError[];
}

/** What references read: the outputs so far by step id, beside `request`, `run`, `agent` and `owner`. */
export type Scope = ReadonlyMap<string, Json>;

/** Values of secrets by name. Beside the scope, not in it: expressions and tools never see them all. */
export type Secrets = ReadonlyMap<string, string>;

const NO_SECRETS: Secrets = new Map();

/** In one config, all its strings together: more is data, which belongs in a step's output. */
const CONFIG_MAX_REFERENCES = 500;

/** References whose values are not to be shown. */
export type Hides = (reference: Reference) => boolean;

/** Takes every string of a config apart. Keys are never templates, nor are the properties that are named verbatim. */
export function compileTemplate(config: Json, verbatim: readonly string[] = []): CompiledTemplate {
  const references: PlacedReference[] = [];
  const faults: FieldError[] = [];
  const template = isJsonObject(config)
    ? compileObject(config, (key, value) =>
        verbatim.includes(key) ? constant(value) : compileValue(value, key, references, faults),
      )
    : compileValue(config, "", references, faults);
  if (references.length > CONFIG_MAX_REFERENCES) {
    faults.push({ path: "", message: `at most ${CONFIG_MAX_REFERENCES} references in one config` });
  }
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
  if (!isJsonObject(value)) return constant(value);
  return compileObject(value, (key, inner) => compileValue(inner, joinPath(path, key), found, faults));
}

function compileObject(object: JsonObject, compile: (key: string, inner: Json) => Template): Template {
  const entries = Object.entries(object).map(([key, inner]) => [key, compile(key, inner)] as const);
  const constants = entries.flatMap(([key, inner]) => (isConstant(inner) ? [[key, inner.value] as const] : []));
  return constants.length === entries.length ? constant(Object.fromEntries(constants)) : { kind: "object", entries };
}

function constant(value: Json): Template {
  return { kind: "constant", value };
}

function isConstant(template: Template): template is Extract<Template, { kind: "constant" }> {
  return template.kind === "constant";
}

function compileString(text: string, path: string, found: PlacedReference[], faults: FieldError[]): Template {
  if (!text.includes("{{") || found.length > CONFIG_MAX_REFERENCES) return constant(text);
  const parts = splitString(text);
  if (!parts.ok) {
    faults.push({ path, message: parts.error });
    return constant(text);
  }
  for (const part of parts.value) {
    if (typeof part !== "string") found.push({ reference: part, path, parts: parts.value });
  }
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

/** What a resolution reads from, and the characters that its texts may still hold. */
interface Source {
  readonly scope: Scope;
  readonly secrets: Secrets;
  readonly hides: Hides | null;
  chars: number;
}

/**
 * The config with its references replaced; what they bring in is data and not looked at again. `undefined` where the
 * whole is an optional reference to nothing. The error is a sentence for the caller that names the reference. What
 * `hides` names is masked.
 */
export function resolveTemplate(
  template: Template,
  scope: Scope,
  secrets: Secrets = NO_SECRETS,
  hides: Hides | null = null,
): Result<Json | undefined, string> {
  try {
    // Outputs are bounded one by one, but a string can repeat one as often as it likes.
    return ok(resolve(template, { scope, secrets, hides, chars: RUN_OUTPUT_MAX_BYTES }));
  } catch (error) {
    if (error instanceof Unresolvable) return err(error.message);
    throw error;
  }
}

function resolve(template: Template, source: Source): Json | undefined {
  switch (template.kind) {
    case "constant":
      return template.value;
    case "reference":
      return read(template.reference, source);
    case "text":
      return resolveText(template.parts, source);
    case "list":
      return template.items.flatMap((item) => {
        const value = resolve(item, source);
        return value === undefined ? [] : [value];
      });
    case "object":
      return resolveObject(template.entries, source);
    case "equals": {
      const value = resolve(template.inner, source);
      return value === undefined ? undefined : { $eq: value };
    }
  }
}

function resolveObject(entries: readonly (readonly [string, Template])[], source: Source): JsonObject {
  const resolved: [string, Json][] = [];
  for (const [key, inner] of entries) {
    const value = resolve(inner, source);
    if (value !== undefined) resolved.push([key, value]);
  }
  return Object.fromEntries(resolved);
}

function resolveText(parts: readonly (string | Reference)[], source: Source): string {
  let whole = "";
  for (const part of parts) {
    const text = typeof part === "string" ? part : asText(part, source);
    source.chars -= text.length;
    if (source.chars < 0) throw new Unresolvable(`its texts grow beyond ${RUN_OUTPUT_MAX_BYTES} characters`);
    whole += text;
  }
  return whole;
}

function read(reference: Reference, { scope, secrets, hides }: Source): Json | undefined {
  const isSecret = reference.root === "secrets";
  const value = isSecret ? secrets.get(String(reference.path[0])) : readPath(reference, scope);
  if (value === undefined && !reference.optional) {
    throw new Unresolvable(isSecret ? `the secret ${reference.path[0]} is not set` : `${reference.text} has no value`);
  }
  const isShown = value === undefined || value === null || hides === null || !hides(reference);
  return isShown ? value : MASK;
}

function readPath({ root, path }: Reference, scope: Scope): Json | undefined {
  let value = scope.get(root);
  for (const part of path) {
    if (value === undefined) break;
    value = child(value, part);
  }
  return value;
}

/** Names read objects, indexes read lists: a list's `length` is no data of anybody's. */
function child(value: Json, part: string | number): Json | undefined {
  if (typeof part === "number") return Array.isArray(value) ? (value as readonly Json[])[part] : undefined;
  return isJsonObject(value) && Object.hasOwn(value, part) ? value[part] : undefined;
}

function asText(reference: Reference, source: Source): string {
  const value = read(reference, source);
  if (value === undefined) return "";
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}
