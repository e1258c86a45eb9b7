import { Validator } from "@cfworker/json-schema";
import { expect, test } from "vitest";
import type { Json, JsonObject } from "../../../src/core/json.ts";
import { readSchema } from "../../../src/runtime/json-schema/json-schema.ts";
import { toArguments } from "../../../src/runtime/mcp/input-schema.ts";
import { withoutHeaderKeyword } from "../../../src/runtime/mcp/listed-schema.ts";

function isValid(schema: JsonObject, value: Json): boolean {
  return new Validator(schema, "2020-12").validate(value).valid;
}

/** An object with a property `then` would look like a promise here. */
function parsed(text: string): JsonObject {
  return JSON.parse(text);
}

const WORD = { $defs: { word: { type: "string", minLength: 2 } } };

test.each<[string, JsonObject, JsonObject]>([
  ["of type object", { type: "object", required: ["a"] }, { a: 1 }],
  ["an object or null", { type: ["object", "null"] }, {}],
  ["without a type, with properties", { properties: { a: { type: "string" } } }, { a: "x" }],
  ["without a type, with required alternatives", { anyOf: [{ required: ["a"] }, { required: ["b"] }] }, { b: 1 }],
  ["that says nothing", {}, { a: 1 }],
  ["that says words alone", { title: "Anything", description: "at all" }, { a: 1 }],
  ["a reference to an object", { $ref: "#/$defs/user", $defs: { user: { type: "object" } } }, {}],
  ["a reference by anchor", { $ref: "#user", $defs: { user: { $anchor: "user", type: "object" } } }, {}],
  ["all of several", { allOf: [{ type: ["object", "string"] }, { type: ["object", "array"] }] }, {}],
  ["one of several objects", { oneOf: [{ type: "object", required: ["a"] }, { const: { b: 1 } }] }, { b: 1 }],
  ["a list of objects to choose from", { enum: [{ a: 1 }, { a: 2 }] }, { a: 2 }],
  ["an object either way", parsed('{"if":{"required":["a"]},"then":{"type":"object"},"else":{"type":"object"}}'), {}],
  ["with a property that is called input", { properties: { input: { type: "string" } } }, { input: "x" }],
])("an input %s is the arguments themselves", (_what, schema, input) => {
  expect(readSchema(schema).faults).toEqual([]);
  const { inputSchema, inputOf } = toArguments(schema);
  expect(inputSchema).toEqual({ ...schema, type: "object" });
  expect(isValid(inputSchema, input)).toBe(true);
  expect(inputOf(input)).toEqual(input);
});

