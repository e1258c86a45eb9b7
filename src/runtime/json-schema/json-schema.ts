import type { FieldError } from "../../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";
import { joinPath } from "../graph/references.ts";
import { INPUT_FAULTS_MAX } from "../limits.ts";
import { isKnownFormat } from "./formats.ts";
import { SCHEMA_MAX_NODES, SCHEMA_MAX_STATES } from "./limits.ts";
import { measurePattern } from "./patterns/pattern.ts";
import { checkReferences } from "./references.ts";

/** A JSON Schema (draft 2020-12) as read: its faults, and a copy with nothing in it but the keywords that we know. */
export interface ReadSchema {
  readonly faults: readonly FieldError[];
  readonly schema: SchemaNode;
  /** Every schema in it, by what a `$ref` to it says. */
  readonly nodes: ReadonlyMap<string, SchemaNode>;
  /** How many schemas apply this one, by `$ref` or by holding it as more than a definition. */
  readonly uses: ReadonlyMap<SchemaNode, number>;
}

export type SchemaNode = JsonObject | boolean;

interface Reading {
  readonly nodes: Map<string, SchemaNode>;
  readonly uses: Map<SchemaNode, number>;
  readonly faults: FieldError[];
  /** Of all patterns so far. */
  states: number;
}

type Check = (value: Json) => string | null;

const count: Check = (v) => (Number.isSafeInteger(v) && Number(v) >= 0 ? null : "is a whole number, 0 or more");
const number: Check = (v) => (typeof v === "number" ? null : "is a number");
const flag: Check = (v) => (typeof v === "boolean" ? null : "is true or false");
const anything: Check = () => null;
const TYPES: readonly Json[] = ["array", "boolean", "integer", "null", "number", "object", "string"];

/** Keywords whose values are no schemas. */
const VALUE_KEYWORDS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ["type", (v) => (isTypeList(v) || TYPES.includes(v) ? null : `is one or a list of ${TYPES.join(", ")}`)],
  ["const", anything],
  ["enum", (v) => (Array.isArray(v) && v.length > 0 ? null : "is a list of at least one value")],
  ["required", isTextList],
  [
    "dependentRequired",
    (v) => (isJsonObject(v) && !Object.values(v).some(isTextList) ? null : "is an object of lists of names"),
  ],
  ["format", (v) => (typeof v === "string" ? null : "is the name of a format")],
  ["pattern", (v) => (typeof v === "string" ? null : "is a regular expression")],
  ["multipleOf", (v) => (typeof v === "number" && v > 0 ? null : "is a number above 0")],
  ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"].map((name) => [name, number] as const),
  ...["minLength", "maxLength", "minItems", "maxItems", "minContains", "maxContains"].map((n) => [n, count] as const),
  ...["minProperties", "maxProperties"].map((name) => [name, count] as const),
  ["uniqueItems", flag],
  ["$anchor", (v) => (typeof v === "string" && /^[A-Za-z_][\w.-]*$/.test(v) ? null : "is a name")],
  [
    "$ref",
    (v) => (typeof v === "string" && LOCAL_REF.test(v) ? null : "points into this schema, such as #/$defs/address"),
  ],
]);

/** References stay inside the schema; escapes in pointers are left out with the names that would need them. */
const LOCAL_REF = /^#(?:[A-Za-z_][\w.-]*|(?:\/[A-Za-z0-9_$.-]+)*)$/;

const SCHEMAS = ["not", "if", "then", "else", "items", "contains", "additionalProperties", "propertyNames"];
/** Keywords whose value is a schema. */
export const SCHEMA_KEYWORDS: ReadonlySet<string> = new Set([...SCHEMAS, "unevaluatedItems", "unevaluatedProperties"]);
/** … a list of schemas. */
export const LIST_KEYWORDS: ReadonlySet<string> = new Set(["allOf", "anyOf", "oneOf", "prefixItems"]);
/** … schemas by names that are the author's. */
export const MAP_KEYWORDS: ReadonlySet<string> = new Set([
  ...["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"],
]);
/** Silently ignored they would let through what the author means to refuse. */
const UNKNOWN_TO_US = new Set(["$dynamicRef", "$recursiveRef", "dependencies", "additionalItems"]);
/** Hold schemas for others to refer to. */
const DEFINITIONS = new Set(["$defs", "definitions"]);

