import { describe, expect, test } from "vitest";
import type { Json, JsonObject } from "../../../../src/core/json.ts";
import { readSchema } from "../../../../src/runtime/json-schema/json-schema.ts";
import { compileSchema } from "../../../../src/runtime/json-schema/json-schema-validator.ts";
import { createRunWork } from "../../../../src/runtime/run-work.ts";

async function validate(schema: JsonObject, data: Json) {
  expect(readSchema(schema).faults).toEqual([]);
  return (await compileSchema(schema))(data, createRunWork());
}

const SIGNUP = {
  type: "object",
  required: ["email", "password"],
  additionalProperties: false,
  properties: {
    email: { type: "string", format: "email", maxLength: 254 },
    password: { type: "string", minLength: 8, maxLength: 200 },
    age: { type: "integer", minimum: 18 },
    tags: { type: "array", items: { enum: ["a", "b"] }, maxItems: 3 },
    address: { $ref: "#/$defs/address" },
  },
  $defs: {
    address: { type: "object", required: ["city"], properties: { city: { type: "string", pattern: "^[A-Z]" } } },
  },
};

test("data that is right has no fault", async () => {
  const data = { email: "ada@example.com", password: "long enough", age: 18, tags: ["a"], address: { city: "Ulm" } };
  expect(await validate(SIGNUP, data)).toEqual([]);
});

test("every fault is told by field, in the schema's words and none of the data's", async () => {
  const data = {
    email: "not-an-address",
    password: "s3cret",
    age: 7.5,
    tags: ["a", "nope"],
    address: { city: "ulm" },
    extra: "hidden",
  };
  const faults = await validate(SIGNUP, data);
  expect(faults).toEqual([
    { path: "email", message: "is not a valid email" },
    { path: "password", message: "must hold at least 8 characters" },
    { path: "age", message: "must be of type integer" },
    { path: "age", message: "must be at least 18" },
    { path: "tags.1", message: "must be one of a, b" },
    { path: "address.city", message: "does not match the pattern ^[A-Z]" },
    { path: "extra", message: "is not allowed" },
  ]);
  expect(JSON.stringify(faults)).not.toMatch(/s3cret|not-an-address|hidden|nope|7\.5/);
});

test("missing fields are named, at any depth", async () => {
  expect(await validate(SIGNUP, { email: "a@b.co", address: {} })).toEqual([
    { path: "password", message: "is required" },
    { path: "address.city", message: "is required" },
  ]);
});

test("data of another type is one fault of the whole", async () => {
  expect(await validate(SIGNUP, "text")).toEqual([{ path: "", message: "must be of type object" }]);
  expect(await validate(SIGNUP, null)).toEqual([{ path: "", message: "must be of type object" }]);
});

test("alternatives are one fault, not one for each of them", async () => {
  const schema = { properties: { id: { anyOf: [{ type: "integer" }, { type: "string", minLength: 3 }] } } };
  expect(await validate(schema, { id: "x" })).toEqual([{ path: "id", message: "does not satisfy anyOf" }]);
});

test("faults are bounded in number and length", async () => {
  const data = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`${i}${"k".repeat(300)}`, i]));
  const faults = await validate({ additionalProperties: false }, data);
  expect(faults).toHaveLength(100);
  expect(Math.max(...faults.map((fault) => fault.path.length))).toBeLessThanOrEqual(201);
});

test("a name that is no Unicode is a fault, not a crash", async () => {
  expect(await validate({ additionalProperties: { type: "number" } }, { "\ud800": "x" })).toEqual([
    { path: "", message: "holds a name that is not valid Unicode" },
  ]);
});

test("a frozen schema can be used, and is left as it was", async () => {
  const schema = Object.freeze({ type: "object", properties: Object.freeze({ a: Object.freeze({ type: "string" }) }) });
  expect(await validate(schema, { a: 1 })).toEqual([{ path: "a", message: "must be of type string" }]);
});

test("names of properties that look like keywords are properties", async () => {
  const schema = { properties: { id: { type: "string" }, $ref: { type: "string" }, format: { type: "number" } } };
  expect(await validate(schema, { id: "1", $ref: 2, format: 3 })).toEqual([
    { path: "$ref", message: "must be of type string" },
  ]);
});

