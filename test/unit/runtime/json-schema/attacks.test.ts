import { expect, test } from "vitest";
import { JSON_MAX_DEPTH } from "../../../../src/config/limits.ts";
import type { Json, JsonObject } from "../../../../src/core/json.ts";
import { readSchema } from "../../../../src/runtime/json-schema/json-schema.ts";
import { SCHEMA_MAX_NODES, SCHEMA_MAX_WORK } from "../../../../src/runtime/json-schema/limits.ts";
import { INPUT_FAULTS_MAX, VALUE_MAX_DEPTH } from "../../../../src/runtime/limits.ts";
import { evaluate, nest, times } from "./support.ts";

const TOO_MUCH = /too much work/;
/** One pass finds out whether there are faults, the other tells them; each may end with one step too many. */
const MOST_WORK = 2 * SCHEMA_MAX_WORK + 100_000;
/** As many characters as a body has by default. */
const LONG = 262_144;

const twice = (ref: string): JsonObject => ({
  allOf: [{ properties: { a: { $ref: ref } } }, { properties: { a: { $ref: ref } } }],
});
const chain = (
  length: number,
  link: (ref: string) => JsonObject,
  last: JsonObject = { type: "object" },
): JsonObject => ({
  $ref: "#/$defs/d0",
  $defs: {
    ...Object.fromEntries(times(length, (i) => [`d${i}`, link(`#/$defs/d${i + 1}`)])),
    [`d${length}`]: last,
  },
});
const lists = (depth: number, value: Json): Json => times(depth, (i) => i).reduce<Json>((inner) => [inner], value);
const shared = (depth: number): Json => times(depth, (i) => i).reduce<Json>((inner) => [inner, inner], ["x"]);

/** What comes of it: right data, a fault that says why, or a refusal; and the work that it may take at most. */
type Attack = readonly [name: string, schema: Json, data: Json, outcome: RegExp | "valid", most: number];

const OTHERS: readonly Attack[] = [
  ["a pattern of repeats", { pattern: "^(a+)+$" }, `${"a".repeat(60)}!`, /pattern/, 1_000],
  ["the same over a long text", { pattern: "^(a+)+$" }, `${"a".repeat(LONG)}!`, /pattern/, MOST_WORK],
  ["repeats with alternatives", { pattern: "^(a|a|aa)*$" }, `${"a".repeat(LONG)}!`, /pattern|work/, MOST_WORK],
  ["stars in a row", { pattern: ".*.*.*.*.*.*=.*" }, "x".repeat(LONG), /pattern|work/, MOST_WORK],
  ["counted repeats in repeats", { pattern: "^(?:a{0,30}){0,70}$" }, "a".repeat(LONG), TOO_MUCH, MOST_WORK],
  ["look-ahead upon look-ahead", { pattern: "(?=.*a)".repeat(140) }, "b".repeat(LONG), TOO_MUCH, MOST_WORK],
  [
    "look-ahead in look-ahead",
    { pattern: `${"(?=.*".repeat(90)}a${")".repeat(90)}` },
    "b".repeat(LONG),
    TOO_MUCH,
    MOST_WORK,
  ],
  ["classes of the platform", { pattern: "^[\\p{L}\\p{N}\\p{S}]+$" }, "\u0378".repeat(LONG), /pattern/, MOST_WORK],
  [
    "a pattern for each of many names",
    { patternProperties: { "^(?:x+x+)+$": {} } },
    Object.fromEntries(times(20_000, (i) => [`${"x".repeat(40)}${i}`, i])),
    TOO_MUCH,
    MOST_WORK,
  ],
  ["a pattern as data", { format: "regex" }, "(".repeat(50_000), /valid regex/, MOST_WORK],
  ["a long pattern as data", { format: "regex" }, "(?:a|[b-c])*".repeat(5_000), "valid", MOST_WORK],
  ["a pattern without end as data", { format: "regex" }, "(?:a|[b-c])*".repeat(20_000), TOO_MUCH, 10_000_000],
];

