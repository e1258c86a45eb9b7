import fc from "fast-check";
import { expect, test } from "vitest";
import type { FieldError } from "../../../../src/core/errors.ts";
import type { Json } from "../../../../src/core/json.ts";
import { readSchema } from "../../../../src/runtime/json-schema/json-schema.ts";
import { INPUT_FAULTS_MAX } from "../../../../src/runtime/limits.ts";
import { faultsByLibrary } from "./library.ts";
import { evaluate } from "./support.ts";

const RUNS = 3_000;
const KEYS = ["a", "b", "c", "a/b", "é~"];

const plain = fc.constantFrom<Json>(
  0,
  -0,
  1,
  -1,
  1.5,
  0.1,
  0.3,
  1e21,
  5e-324,
  true,
  false,
  null,
  "",
  "a",
  "b",
  "aa",
  "😀",
  "2024-02-29",
);
const { data } = fc.letrec<{ data: Json }>((tie) => ({
  data: fc.oneof(
    { maxDepth: 3 },
    { weight: 4, arbitrary: plain },
    { weight: 2, arbitrary: fc.array(tie("data"), { maxLength: 4 }) },
    { weight: 3, arbitrary: fc.dictionary(fc.constantFrom(...KEYS), tie("data"), { maxKeys: 4 }) },
  ),
}));

const small = fc.nat({ max: 3 });
const types = fc.constantFrom("array", "boolean", "integer", "null", "number", "object", "string");
const names = fc.uniqueArray(fc.constantFrom(...KEYS), { maxLength: 3 });
const patterns = fc.constantFrom("^a", "b$", "^[a-c]{1,2}$", "^\\p{L}*$", "", "/", "^.$", "(?!a)");

type Keyword = readonly [keyword: string, value: fc.Arbitrary<Json>];

function ofValues(values: fc.Arbitrary<Json>): readonly Keyword[] {
  const ofSizes = ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minContains"];
  const ofNumbers = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "maxContains"];
  return [
    ...[...ofSizes, ...ofNumbers].map((keyword) => [keyword, small] as const),
    ["uniqueItems", fc.boolean()],
    ["pattern", patterns],
    ["required", names],
    ["type", fc.oneof(types, fc.uniqueArray(types, { minLength: 1, maxLength: 3 }))],
    ["const", data],
    ["enum", values],
    ["multipleOf", fc.constantFrom(1, 2, 0.1, 1.5, 1e-7)],
    ["format", fc.constantFrom("date", "email", "none")],
    ["dependentRequired", fc.dictionary(fc.constantFrom(...KEYS), names, { maxKeys: 2 })],
    ["$ref", fc.constantFrom("#/$defs/a", "#/$defs/b")],
  ];
}

function ofSchemas(node: fc.Arbitrary<Json>, nodes: fc.Arbitrary<Json>, map: fc.Arbitrary<Json>): readonly Keyword[] {
  const one = ["not", "if", "then", "else", "items", "contains", "additionalProperties", "propertyNames"];
  return [
    ...one.map((keyword) => [keyword, node] as const),
    ...["anyOf", "allOf", "oneOf", "prefixItems"].map((keyword) => [keyword, nodes] as const),
    ...["properties", "dependentSchemas"].map((keyword) => [keyword, map] as const),
    ["patternProperties", fc.dictionary(patterns, node, { maxKeys: 2 })],
  ];
}

const { schema } = fc.letrec<{ schema: Json; node: Json; nodes: Json; map: Json; values: Json }>((tie) => {
  const node = tie("node");
  const keywords = [...ofValues(tie("values")), ...ofSchemas(node, tie("nodes"), tie("map"))];
  const one = fc.oneof(...keywords.map(([keyword, value]) => value.map((each) => [keyword, each] as const)));
  return {
    node: fc.oneof(
      { maxDepth: 4 },
      fc.boolean(),
      fc.array(one, { maxLength: 4 }).map((parts) => Object.fromEntries(parts)),
    ),
    nodes: fc.array(node, { minLength: 1, maxLength: 3 }),
    map: fc.dictionary(fc.constantFrom(...KEYS), node, { maxKeys: 3 }),
    values: fc.array(data, { minLength: 1, maxLength: 3 }),
    schema: fc
      .tuple(fc.array(one, { minLength: 1, maxLength: 5 }), node, node)
      .map(([root, a, b]) => ({ ...Object.fromEntries(root), $defs: { a, b } })),
  };
});

/** What is forbidden altogether the library tells even of attempts, of which one would have been enough. */
function comparable(faults: readonly FieldError[]): readonly FieldError[] {
  return faults.filter(({ message }) => message !== "is not allowed");
}

test("a library finds the same faults at the same places, in the same words", () => {
  const seen = { refused: 0, wrong: 0, right: 0 };
  fc.assert(
    fc.property(schema, data, (given, value) => {
      if (readSchema(given).faults.length > 0) {
        seen.refused += 1;
        return;
      }
      const { faults } = evaluate(given, value);
      const expected = faultsByLibrary(given, value);
      seen[faults.length > 0 ? "wrong" : "right"] += 1;
      expect(faults.length > 0).toBe(expected.length > 0);
      expect(faults.length).toBeLessThan(INPUT_FAULTS_MAX);
      expect(comparable(faults)).toEqual(comparable(expected));
    }),
    { numRuns: RUNS },
  );
  expect(seen.wrong).toBeGreaterThan(RUNS / 10);
  expect(seen.right).toBeGreaterThan(RUNS / 10);
});
