import { type OutputUnit, Validator } from "@cfworker/json-schema";
import type { FieldError } from "../../../../src/core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../../../src/core/json.ts";
import { joinPath } from "../../../../src/runtime/graph/references.ts";
import { readSchema } from "../../../../src/runtime/json-schema/json-schema.ts";
import { describe } from "../../../../src/runtime/json-schema/messages.ts";

/** Report what is under them, and say nothing themselves. */
const WRAPPERS = new Set([
  ...["properties", "patternProperties", "additionalProperties", "unevaluatedProperties", "dependentSchemas"],
  ...["items", "prefixItems", "unevaluatedItems", "$ref", "allOf", "if"],
]);
/** Report themselves: what is under them are attempts, of which one would have been enough. */
const SUMMARIES = new Set(["anyOf", "oneOf", "contains", "minContains", "maxContains", "propertyNames"]);

/** What a library finds, told in our words: slow for some schemas, so a second opinion in tests alone. */
export function faultsByLibrary(given: Json, data: Json): readonly FieldError[] {
  const { schema } = readSchema(given);
  const { valid, errors } = new Validator(schema, "2020-12", false).validate(data);
  if (valid) return [];
  const summaries = errors
    .filter((unit) => SUMMARIES.has(unit.keyword))
    .map((unit) => attemptsOf(unit.keywordLocation));
  const faults = new Map<string, FieldError>();
  for (const unit of errors) {
    if (WRAPPERS.has(unit.keyword)) continue;
    if (summaries.some((location) => unit.keywordLocation.startsWith(location))) continue;
    const fault = toFault(unit, schema);
    faults.set(`${fault.path}\n${fault.message}`, fault);
  }
  return [...faults.values()];
}

function attemptsOf(location: string): string {
  return `${location.replace(/m(?:in|ax)Contains$/, "contains")}/`;
}

function toFault(unit: OutputUnit, schema: Json): FieldError {
  const path = segmentsOf(unit.instanceLocation).join(".");
  if (unit.keyword === "required" || unit.keyword === "dependentRequired") {
    const [, missing = ""] = /"([^"]*)"[^"]*$/.exec(unit.error) ?? [];
    return { path: joinPath(path, missing), message: "is required" };
  }
  return { path, message: describe(unit.keyword, valueAt(schema, unit.keywordLocation)) };
}

function valueAt(schema: Json, location: string): Json | undefined {
  let value: Json | undefined = schema;
  for (const segment of segmentsOf(location)) {
    const next: Json | undefined = childOf(value, segment);
    const follows = segment === "$ref" && typeof next === "string";
    value = follows ? segmentsOf(next).reduce<Json | undefined>(childOf, schema) : next;
  }
  return value;
}

function childOf(value: Json | undefined, segment: string): Json | undefined {
  if (Array.isArray(value)) return (value as readonly Json[])[Number(segment)];
  return isJsonObject(value) ? (value as JsonObject)[segment] : undefined;
}

function segmentsOf(pointer: string): readonly string[] {
  const parts = pointer.split("/").slice(1);
  return parts.map((part) => decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~"));
}
