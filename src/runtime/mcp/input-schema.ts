import { isJsonObject, type Json, type JsonObject, ownProperty, withoutUndefined } from "../../core/json.ts";
import type { ObjectSchema } from "./output-schema.ts";

/** How a graph's input is the arguments of a tool, which are always an object. */
export interface ArgumentForm {
  readonly inputSchema: ObjectSchema;
  /** The graph's input out of a call's arguments. */
  readonly inputOf: (given: JsonObject) => Json;
}

/**
 * An input that is an object is the arguments themselves, any other the argument `input`. A schema that takes objects
 * beside values of another type is wrapped as well, so that all of them can be sent; null, which is no body, is none.
 */
export function toArguments(schema: JsonObject): ArgumentForm {
  return isAboutObjects(schema)
    ? { inputSchema: { ...schema, type: "object" }, inputOf: (given) => given }
    : { inputSchema: wrap(schema), inputOf: (given) => given.input ?? null };
}

function isAboutObjects(schema: JsonObject): boolean {
  const kinds = kindsOf(schema, schema, new Map());
  if (!kinds.includes("object")) return false;
  if (kinds.every((kind) => kind === "object" || kind === "null")) return true;
  // No type is named: what else is said tells which one is meant.
  return kinds.length === KINDS.length && !saysOfOthersAlone(schema);
}

const KINDS: readonly string[] = ["array", "boolean", "null", "number", "object", "string"];

/** The types of JSON that a schema may take: never one too few. `known` has each part's, while it is looked at all. */
function kindsOf(schema: Json, root: JsonObject, known: Map<JsonObject, readonly string[]>): readonly string[] {
  if (schema === false) return [];
  if (!isJsonObject(schema)) return KINDS;
  const before = known.get(schema);
  if (before !== undefined) return before;
  known.set(schema, KINDS);
  const inner = (part: Json) => kindsOf(part, root, known);
  const { type, enum: values, not } = schema;
  const bounds = [
    ...(type === undefined ? [] : [typesIn(type)]),
    ...(Array.isArray(values) ? [values.map(kindOf)] : []),
    ...(schema.const === undefined ? [] : [[kindOf(schema.const)]]),
    ...targetOf(schema, root).map(inner),
    ...listIn(schema, "allOf").map(inner),
    ...["anyOf", "oneOf"].filter((name) => name in schema).map((name) => listIn(schema, name).flatMap(inner)),
    ...("if" in schema ? [[schema.then ?? true, schema.else ?? true].flatMap(inner)] : []),
  ];
  const excluded = isJsonObject(not) && Object.keys(not).join() === "type" ? typesIn(not.type ?? [], "exactly") : [];
  const kinds = KINDS.filter((kind) => bounds.every((bound) => bound.includes(kind)) && !excluded.includes(kind));
  known.set(schema, kinds);
  return kinds;
}

/** An integer is a number; `exactly` leaves it out, since not every number is one. */
function typesIn(type: Json, exactly?: "exactly"): readonly string[] {
  const names = [type].flat().map(String);
  return exactly === undefined ? names.map((name) => (name === "integer" ? "number" : name)) : names;
}

function kindOf(value: Json): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function listIn(schema: JsonObject, keyword: string): readonly Json[] {
  const list = schema[keyword];
  return Array.isArray(list) ? list : [];
}

const OF_OBJECTS = [
  ...["properties", "required", "patternProperties", "additionalProperties", "unevaluatedProperties"],
  ...["propertyNames", "minProperties", "maxProperties", "dependentRequired", "dependentSchemas"],
];
const OF_OTHERS = [
  ...["minLength", "maxLength", "pattern", "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"],
  ...["multipleOf", "items", "prefixItems", "contains", "minItems", "maxItems", "uniqueItems", "unevaluatedItems"],
];

function saysOfOthersAlone(root: JsonObject): boolean {
  const parts = [...partsOf(root, root, new Set())];
  const says = (keywords: readonly string[]) => parts.some((part) => keywords.some((keyword) => keyword in part));
  return says(OF_OTHERS) && !says(OF_OBJECTS);
}

/** The schema and all that it applies to the value itself. */
function partsOf(schema: Json, root: JsonObject, found: Set<JsonObject>): ReadonlySet<JsonObject> {
  if (!isJsonObject(schema) || found.has(schema)) return found;
  found.add(schema);
  const applied = [
    ...targetOf(schema, root),
    ...["allOf", "anyOf", "oneOf"].flatMap((name) => listIn(schema, name)),
    ...[schema.then ?? true, schema.else ?? true],
  ];
  for (const part of applied) partsOf(part, root, found);
  return found;
}

/** What `$ref` means, where there is one and it is there. */
function targetOf({ $ref }: JsonObject, root: JsonObject): readonly Json[] {
  if (typeof $ref !== "string") return [];
  const pointer = $ref.slice(1);
  const target = pointer === "" || pointer.startsWith("/") ? valueAt(root, pointer) : anchored(root, pointer);
  return target === undefined ? [] : [target];
}

function valueAt(root: JsonObject, pointer: string): Json | undefined {
  let value: unknown = root;
  for (const key of pointer.split("/").slice(1)) value = ownProperty(value, key);
  return value as Json | undefined;
}

function anchored(value: Json, name: string): Json | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (ownProperty(value, "$anchor") === name) return value;
  for (const inner of Object.values(value)) {
    const found = anchored(inner as Json, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A pointer to somewhere else than the definitions, which keep their place. */
const POINTS_ELSEWHERE = /"\$ref":"#(?:"|\/(?!(?:\$defs|definitions)\/))/;

/** The schema as that of the one property `input`. Its references go on meaning what they meant. */
function wrap(schema: JsonObject): ObjectSchema {
  const form = (input: JsonObject) => ({ type: "object", properties: { input }, required: ["input"] }) as const;
  // A schema with an `$id` is a document of its own inside the other: its references begin at itself.
  if (schema.$id !== undefined) return form(schema);
  if (POINTS_ELSEWHERE.test(JSON.stringify(schema))) return form({ $id: "urn:orchestrix:input", ...schema });
  const { $schema, $defs, definitions, ...input } = schema;
  return { ...form(input), ...withoutUndefined({ $schema, $defs, definitions }) };
}
