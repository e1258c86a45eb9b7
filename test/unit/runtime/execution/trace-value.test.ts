import { expect, test } from "vitest";
import type { Json } from "../../../../src/core/json.ts";
import { createSecretMask } from "../../../../src/runtime/execution/secret-mask.ts";
import { keepBeginning, traceValue } from "../../../../src/runtime/execution/trace-value.ts";
import { startCpuTimer } from "../../../support/cpu-time.ts";

const UNMASKED = { mask: null, credentials: [] };

function bytes(value: Json): number {
  return new TextEncoder().encode(String(value)).length;
}

test("a small value is shown as it is, without what looks like a secret", () => {
  const value = { a: [1, null, "x"], password: "p", deep: { apiKey: 5 }, text: "Bearer abc.def" };
  expect(traceValue(value, UNMASKED)).toEqual({
    a: [1, null, "x"],
    password: "[masked]",
    deep: { apiKey: "[masked]" },
    text: "[masked]",
  });
  expect(traceValue(null, UNMASKED)).toBeNull();
});

test("a large value is the beginning of its JSON, as a text that says so", () => {
  const shown = traceValue({ name: "Ada", rows: Array.from({ length: 5_000 }, (_, i) => ({ i })) }, UNMASKED);
  expect(shown).toMatch(/^\{"name":"Ada","rows":\[\{"i":0\},\{"i":1\},.*…$/);
  expect(bytes(shown)).toBeLessThanOrEqual(4_096);
  expect(bytes(shown)).toBeGreaterThan(3_000);
});

test.each<[string, Json]>([
  ["one long text", "x".repeat(1_000_000)],
  ["characters of many bytes", "🦉".repeat(5_000)],
  ["a text in a text", { a: `"${"\\".repeat(9_000)}` }],
  ["many names", Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`n${i}`, i]))],
  ["a long name", { ["n".repeat(100_000)]: 1 }],
  ["a value that shares its parts", sharing(40)],
  ["a deep value", nested(3_000)],
  ["a value that grows by its masks", Array.from({ length: 200 }, () => ({ token: 1 }))],
])("%s is cut without being written out", (_what, value) => {
  const cpuMs = startCpuTimer();
  const shown = traceValue(value, UNMASKED);
  expect(cpuMs()).toBeLessThan(250);
  expect(bytes(shown)).toBeLessThanOrEqual(4_096);
  expect(String(shown).endsWith("…")).toBe(true);
  expect(String(shown).isWellFormed()).toBe(true);
});

test("a secret that the cut goes through does not show its beginning", () => {
  const secret = `s3cret${"z".repeat(300)}`;
  const unshown = { mask: createSecretMask([secret]), credentials: [] };
  for (let before = 3_700; before < 4_300; before += 7) {
    const shown = String(traceValue(`${"x".repeat(before)}${secret}${"y".repeat(5_000)}`, unshown));
    expect(shown).not.toContain("s3c");
    expect(String(traceValue({ a: "x".repeat(before), b: secret, c: "y".repeat(5_000) }, unshown))).not.toContain(
      "s3c",
    );
  }
});

function sharing(levels: number): Json {
  let value: Json = "x";
  for (let i = 0; i < levels; i++) value = [value, value];
  return value;
}

function nested(levels: number): Json {
  let value: Json = 1;
  for (let i = 0; i < levels; i++) value = [value];
  return value;
}

test("a credential of this Worker is masked, and the cut shows nothing of its beginning", () => {
  const credential = `admin.${"z".repeat(300)}`;
  const unshown = { mask: null, credentials: [credential] };
  expect(traceValue({ said: `the key is ${credential}` }, unshown)).toEqual({ said: "the key is [masked]" });
  for (let before = 3_700; before < 4_300; before += 7) {
    const shown = String(traceValue(`${"x".repeat(before)}${credential}${"y".repeat(5_000)}`, unshown));
    expect(shown).not.toContain("admin");
  }
});

test.each([false, true])(
  "keys and credentials are masked as names of properties, in a large value too: %s",
  (isLarge) => {
    const key = `orx_0f_${"a".repeat(43)}`;
    const unshown = { mask: null, credentials: ["0perator-door"] };
    const rest = isLarge ? { rest: "x".repeat(10_000) } : {};
    const shown = traceValue({ [key]: 1, "my 0perator-door": [{ [key]: 2 }], ...rest }, unshown);
    const written = typeof shown === "string" ? shown : JSON.stringify(shown);
    expect(written).toMatch(/^\{"\[masked\]":1,"my \[masked\]":\[\{"\[masked\]":2\}\]/);
    expect(written).not.toMatch(/aaaa|door/);
  },
);

test("of what was kept of a large value the same is shown as of the whole", () => {
  const values: readonly Json[] = [
    { schema: { type: "number" }, data: "x🦉".repeat(100_000) },
    { a: "x".repeat(32_000), b: "y".repeat(32_000), c: "z" },
    { rows: Array.from({ length: 50_000 }, (_, i) => ({ i, password: `p${i}` })), last: "x" },
    { said: "the key is s3cret-key, ".repeat(10_000) },
  ];
  const unshown = { mask: createSecretMask(["s3cret-key"]), credentials: [] };
  for (const value of values) {
    expect(traceValue(keepBeginning(value, 32_768), unshown, 32_768)).toBe(traceValue(value, unshown));
  }
});

test("a secret that ends beyond what was kept does not show its beginning", () => {
  for (const length of [300, 5_000, 20_000, 40_000]) {
    const secret = `s3cret${"z".repeat(length)}`;
    const unshown = { mask: createSecretMask([secret]), credentials: [] };
    for (const before of [0, 10, 4_000, 12_000, 27_000, 32_700, 32_760]) {
      const value = { said: `${"x".repeat(before)}${secret.repeat(1 + Math.ceil(50_000 / length))}` };
      const shown = String(traceValue(keepBeginning(value, 32_768), unshown, 32_768));
      expect(shown).not.toContain("s3c");
      expect(shown).not.toContain("zz");
    }
  }
});
