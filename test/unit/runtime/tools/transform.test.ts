import { expect, test } from "vitest";
import type { Json, JsonObject } from "../../../../src/core/json.ts";
import { err } from "../../../../src/core/result.ts";
import { loadExpressions } from "../../../../src/runtime/expressions/load-expressions.ts";
import { createRunWork } from "../../../../src/runtime/run-work.ts";
import type { StepContext } from "../../../../src/runtime/tool.ts";
import { transformTool } from "../../../../src/runtime/tools/transform.ts";
import { runTool, testContext } from "../../../support/runtime/step-context.ts";

const expressions = await loadExpressions();

function transform(config: JsonObject, outputs: Readonly<Record<string, Json>> = {}) {
  const scope = new Map(Object.entries(outputs));
  const evaluate: StepContext["evaluate"] = (path) => {
    const text = path.split(".").reduce<Json | undefined>((at, key) => (at as JsonObject)[key], config);
    const compiled = expressions.compile(String(text));
    return compiled.ok ? compiled.value.evaluate(scope, createRunWork()) : err(compiled.error);
  };
  return runTool(transformTool, config, testContext({ scope, evaluate }));
}

function faultsOf(config: JsonObject) {
  const bound = transformTool.bind(config);
  return [...transformTool.check(config), ...(bound.ok ? [] : bound.error)].map(({ path }) => path);
}

test("gives the value of its expression", async () => {
  const result = await transform(
    { expression: "find.items.map(i, i.price).sum()" },
    { find: { items: [{ price: 2 }] } },
  );
  expect(result).toEqual({ kind: "output", value: 2 });
});

test("gives an object of values in the order of its fields", async () => {
  const fields = { total: "input.n * 2", name: "input.name", both: "[1, null]" };
  const result = await transform({ fields }, { input: { n: 4, name: "Ann" } });
  if (result.kind !== "output") throw new Error(result.kind);
  expect(JSON.stringify(result.value)).toBe('{"total":8,"name":"Ann","both":[1,null]}');
});

test("says which field failed, and nothing of the data", async () => {
  const result = await transform({ fields: { a: "1", b: "int(input.name)" } }, { input: { name: "hunter2" } });
  expect(result).toEqual({ kind: "fail", message: "fields.b: int() takes a text of digits, at 1:1" });
  expect(await transform({ expression: "input.zip" }, { input: {} })).toEqual({
    kind: "fail",
    message: "expression: input.zip is missing, at 1:1",
  });
});

test("takes exactly one of both", () => {
  expect(faultsOf({ expression: "1" })).toEqual([]);
  expect(faultsOf({ fields: { a: "1" } })).toEqual([]);
  expect(faultsOf({})).toEqual(["expression"]);
  expect(faultsOf({ expression: "1", fields: { a: "1" } })).toEqual(["fields"]);
});

test("refuses names and numbers of fields that no path could hold", () => {
  for (const name of ["constructor", "a.b", "a b", ""]) expect(faultsOf({ fields: { [name]: "1" } })).not.toEqual([]);
  expect(faultsOf({ fields: JSON.parse('{"__proto__": "1"}') as JsonObject })).not.toEqual([]);
  expect(faultsOf({ fields: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`f${i}`, "1"])) })).not.toEqual(
    [],
  );
  expect(faultsOf({ fields: {} })).not.toEqual([]);
  expect(faultsOf({ expression: " " })).not.toEqual([]);
  expect(faultsOf({ expression: "1".repeat(2_001) })).not.toEqual([]);
  expect(faultsOf({ expression: "1", other: 1 })).toEqual(["other"]);
});
