import type { FieldError } from "../../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";
import { joinPath } from "../graph/references.ts";
import { PATTERN_MAX_CHARS, SCHEMA_MAX_BREADTH } from "../limits.ts";

/** A JSON Schema (draft 2020-12) as read: its faults, and a copy with nothing in it but the keywords that we know. */
export interface ReadSchema {
  readonly faults: readonly FieldError[];
  readonly schema: JsonObject | boolean;
}

interface Reading {
  readonly nodes: Map<string, SchemaNode>;
  readonly faults: FieldError[];
}

type SchemaNode = JsonObject | boolean;
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
  ["pattern", (v) => (typeof v === "string" ? patternFault(v) : "is a regular expression")],
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
const SCHEMA_KEYWORDS = new Set([...SCHEMAS, "unevaluatedItems", "unevaluatedProperties"]);
const LIST_KEYWORDS = new Set(["allOf", "anyOf", "oneOf", "prefixItems"]);
const MAP_KEYWORDS = new Set(["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"]);
/** Silently ignored they would let through what the author means to refuse. */
const UNKNOWN_TO_US = new Set(["$dynamicRef", "$recursiveRef", "dependencies", "additionalItems"]);

/** What a schema applies to the same value as itself. */
const IN_PLACE = ["not", "if", "then", "else", "allOf", "anyOf", "oneOf", "dependentSchemas"];

/** Reads a schema that an author wrote. Unknown keywords are annotations, as the specification has it. */
export function readSchema(given: Json): ReadSchema {
  const faults: FieldError[] = [];
  const nodes = new Map<string, SchemaNode>();
  const schema = readNode(given, "", "#", { nodes, faults });
  if (faults.length === 0) checkReferences(nodes, faults);
  return { faults, schema };
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
  const read = Object.entries(given).flatMap(([keyword, value]) => {
    const kept = readKeyword(keyword, value, joinPath(path, keyword), `${pointer}/${keyword}`, reading);
    return kept === undefined ? [] : [[keyword, kept] as const];
  });
  const node = Object.fromEntries(read);
  nodes.set(pointer, node);
  if (typeof node.$anchor === "string") nodes.set(`#${node.$anchor}`, node);
  return node;
}

/** The value to keep; undefined for what is at fault or only an annotation. */
function readKeyword(keyword: string, value: Json, path: string, pointer: string, reading: Reading): Json | undefined {
  const { faults } = reading;
  if (SCHEMA_KEYWORDS.has(keyword)) return readNode(value, path, pointer, reading);
  if (LIST_KEYWORDS.has(keyword)) return readList(value, path, pointer, reading);
  if (MAP_KEYWORDS.has(keyword)) return readMap(value, path, pointer, reading);
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
  const { faults } = reading;
  if (!isJsonObject(given)) {
    faults.push({ path, message: "is an object of schemas" });
    return {};
  }
  const ofPatterns = pointer.endsWith("/patternProperties");
  return Object.fromEntries(
    Object.entries(given).map(([key, value]) => {
      const here = joinPath(path, key);
      const message = ofPatterns ? patternFault(key) : null;
      if (message !== null) faults.push({ path: here, message });
      return [key, readNode(value, here, `${pointer}/${key}`, reading)];
    }),
  );
}

const FORMATS = new Set([
  ...["date", "time", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "regex"],
  ...["uri", "uri-reference", "uri-template", "json-pointer", "relative-json-pointer"],
]);

/** A format that we do not know is an annotation. The library's own `url` takes exponential time on some texts. */
function readFormat(name: Json): Json | undefined {
  const known = name === "url" ? "uri" : name;
  return typeof known === "string" && FORMATS.has(known) ? known : undefined;
}

function isTypeList(value: Json): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((type) => TYPES.includes(type));
}

function isTextList(value: Json): string | null {
  return Array.isArray(value) && value.every((name) => typeof name === "string") ? null : "is a list of names";
}

function patternFault(pattern: string): string | null {
  if (pattern.length > PATTERN_MAX_CHARS) return `a pattern holds at most ${PATTERN_MAX_CHARS} characters`;
  try {
    new RegExp(pattern, "u");
    return null;
  } catch {
    return "is not a regular expression";
  }
}

/** Dead references, and schemas that would never end or that multiply on one value. */
function checkReferences(nodes: ReadonlyMap<string, SchemaNode>, faults: FieldError[]): void {
  const breadths = new Map<SchemaNode, number>();
  for (const [pointer, node] of nodes) {
    if (typeof node === "boolean") continue;
    const path = pointer.slice(2).replaceAll("/", ".");
    const ref = node.$ref;
    if (typeof ref === "string" && !nodes.has(ref)) {
      faults.push({ path: joinPath(path, "$ref"), message: `there is no schema at ${ref}` });
    }
    const breadth = breadthOf(node, nodes, breadths);
    if (breadth === Number.POSITIVE_INFINITY) faults.push({ path, message: "applies itself to the same value again" });
    else if (breadth > SCHEMA_MAX_BREADTH) {
      faults.push({ path, message: `applies more than ${SCHEMA_MAX_BREADTH} schemas to one value` });
    }
  }
}

/** How many schemas are applied to a value when this one is; infinite where it comes back to itself. */
function breadthOf(node: SchemaNode, nodes: ReadonlyMap<string, SchemaNode>, known: Map<SchemaNode, number>): number {
  if (typeof node === "boolean") return 1;
  const before = known.get(node);
  if (before !== undefined) return before;
  // Met again before its sum is known, it refers to itself.
  known.set(node, Number.POSITIVE_INFINITY);
  let sum = 1;
  for (const inner of appliedInPlace(node, nodes)) sum += breadthOf(inner, nodes, known);
  known.set(node, sum);
  return sum;
}

function appliedInPlace(node: JsonObject, nodes: ReadonlyMap<string, SchemaNode>): readonly SchemaNode[] {
  const applied = IN_PLACE.flatMap((keyword) => {
    const value = node[keyword];
    if (value === undefined) return [];
    if (keyword === "dependentSchemas") return Object.values(value as JsonObject);
    return Array.isArray(value) ? (value as readonly Json[]) : [value];
  }) as SchemaNode[];
  const target = typeof node.$ref === "string" ? nodes.get(node.$ref) : undefined;
  return target === undefined ? applied : [...applied, target];
}