const SCHEMAS: readonly Attack[] = [
  ["itself twice on the way down", twice("#"), nest(JSON_MAX_DEPTH - 1, {}), "valid", 5_000],
  ["itself twice, with a fault", { type: "object", ...twice("#") }, nest(VALUE_MAX_DEPTH, 5), /type object/, 20_000],
  ["definitions twice on the way down", chain(60, twice), nest(60, {}), "valid", 5_000],
  ["the same with a fault", chain(60, twice), nest(60, 5), /type object/, 10_000],
  [
    "itself twice, with what is left over",
    { ...twice("#"), unevaluatedProperties: false },
    nest(JSON_MAX_DEPTH, { b: 1 }),
    /not allowed/,
    30_000,
  ],
  [
    "itself in each of many alternatives",
    { anyOf: times(30, () => ({ type: "array", items: { $ref: "#" } })) },
    lists(VALUE_MAX_DEPTH, 1),
    /anyOf/,
    100_000,
  ],
  [
    "itself under not under not",
    { not: { not: { properties: { a: { $ref: "#" } }, additionalProperties: { $ref: "#" } } } },
    nest(JSON_MAX_DEPTH, {}),
    "valid",
    10_000,
  ],
  [
    "a long way of references at every level",
    chain(900, (ref) => ({ $ref: ref }), { items: { $ref: "#/$defs/d0" } }),
    lists(VALUE_MAX_DEPTH, 1),
    TOO_MUCH,
    MOST_WORK,
  ],
  [
    "alternatives for each item",
    { items: { anyOf: times(200, (i) => ({ const: i })) } },
    times(40_000, () => 199),
    TOO_MUCH,
    MOST_WORK,
  ],
  [
    "names for each item",
    { items: { required: times(5_000, String) } },
    times(5_000, () => ({})),
    /required/,
    MOST_WORK,
  ],
  ["parts of a value that has no end", { items: { $ref: "#" } }, shared(40), TOO_MUCH, MOST_WORK],
];

const VALUES: readonly Attack[] = [
  [
    "objects that are all different",
    { uniqueItems: true },
    times(20_000, (i) => ({ a: i, b: "x" })),
    "valid",
    MOST_WORK,
  ],
  [
    "unique lists of unique lists",
    { uniqueItems: true, items: { $ref: "#" } },
    lists(
      60,
      times(20_000, (i) => i),
    ),
    /type|work|twice/,
    MOST_WORK,
  ],
  [
    "a value that holds itself twice",
    { items: { uniqueItems: true } },
    [[shared(40), shared(41)]],
    TOO_MUCH,
    MOST_WORK,
  ],
  ["the same against a list of values", { enum: [[1], { a: 1 }] }, shared(40), /one of/, 1_000],
  [
    "an enum of objects",
    { items: { enum: times(2_000, (i) => ({ i })) } },
    times(40_000, () => ({ i: 1 })),
    "valid",
    MOST_WORK,
  ],
  ["wrong items without end", { items: { type: "string" } }, times(70_000, (i) => i), /type string/, 500_000],
  [
    "names without end",
    { additionalProperties: false },
    Object.fromEntries(times(40_000, (i) => [`k${i}`, i])),
    /not allowed/,
    500_000,
  ],
  [
    "huge numbers and tiny steps",
    { items: { multipleOf: 5e-324 } },
    times(40_000, (i) => 1.7e308 - i * 1e300),
    TOO_MUCH,
    MOST_WORK,
  ],
  ["lists as deep as they get", { items: { $ref: "#" }, maxItems: 1 }, lists(VALUE_MAX_DEPTH, 1), "valid", 10_000],
];

test.each([...OTHERS, ...SCHEMAS, ...VALUES])("%s: bounded", (_name, schema, data, outcome, most) => {
  const { faults, work } = evaluate(schema, data);
  if (outcome === "valid") expect(faults).toEqual([]);
  else expect(faults[0]?.message).toMatch(outcome);
  expect(faults.length).toBeLessThanOrEqual(INPUT_FAULTS_MAX);
  expect(work).toBeLessThanOrEqual(most);
});

test("work grows with the depth of the data, not with its power", () => {
  const workAt = (depth: number) => evaluate(twice("#"), nest(depth, {})).work;
  expect(workAt(60) / workAt(30)).toBeLessThan(2.2);
});

test("work grows with the items that are to be unique, not with their square", () => {
  const workOf = (count: number) =>
    evaluate(
      { uniqueItems: true },
      times(count, (i) => ({ i: i + 10_000 })),
    ).work;
  expect(workOf(8_000) / workOf(4_000)).toBeLessThan(2.2);
});

test.each<[string, Json, RegExp]>([
  ["references that come back to themselves", { $defs: { a: { $ref: "#/$defs/a" } } }, /itself/],
  ["references in place without end", chain(4_000, (ref) => ({ $ref: ref })), /more than 1000/],
  [
    "schemas without end",
    { properties: Object.fromEntries(times(SCHEMA_MAX_NODES, (i) => [`p${i}`, {}])) },
    /at most 10000/,
  ],
  [
    "patterns without end",
    { patternProperties: Object.fromEntries(times(100, (i) => [`^.{0,400}${i}$`, {}])) },
    /patterns/,
  ],
  ["a pattern that is too large", { pattern: "^(?:(?:a{0,100}){0,100}){0,10}$" }, /too large/],
  ["a pattern that refers back", { pattern: "^(a)\\1$" }, /back-references/],
])("refused when written: %s", (_name, schema, message) => {
  expect(readSchema(schema).faults[0]?.message).toMatch(message);
});

test("a refusal lists no more faults than anybody reads", () => {
  const { faults } = readSchema({ properties: Object.fromEntries(times(5_000, (i) => [`p${i}`, { type: "x" }])) });
  expect(faults).toHaveLength(INPUT_FAULTS_MAX);
});
