import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../../../../scripts/build.ts";
import type { Json } from "../../../../src/core/json.ts";
import { FUNCTIONS, MACROS } from "../../../../src/runtime/expressions/functions.ts";
import { loadExpressions } from "../../../../src/runtime/expressions/load-expressions.ts";
import { createRunWork } from "../../../../src/runtime/run-work.ts";
import { scopeOf } from "./support.ts";

const page = await readFile(join(ROOT, "docs/expressions.md"), "utf8");
const blocks = Array.from(page.matchAll(/^```(\w+)\n(.*?)^```$/gms), ([, language, text = ""]) => ({ language, text }));
const data = blocks.flatMap(({ language, text }) => (language === "json" ? [JSON.parse(text)] : [])).at(-1);
const examples = blocks
  .filter(({ language }) => language === "cel")
  .flatMap(({ text }) => text.trim().split("\n"))
  .map((line): [string, string] => {
    const [, expression = line, told = ""] = /^(.*?)\s+\/\/ (.*)$/.exec(line) ?? [];
    return [expression, told];
  });

test.each(examples)("%s gives what its page says", async (text, told) => {
  const compiled = (await loadExpressions()).compile(text);
  const result = compiled.ok
    ? compiled.value.evaluate(scopeOf(data as Record<string, Json>), createRunWork())
    : compiled;
  if (told.startsWith("! ")) expect(result).toEqual({ ok: false, error: expect.stringContaining(told.slice(2)) });
  else expect(result).toEqual({ ok: true, value: JSON.parse(told) });
});

test("the page has examples, and their input is the one that is shown", () => {
  expect(examples.length).toBeGreaterThan(40);
  expect(data).toHaveProperty("input.items");
});

test("the page lists everything that can be called, and nothing else", () => {
  const rows = page
    .slice(page.indexOf("## Everything"))
    .split("\n")
    .filter((line) => line.startsWith("| `"));
  const callable = [...MACROS, ...Object.values(FUNCTIONS)];
  expect(rows).toEqual(callable.map(({ form, does }) => `| \`${form}\` | ${does} |`));
});