/** Reads a schema that an author wrote. Unknown keywords are annotations, as the specification has it. */
export function readSchema(given: Json): ReadSchema {
  const reading: Reading = { nodes: new Map(), uses: new Map(), faults: [], states: 0 };
  const { nodes, uses, faults } = reading;
  const schema = readNode(given, "", "#", reading);
  if (reading.states > SCHEMA_MAX_STATES) {
    faults.push({ path: "", message: "the patterns of the schema are too large together: let them repeat less" });
  }
  if (nodes.size > SCHEMA_MAX_NODES) {
    faults.push({ path: "", message: `a schema holds at most ${SCHEMA_MAX_NODES} schemas` });
  }
  if (faults.length === 0) checkReferences(nodes, uses, faults);
  return { faults: faults.slice(0, INPUT_FAULTS_MAX), schema, nodes, uses };
}

function readNode(given: Json, path: string, pointer: string, reading: Reading): SchemaNode {
  const { nodes, faults } = reading;
  if (typeof given === "boolean") {
    nodes.set(pointer, given);
    return given;
  }
  if (!isJsonObject(given)) {
    faults.push({ path, message: "a schema is an object, true or false" });
    return true;
  }
  // More than this is at fault anyway.
  if (nodes.size > SCHEMA_MAX_NODES) return true;
  const read = Object.entries(given).flatMap(([keyword, value]) => {
    const kept = readKeyword(keyword, value, joinPath(path, keyword), `${pointer}/${keyword}`, reading);
    if (kept === undefined) return [];
    countUses(keyword, kept, reading);
    return [[keyword, kept] as const];
  });
  const node = Object.fromEntries(read);
  nodes.set(pointer, node);
  if (typeof node.$anchor === "string") nodes.set(`#${node.$anchor}`, node);
  return node;
}

function countUses(keyword: string, kept: Json, { uses }: Reading): void {
  if (SCHEMA_KEYWORDS.has(keyword)) uses.set(kept as SchemaNode, 1);
  else if (LIST_KEYWORDS.has(keyword)) for (const node of kept as readonly SchemaNode[]) uses.set(node, 1);
  else if (MAP_KEYWORDS.has(keyword) && !DEFINITIONS.has(keyword)) {
    for (const node of Object.values(kept as JsonObject)) uses.set(node as SchemaNode, 1);
  }
}

/** The value to keep; undefined for what is at fault or only an annotation. */
function readKeyword(keyword: string, value: Json, path: string, pointer: string, reading: Reading): Json | undefined {
  const { faults } = reading;
  if (SCHEMA_KEYWORDS.has(keyword)) return readNode(value, path, pointer, reading);
  if (LIST_KEYWORDS.has(keyword)) return readList(value, path, pointer, reading);
  if (MAP_KEYWORDS.has(keyword)) return readMap(value, path, pointer, reading);
  if (keyword === "pattern" && typeof value === "string") return readPattern(value, path, reading);
  const fault = UNKNOWN_TO_US.has(keyword) ? `${keyword} is not supported` : VALUE_KEYWORDS.get(keyword)?.(value);
  if (typeof fault === "string") faults.push({ path, message: fault });
  if (fault !== null) return undefined;
  return keyword === "format" ? readFormat(value) : value;
}

function readList(given: Json, path: string, pointer: string, reading: Reading): readonly Json[] {
  const { faults } = reading;
  if (!Array.isArray(given) || given.length === 0) {
    faults.push({ path, message: "is a list of at least one schema" });
    return [];
  }
  return (given as readonly Json[]).map((item, i) => readNode(item, joinPath(path, i), `${pointer}/${i}`, reading));
}

function readMap(given: Json, path: string, pointer: string, reading: Reading): JsonObject {
  if (!isJsonObject(given)) {
    reading.faults.push({ path, message: "is an object of schemas" });
    return {};
  }
  const ofPatterns = pointer.endsWith("/patternProperties");
  return Object.fromEntries(
    Object.entries(given).map(([key, value]) => {
      const here = joinPath(path, key);
      if (ofPatterns) readPattern(key, here, reading);
      return [key, readNode(value, here, `${pointer}/${toSegment(key)}`, reading)];
    }),
  );
}

function toSegment(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

function readPattern(pattern: string, path: string, reading: Reading): string | undefined {
  const states = measurePattern(pattern);
  if (typeof states === "number") {
    reading.states += states;
    return pattern;
  }
  reading.faults.push({ path, message: states });
  return undefined;
}

/** A format that we do not know is an annotation; `url` is what some call `uri`. */
function readFormat(name: Json): Json | undefined {
  const known = name === "url" ? "uri" : name;
  return typeof known === "string" && isKnownFormat(known) ? known : undefined;
}

function isTypeList(value: Json): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((type) => TYPES.includes(type));
}

function isTextList(value: Json): string | null {
  return Array.isArray(value) && value.every((name) => typeof name === "string") ? null : "is a list of names";
}