test.each<[string, JsonObject, Json, Json]>([
  ["of another type", { type: "string" }, "x", 1],
  ["that is chosen from texts", { enum: ["a", "b"] }, "b", "c"],
  ["that is one number", { const: 7 }, 7, 8],
  ["that is null", { const: null }, null, 1],
  ["that refers to a text", { $ref: "#/$defs/word", ...WORD }, "ab", "a"],
  ["that refers to an old definition", { $ref: "#/definitions/n", definitions: { n: { type: "integer" } } }, 1, 1.5],
  ["that refers by anchor", { $ref: "#w", $defs: { word: { $anchor: "w", type: "string" } } }, "a", 1],
  [
    "that refers to a reference",
    { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/b" }, b: { type: "array" } } },
    [],
    1,
  ],
  ["that is all of several", { allOf: [{ minLength: 1 }, { type: "string" }] }, "a", ""],
  ["that is any of several", { anyOf: [{ type: "string" }, { type: "integer" }] }, 1, 1.5],
  ["that is an object or a text", { type: ["object", "string"] }, "a", 1],
  ["that is an object or a text, as the object", { oneOf: [{ type: "string" }, { type: "object" }] }, { a: 1 }, 1],
  ["that is no object", { not: { type: "object" } }, "a", {}],
  [
    "that a condition decides",
    parsed('{"if":{"minLength":3},"then":{"type":"string"},"else":{"type":"number"}}'),
    "abcd",
    [],
  ],
  ["without a type, that is meant to be a text", { minLength: 3 }, "abc", "a"],
  ["without a type, that is meant to be a list", { items: { type: "string" } }, ["a"], [1]],
  ["without a type, that is meant to be a number", { allOf: [{ minimum: 3 }] }, 3, 2],
  ["whose items are like itself", { type: "array", items: { $ref: "#" } }, [[], [[]]], [1]],
  [
    "that points into itself",
    { type: "array", prefixItems: [{ type: "string" }], items: { $ref: "#/prefixItems/0" } },
    ["a", "b"],
    ["a", 1],
  ],
  ["that is a document of its own", { $id: "https://e.example/word", $ref: "#/$defs/word", ...WORD }, "ab", "a"],
])("an input %s is the argument input", (_what, schema, input, wrong) => {
  expect(readSchema(schema).faults).toEqual([]);
  const { inputSchema, inputOf } = toArguments(schema);
  expect(inputSchema).toMatchObject({ type: "object", required: ["input"] });
  expect(isValid(inputSchema, { input })).toBe(true);
  expect(isValid(inputSchema, { input: wrong })).toBe(false);
  expect(inputOf({ input })).toEqual(input);
  expect(inputOf({})).toBeNull();
});

test("definitions and the dialect keep their place", () => {
  const dialect = "https://json-schema.org/draft/2020-12/schema";
  expect(toArguments({ $schema: dialect, $ref: "#/$defs/word", ...WORD }).inputSchema).toEqual({
    $schema: dialect,
    type: "object",
    properties: { input: { $ref: "#/$defs/word" } },
    required: ["input"],
    ...WORD,
  });
});

test("a circle of references, which no graph of ours has, comes to an end", () => {
  expect(toArguments({ $ref: "#" }).inputSchema).toEqual({ $ref: "#", type: "object" });
  const twice = { allOf: [{ $ref: "#/$defs/a" }, { $ref: "#/$defs/a" }], anyOf: [{ $ref: "#" }, { $ref: "#" }] };
  expect(toArguments({ ...twice, $defs: { a: twice } }).inputSchema.type).toBe("object");
  expect(toArguments({ $ref: "#/$defs/gone" }).inputSchema.type).toBe("object");
});

const ASKS = { "x-mcp-header": "Region" };

test("a header that a schema asks for is listed nowhere", () => {
  const inOne = ["not", "if", "else", "items", "contains", "additionalProperties", "propertyNames"];
  const others = ["unevaluatedItems", "unevaluatedProperties", "contentSchema"];
  for (const keyword of [...inOne, ...others]) {
    expect(withoutHeaderKeyword({ ...ASKS, [keyword]: { ...ASKS, minLength: 1 } })).toEqual({
      [keyword]: { minLength: 1 },
    });
  }
  for (const keyword of ["allOf", "anyOf", "oneOf", "prefixItems"]) {
    expect(withoutHeaderKeyword({ [keyword]: [ASKS, true, { not: ASKS }] })).toEqual({
      [keyword]: [{}, true, { not: {} }],
    });
  }
  for (const keyword of ["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"]) {
    expect(withoutHeaderKeyword({ [keyword]: { a: { ...ASKS, properties: { b: ASKS } }, c: false } })).toEqual({
      [keyword]: { a: { properties: { b: {} } }, c: false },
    });
  }
});

test("what only looks like a header that is asked for is listed as it is", () => {
  for (const keyword of ["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"]) {
    const named = { [keyword]: { "x-mcp-header": { type: "string" } } };
    expect(withoutHeaderKeyword(named)).toEqual(named);
  }
  const values = {
    const: ASKS,
    enum: [ASKS],
    default: ASKS,
    examples: [{ properties: ASKS }],
    required: ["x-mcp-header"],
  };
  expect(withoutHeaderKeyword(values)).toEqual(values);
  const proto = parsed('{"properties":{"__proto__":{"type":"string"},"then":{"minLength":1}}}');
  expect(JSON.stringify(withoutHeaderKeyword(proto))).toBe(JSON.stringify(proto));
});
