import { expect, test } from "vitest";
import { canonicalJson, parseUntrustedJson, withoutUndefined } from "../../../src/core/json.ts";

const MAX_DEPTH = 64;
const parse = (text: string) => parseUntrustedJson(text, MAX_DEPTH);

test("ordinary JSON comes back as it was", () => {
  const value = { a: [1, "x", null, { b: true }], 'quoted " ] }': "\\" };
  expect(parse(JSON.stringify(value))).toEqual({ ok: true, value });
});

test("nesting is allowed up to the bound and not beyond", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  expect(parse(nested(MAX_DEPTH)).ok).toBe(true);
  expect(parse(nested(MAX_DEPTH + 1))).toEqual({ ok: false, fault: "too_deep" });
});

test("ten thousand levels are refused without being parsed", () => {
  expect(parse("[".repeat(10_000))).toEqual({ ok: false, fault: "too_deep" });
});

test("brackets inside strings do not count as nesting", () => {
  expect(parse(JSON.stringify({ a: "[".repeat(1_000), b: '\\"[[[[' })).ok).toBe(true);
});

test("malformed and cut-off texts are refused", () => {
  for (const text of ["", "{", '{"a":', "nul", '"', '"\\', "[1,]"]) {
    expect(parse(text)).toEqual({ ok: false, fault: "malformed" });
  }
});

test("a key __proto__ is refused, escaped or not, at any depth", () => {
  for (const text of [
    '{"__proto__":1}',
    '{"a":[{"__proto__":{}}]}',
    '{"\\u005f_proto__":1}',
    '{"__prot\\u006f__":1}',
  ]) {
    expect(parse(text)).toEqual({ ok: false, fault: "prototype_key" });
  }
});

test("__proto__ as a value is only text", () => {
  expect(parse('{"a":"__proto__"}')).toEqual({ ok: true, value: { a: "__proto__" } });
});

test("a number that no double holds is refused, however it is written and wherever it stands", () => {
  for (const number of ["1e400", "-1E+309", "1e0000400", "0.001e312", "9".repeat(310), `1${"0".repeat(308)}e1`]) {
    for (const text of [number, `[${number}]`, `{"a":{"b":[1,"x",null,${number}]}}`, `[0.5,${number},1]`]) {
      expect(parse(text), text).toEqual({ ok: false, fault: "infinite_number" });
    }
  }
});

test("the largest, the smallest and such texts are fine", () => {
  for (const value of [Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, 1e-300, "1e400", "9".repeat(400)]) {
    expect(parse(JSON.stringify([value]))).toEqual({ ok: true, value: [value] });
  }
  expect(parse("1e-400")).toEqual({ ok: true, value: 0 });
  expect(parse('{"1e400":1}')).toEqual({ ok: true, value: { "1e400": 1 } });
});

test("canonical JSON does not depend on the order of keys, at any depth", () => {
  expect(canonicalJson({ b: 1, a: { d: [2, 1], c: null } })).toBe(canonicalJson({ a: { c: null, d: [2, 1] }, b: 1 }));
  expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
});

test("undefined properties are left out and null ones stay", () => {
  expect(withoutUndefined({ a: undefined, b: null, c: 0 })).toEqual({ b: null, c: 0 });
});
