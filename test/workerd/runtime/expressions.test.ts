import { expect, test } from "vitest";
import { loadExpressions } from "../../../src/runtime/expressions/load-expressions.ts";
import { createRunWork } from "../../../src/runtime/run-work.ts";

test("expressions compile and run where there is no eval", async () => {
  // biome-ignore lint/security/noGlobalEval: shows that this runtime has none
  expect(() => globalThis.eval("1")).toThrow();
  const expressions = await loadExpressions();
  const compiled = expressions.compile(
    "input.items.filter(i, i.name.matches('^[a-z]+$')).map(i, i.price * 2).sum() + size(b'ab') + timestamp(0).getDate()",
  );
  if (!compiled.ok) throw new Error(compiled.error);
  const items = [
    { name: "ab", price: 1.5 },
    { name: "1", price: 9 },
  ];
  expect(compiled.value.evaluate(new Map([["input", { items }]]), createRunWork())).toEqual({ ok: true, value: 6 });
});

test("work without end is ended", async () => {
  const expressions = await loadExpressions();
  const compiled = expressions.compile("input.all(a, input.all(b, input.all(c, c.missing || true)))");
  if (!compiled.ok) throw new Error(compiled.error);
  const input = Array.from({ length: 10_000 }, (_, i) => i);
  expect(compiled.value.evaluate(new Map([["input", input]]), createRunWork())).toEqual({
    ok: false,
    error: expect.stringContaining("too much work"),
  });
});
