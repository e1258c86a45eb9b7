import { expect, test } from "vitest";
import type { JsonObject } from "../../../src/core/json.ts";
import { compactSchema } from "../../../src/mcp/compact-schema.ts";

test.each<[string, JsonObject]>([
  ["any", {}],
  ["object", { type: "object" }],
  ["{}", { type: "object", properties: {} }],
  ["{a: string, b?: 1..9 = 3}", objectOf({ a: { type: "string" }, b: { ...integer(1, 9), default: 3 } })],
  ["{a: string | number}", objectOf({ a: { type: ["string", "number"] } })],
  ['{a: "x" | 1 | null}', objectOf({ a: { enum: ["x", 1, null] } })],
  [
    "{a: (string | integer)[]}",
    objectOf({ a: { type: "array", items: { anyOf: [type("string"), type("integer")] } } }),
  ],
  ["{a: {[name]: boolean}}", objectOf({ a: { type: "object", additionalProperties: type("boolean") } })],
  ["{a: any}", { $ref: "#/$defs/A", $defs: { A: objectOf({ a: {} }) } }],
  ["any", { $ref: "#/$defs/gone" }],
])("%s", (written, schema) => {
  expect(compactSchema(schema)).toBe(written);
});

function objectOf(properties: JsonObject): JsonObject {
  return { type: "object", properties, required: ["a"] };
}

function type(name: string): JsonObject {
  return { type: name };
}

function integer(minimum: number, maximum: number): JsonObject {
  return { type: "integer", minimum, maximum };
}
