import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Json } from "../../../../src/core/json.ts";
import { evaluate } from "./support.ts";

interface Group {
  readonly file: string;
  readonly description: string;
  readonly schema: Json;
  readonly tests: readonly { readonly description: string; readonly data: Json; readonly valid: boolean }[];
}

const SUITE = new URL("../../../fixtures/json-schema-test-suite/draft2020-12.jsonl", import.meta.url).pathname;
const groups = readFileSync(SUITE, "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as Group);
const files = [...new Set(groups.map(({ file }) => file))];

test.each(files)("the JSON Schema Test Suite agrees on %s", (file) => {
  const cases = groups
    .filter((group) => group.file === file)
    .flatMap(({ description, schema, tests }) => tests.map((each) => ({ ...each, schema, group: description })));
  const found = cases.map((each) => ({ ...each, valid: evaluate(each.schema, each.data).faults.length === 0 }));
  expect(found).toEqual(cases);
});

test("whatever is not valid has a fault that says why", () => {
  const messages = groups.flatMap(({ schema, tests }) =>
    tests.flatMap(({ data }) => evaluate(schema, data).faults.map(({ message }) => message)),
  );
  expect(messages.length).toBeGreaterThan(500);
  expect(messages).not.toContain("does not satisfy the schema");
});