test("unknown keywords and formats are annotations", async () => {
  const schema = {
    type: "string",
    format: "password",
    example: { id: 5, $ref: "http://x" },
    "x-hint": "y",
    title: "T",
  };
  expect(await validate(schema, "anything")).toEqual([]);
  expect(await validate({ format: "__proto__" }, "anything")).toEqual([]);
});

describe("a schema is refused at the place of its fault", () => {
  test.each<[Json, string]>([
    [5, ""],
    [{ type: "text" }, "type"],
    [{ required: ["a", 1] }, "required"],
    [{ properties: [] }, "properties"],
    [{ properties: { a: "string" } }, "properties.a"],
    [{ items: [{ type: "string" }] }, "items"],
    [{ anyOf: [] }, "anyOf"],
    [{ enum: [] }, "enum"],
    [{ minLength: -1 }, "minLength"],
    [{ pattern: "(" }, "pattern"],
    [{ pattern: "x".repeat(1_001) }, "pattern"],
    [{ patternProperties: { "[": {} } }, "patternProperties.["],
    [{ $ref: "https://example.com/schema" }, "$ref"],
    [{ $ref: "#/$defs/gone" }, "$ref"],
    [{ $dynamicRef: "#x" }, "$dynamicRef"],
    [{ properties: { a: { $ref: "#/nowhere" } } }, "properties.a.$ref"],
  ])("%j", (schema, path) => {
    expect(readSchema(schema).faults.map((fault) => fault.path)).toContain(path);
  });
});

test("a schema that never ends on one value is refused, one that ends with the data is not", async () => {
  expect(readSchema({ allOf: [{ $ref: "#" }] }).faults).not.toEqual([]);
  expect(readSchema({ $defs: { a: { $ref: "#/$defs/b" }, b: { not: { $ref: "#/$defs/a" } } } }).faults).not.toEqual([]);
  const tree = { properties: { children: { items: { $ref: "#" } }, name: { type: "string" } } };
  expect(await validate(tree, { children: [{ children: [{ name: 5 }] }] })).toEqual([
    { path: "children.0.children.0.name", message: "must be of type string" },
  ]);
});

test("a schema that multiplies on one value is refused", () => {
  const $defs = Object.fromEntries(
    Array.from({ length: 30 }, (_, i) => [
      `d${i}`,
      { anyOf: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] },
    ]),
  );
  const { faults } = readSchema({ $ref: "#/$defs/d0", $defs: { ...$defs, d30: { type: "string" } } });
  expect(faults[0]?.message).toContain("more than 1000 schemas");
});

test("data that takes too much work is a fault of the whole", async () => {
  const schema = { items: { anyOf: Array.from({ length: 200 }, (_, i) => ({ const: i })) } };
  expect(await validate(schema, Array(40_000).fill(199))).toEqual([
    { path: "", message: "takes too much work to check against the schema: send less" },
  ]);
});

test("data of more than a hundred thousand values is checked", async () => {
  const schema = { type: "array", items: { type: "integer", minimum: 0 } };
  expect(await validate(schema, Array(130_000).fill(7))).toEqual([]);
});

test("a schema that is applied again finds what it found before", async () => {
  const schema = { type: "object", properties: { a: { type: "string", pattern: "^a+$" } } };
  expect(await validate(schema, { a: "b" })).toHaveLength(1);
  expect(await validate(schema, { a: "aa" })).toEqual([]);
  expect(await validate(schema, { a: "b" })).toHaveLength(1);
});

test("what is left over is told of properties that no part of the schema names", async () => {
  const schema = {
    allOf: [{ properties: { a: { type: "string" } } }],
    anyOf: [{ required: ["b"], properties: { b: true } }, true],
    unevaluatedProperties: false,
  };
  expect(await validate(schema, { a: 1, b: 2, c: 3 })).toEqual([
    { path: "a", message: "must be of type string" },
    { path: "c", message: "is not allowed" },
  ]);
});
