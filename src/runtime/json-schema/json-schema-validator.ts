import type { OutputUnit } from "@cfworker/json-schema";
import type { FieldError } from "../../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";
import { joinPath } from "../graph/references.ts";
import { FAULT_PATH_MAX_CHARS, FAULT_QUOTE_MAX_CHARS, INPUT_FAULTS_MAX } from "../limits.ts";
import { readSchema } from "./json-schema.ts";

/** Every fault of the data by field, at most INPUT_FAULTS_MAX. Messages quote the schema, never the data. */
export type ValidateData = (data: Json) => readonly FieldError[];

const compiled = new WeakMap<JsonObject, ValidateData>();

/** Compiles a schema that `readSchema` found no fault in; the same object is compiled once, and is there at once then. */
export function compileSchema(schema: JsonObject): ValidateData | Promise<ValidateData> {
  return compiled.get(schema) ?? compile(schema);
}

async function compile(schema: JsonObject): Promise<ValidateData> {
  const { Validator } = await import("@cfworker/json-schema");
  const fresh = createValidate(schema, Validator);
  compiled.set(schema, fresh);
  return fresh;
}

function createValidate(given: JsonObject, Validator: typeof import("@cfworker/json-schema").Validator): ValidateData {
  const { schema } = readSchema(given);
  const validator = new Validator(schema, "2020-12", false);
  return (data) => {
    try {
      const result = validator.validate(data);
      return result.valid ? [] : toFieldErrors(result.errors, schema);
    } catch (error) {
      // The library writes names as URIs, and half a surrogate pair has no such form.
      if (error instanceof URIError) return [{ path: "", message: "holds a name that is not valid Unicode" }];
      throw error;
    }
  };
}

/** Report what is under them, and say nothing themselves. */
const WRAPPERS = new Set([
  ...["properties", "patternProperties", "additionalProperties", "unevaluatedProperties", "dependentSchemas"],
  ...["items", "prefixItems", "unevaluatedItems", "$ref", "allOf", "if"],
]);
/** Report themselves: what is under them are attempts, of which one would have been enough. */
const SUMMARIES = new Set(["anyOf", "oneOf", "contains", "minContains", "maxContains", "propertyNames"]);

function toFieldErrors(units: readonly OutputUnit[], schema: JsonObject | boolean): readonly FieldError[] {
  const summaries = units.filter((unit) => SUMMARIES.has(unit.keyword)).map((unit) => `${unit.keywordLocation}/`);
  const faults = new Map<string, FieldError>();
  for (const unit of units) {
    if (faults.size >= INPUT_FAULTS_MAX) break;
    if (WRAPPERS.has(unit.keyword)) continue;
    if (summaries.some((location) => unit.keywordLocation.startsWith(location))) continue;
    const fault = toFieldError(unit, schema);
    faults.set(`${fault.path}\n${fault.message}`, fault);
  }
  return [...faults.values()];
}

function toFieldError(unit: OutputUnit, schema: JsonObject | boolean): FieldError {
  const path = fromPointer(unit.instanceLocation).join(".");
  const missing = unit.keyword === "required" || unit.keyword === "dependentRequired" ? lastQuoted(unit.error) : null;
  if (missing !== null) return { path: bounded(joinPath(path, missing), FAULT_PATH_MAX_CHARS), message: "is required" };
  const message = describe(unit.keyword, keywordValue(schema, unit.keywordLocation));
  return { path: bounded(path, FAULT_PATH_MAX_CHARS), message };
}

/** The library names the missing property last, in quotes; properties of the schema, so no data of the caller. */
function lastQuoted(text: string): string | null {
  return /"([^"]*)"[^"]*$/.exec(text)?.[1] ?? null;
}

function describe(keyword: string, value: Json | undefined): string {
  const told = bounded(quote(value), FAULT_QUOTE_MAX_CHARS);
  switch (keyword) {
    case "type":
      return `must be of type ${told}`;
    case "format":
      return `is not a valid ${told}`;
    case "minLength":
      return `must hold at least ${told} characters`;
    case "maxLength":
      return `must hold at most ${told} characters`;
    case "pattern":
      return `does not match the pattern ${told}`;
    case "enum":
      return `must be one of ${told}`;
    case "const":
      return `must be ${told}`;
    case "minimum":
      return `must be at least ${told}`;
    case "maximum":
      return `must be at most ${told}`;
    case "exclusiveMinimum":
      return `must be more than ${told}`;
    case "exclusiveMaximum":
      return `must be less than ${told}`;
    case "multipleOf":
      return `must be a multiple of ${told}`;
    case "minItems":
      return `must hold at least ${told} items`;
    case "maxItems":
      return `must hold at most ${told} items`;
    case "uniqueItems":
      return "must hold no item twice";
    case "minProperties":
      return `must have at least ${told} properties`;
    case "maxProperties":
      return `must have at most ${told} properties`;
    case "propertyNames":
      return "has a property with a name that is not allowed";
    case "false":
      return "is not allowed";
    default:
      return `does not satisfy ${keyword}`;
  }
}

function quote(value: Json | undefined): string {
  if (Array.isArray(value)) return (value as readonly Json[]).map(quote).join(", ");
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

function bounded(text: string, maxChars: number): string {
  return text.length > maxChars ? `${text.slice(0, maxChars)}…` : text;
}

/** The value of the keyword in the schema, references followed; undefined where the way is not found. */
function keywordValue(schema: JsonObject | boolean, location: string): Json | undefined {
  let value: Json | undefined = schema;
  for (const segment of fromPointer(location)) {
    const next: Json | undefined = childOf(value, segment);
    value = segment === "$ref" && typeof next === "string" ? findTarget(schema, next) : next;
  }
  return value;
}

function findTarget(schema: JsonObject | boolean, ref: string): Json | undefined {
  if (ref === "#" || ref.startsWith("#/")) return fromPointer(ref).reduce<Json | undefined>(childOf, schema);
  return findAnchor(schema, ref.slice(1));
}

function findAnchor(value: Json, name: string): Json | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (isJsonObject(value) && value.$anchor === name) return value;
  for (const inner of Object.values(value)) {
    const found = findAnchor(inner, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function childOf(value: Json | undefined, segment: string): Json | undefined {
  if (Array.isArray(value)) return (value as readonly Json[])[Number(segment)];
  return isJsonObject(value) && Object.hasOwn(value, segment) ? value[segment] : undefined;
}

function fromPointer(pointer: string): readonly string[] {
  const parts = pointer.split("/").slice(1);
  return parts.map((part) => decode(part).replaceAll("~1", "/").replaceAll("~0", "~"));
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
