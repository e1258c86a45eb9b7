import type { FieldError } from "../../core/errors.ts";
import { isJsonObject, isPrototypeKey, type Json, type JsonObject } from "../../core/json.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { REFERENCE_MAX_CHARS, REFERENCE_MAX_SEGMENTS, TEMPLATE_MAX_CHARS, TEMPLATE_MAX_REFERENCES } from "../limits.ts";
import { heldName } from "./known-fields.ts";

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
  /** A text that is a URL: what references bring in is encoded by where it stands. */
  | { readonly kind: "url"; readonly parts: readonly (string | Reference)[] }
  | { readonly kind: "list"; readonly items: readonly Template[] }
  | { readonly kind: "object"; readonly entries: readonly (readonly [string, Template])[] }
  /** `{ $eq: inner }`, or nothing where `inner` is nothing: what a referenced value becomes in a filter. */
  | { readonly kind: "equals"; readonly inner: Template }
  /** Null in place of a value that is missing; where `evenOptional`, also of one that would be left out. */
  | { readonly kind: "orNull"; readonly inner: Template; readonly evenOptional: boolean };

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
  const path: (string | number)[] = [];
  for (const [, name, index] of rest.matchAll(SEGMENT)) {
    path.push(name === undefined ? Number(index) : heldName(root, path, name));
  }
  if (path.length > REFERENCE_MAX_SEGMENTS) return err(`${text} has more than ${REFERENCE_MAX_SEGMENTS} parts`);
  const forbidden = [root, ...path].find((part) => typeof part === "string" && isPrototypeKey(part));
  if (forbidden !== undefined) return err(`${text}: ${forbidden} is never part of a path`);
  return ok({ text, root, path, optional: mark === "?" });
}
