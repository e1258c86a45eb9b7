import { afterAll, expect, test } from "vitest";
import type { Json } from "../../../../src/core/json.ts";
import { loadExpressions } from "../../../../src/runtime/expressions/load-expressions.ts";
import { createRunWork } from "../../../../src/runtime/run-work.ts";
import { startCpuTimer } from "../../../support/cpu-time.ts";
import { evaluated, faultOf, scopeOf } from "./support.ts";

const MIB = 1_048_576;
/** Far above the 25 to 60 ms that the budget means, for machines that are slow or busy. */
const SLOWEST_MS = 500;

const many = Array.from({ length: 10_000 }, (_, i) => i);
const outputs: Readonly<Record<string, Json>> = {
  input: {
    many,
    same: many.map(() => 1),
    texts: many.map((i) => `${"x".repeat(90)}${i}`),
    text: "a".repeat(MIB / 2),
    half: `${"a".repeat(MIB / 4)}b`,
    middle: `${"a".repeat(500)}b${"a".repeat(500)}`,
    ab: "abbabaabbaababba".repeat(4_096),
    deep: JSON.parse(`${"[".repeat(60)}${"]".repeat(60)}`) as Json,
    deepText: "[".repeat(MIB / 8),
    wide: Object.fromEntries(many.map((i) => [`k${i}`, i])),
    key: "constructor",
    own: JSON.parse('{"constructor": 1, "prototype": 2}') as Json,
  },
  request: { method: "GET" },
};

function bindChain(start: string, step: (name: string) => string, length: number): string {
  let text = `v${length}`;
  for (let i = length; i > 0; i--) text = `cel.bind(v${i}, ${step(`v${i - 1}`)}, ${text})`;
  return `cel.bind(v0, ${start}, ${text})`;
}

const double = (name: string) => `${name} + ${name} + ${name} + ${name}`;
const fold = (name: string) => `[${name}, ${name}, ${name}, ${name}]`;
const nested = (depth: number, body: string) =>
  Array.from({ length: depth }, (_, i) => i).reduceRight((inner, i) => `input.many.map(x${i}, ${inner})`, body);

const reported: { attack: string; refused: string; ms: number; how: string }[] = [];

afterAll(() => console.table(reported));

test.each<[string, string, RegExp]>([
  ["prototype of a map", "input.__proto__", /never readable/],
  ["prototype by bracket", "input['__proto__']", /never readable/],
  ["prototype by data", "input[input.key]", /never readable/],
  ["prototype by built key", "input['__pro' + 'to__']", /never readable/],
  ["an own constructor", "input.own.constructor", /never readable/],
  ["a host object", "request.constructor", /never readable/],
  ["a host function", "request.constructor('return 1')()", /unexpected character/],
  ["a list's length", "input.many.length", /is missing/],
  ["a text's method", "input.text.replaceAll('a', 'b')", /no function/],
  ["a text's own property", "'abc'.length", /has no fields/],
  ["a function by its inherited name", "toString(input)", /no function/],
  ["a function called constructor", "constructor(input)", /no function/],
  ["the name __proto__", "__proto__", /Reserved/],
  ["the name constructor", "constructor", /never readable/],
  ["__proto__ as a key", "{'__proto__': {'x': 1}}", /never one of a map/],
  ["__proto__ as a computed key", "{'__pro' + 'to__': {'x': 1}}", /never one of a map/],
  ["constructor out of data as a key", "{input.key: 1}", /never one of a map/],
  ["a key twice", "{'a': 1, 'a': 2}", /twice/],
  ["a computed key twice", "{'a' + '': 1, 'a': 2}", /same key/],
  ["secrets", "secrets.TOKEN", /no secrets/],
  ["secrets as a step", "steps['secrets'].TOKEN", /no secrets/],
  ["globals", "globalThis.fetch", /no value/],
  ["an unknown function", "fetch('http://127.0.0.1')", /no function/],
  ["a step that is computed", "steps[input.key]", /not computed/],
  ["loops in loops in loops", nested(4, "x0 + x1 + x2 + x3"), /too much work/],
  ["loops that fail inside exists", "input.many.exists(a, input.many.exists(b, b.zip))", /too much work/],
  ["loops that fail inside ||", "input.many.all(a, input.many.all(b, a.zip || b.zip || true))", /too much work/],
  ["filter over filter", "input.many.filter(a, input.many.exists_one(b, a == b))", /too much work/],
  ["doubling a text", bindChain("'ab'", double, 12), /text of more than/],
  ["doubling a text by map", `[input.text]${".map(a, a + a)".repeat(20)}`, /text of more than|too much work/],
  ["doubling a list", bindChain("[1]", double, 12), /too much work/],
  ["doubling a list by map", `[input.many]${".map(a, a + a)".repeat(20)}`, /too much work/],
  ["doubling bytes", bindChain("b'ab'", double, 12), /text of more than/],
  ["a value that holds itself twice, again and again", bindChain("['a']", fold, 12), /larger than|deeper/],
  [
    "comparing two of these",
    `${bindChain("[['a']]", fold, 11).replace(/v11\)/, "v11 == v11.map(x, x))")}`,
    /too much work/,
  ],
  ["joining a large text often", "input.many.map(x, input.text).join(input.text)", /text of more than/],
  ["replacing by a larger text", "input.text.replace('a', 'aaaaaaaa')", /too much work|text of more than/],
  ["searching a large text in a large text", "input.text.contains(input.half)", /too much work/],
  [
    "searching from the end",
    "input.text.lastIndexOf(input.middle) > 0 || input.text.contains(input.middle)",
    /too much work/,
  ],
  ["splitting at a large text", "input.text.split(input.half)", /too much work/],
  ["splitting into characters", "input.text.split('')", /too much work/],
  ["reading a large text often", "input.many.exists(x, input.text.contains('b'))", /too much work/],
  ["comparing large texts often", "input.many.exists(x, input.text + 'a' == input.text + 'b')", /too much work/],
  ["looking for every item in a list", "input.texts.all(t, t in input.texts)", /too much work/],
  ["distinct of lists", "input.many.map(x, [x]).distinct()", /too much work/],
  ["sorting again and again", "input.many.map(x, input.many.sort())", /too much work/],
  ["keys of a wide map, often", "input.many.map(x, input.wide.keys().size())", /too much work/],
  [
    "times in a loop",
    "input.many.map(x, input.many.map(y, timestamp('2024-01-01T00:00:00Z').getDayOfYear()))",
    /too much work/,
  ],
  ["encoding a large text for a URL", "input.many.map(x, url.encode(input.text + 'ü'))", /too much work|text of more/],
  ["encoding what was encoded", bindChain("'%'", (v) => `url.encode(${double(v)})`, 9), /too much work|text of more/],
  ["decoding a large text often", "input.many.exists(x, url.decode(input.text) == '')", /too much work/],
  ["failing to decode often", "input.many.exists(x, url.decode(input.text + '%') == '')", /too much work/],
  ["base64 of base64", bindChain("'ab'", (v) => `base64.encode(${double(v)})`, 9), /too much work|text of more/],
  ["reading base64 often", "input.many.exists(x, base64.decode(input.text).size() == 1)", /too much work/],
  ["reading no base64 often", "input.many.exists(x, base64.decode(input.half + '?').size() == 1)", /too much work/],
  ["writing a wide map often", "input.many.exists(x, json.encode(input.wide) == '')", /too much work/],
  [
    "writing what is no JSON often",
    "input.many.exists(x, json.encode([input.texts, 1e308 * 10.0]) == '')",
    /too much work/,
  ],
  ["JSON of JSON", bindChain("'\"'", (v) => `json.encode(${double(v)})`, 9), /too much work|text of more/],
  [
    "JSON of a value that holds itself twice",
    bindChain("['a']", fold, 12).replace(/v12\)/, "json.encode(v12))"),
    /too much/,
  ],
  [
    "reading JSON often",
    "input.many.exists(x, json.decode('[' + input.texts.map(t, '1').join(',') + ']') == 1)",
    /too much/,
  ],
  ["reading no JSON often", "input.many.exists(x, json.decode(input.text) == 1)", /too much work/],
  ["reading deep JSON often", "input.many.exists(x, json.decode(input.deepText) == 1)", /too much work/],
  ["a range without end", "lists.range(9007199254740991)", /too much work/],
  ["ranges in ranges", "lists.range(10000).map(x, lists.range(10000))", /too much work/],
  ["reversing again and again", "input.many.map(x, input.many.reverse())", /too much work/],
  ["a pattern that backtracks, many times", "input.many.all(x, !input.half.matches('(a+)+$'))", /too much work/],
  ["a pattern with many states", "input.ab.matches('(a|b)*a(a|b){20}(a|b){60}[cd]$')", /too much work/],
  ["a pattern that is too large", "'a'.matches('((a{50}){50}){50}')", /none that RE2 knows|too large/],
  ["a pattern of large classes", `'a'.matches('(?i)${"[\\\\pL]".repeat(30)}')`, /at most/],
  ["a pattern with a backward reference", "'aa'.matches('(a)\\\\1')", /none that RE2 knows/],
  ["a pattern with a lookahead", "'aa'.matches('(?=a)a')", /none that RE2 knows/],
  ["a pattern out of data", "'a'.matches(input.text)", /the pattern as it is/],
  ["many patterns", Array(6).fill("'a'.matches('a')").join(" && "), /at most 4 patterns/],
  ["a long text", "1 + ".repeat(600), /at most 2000 characters/],
  ["4,000 brackets", "(".repeat(4_000) + ")".repeat(4_000), /at most 2000 characters/],
  ["900 brackets", `${"(".repeat(900)}1${")".repeat(900)}`, /too long or too deep/],
  ["900 lists in each other", `${"[".repeat(900)}${"]".repeat(900)}`, /too long or too deep/],
  ["1,900 negations", `${"!".repeat(1_900)}true`, /too long or too deep/],
  ["a sum of 900 numbers", `1${"+1".repeat(900)}`, /too long or too deep/],
  ["a long path", `input${".a".repeat(500)}`, /too long or too deep/],
  ["a long list", `[${"1,".repeat(400)}]`, /too long or too deep/],
  ["many arguments", `size(${"1,".repeat(20)})`, /too long or too deep/],
  ["a huge int", "9".repeat(1_900), /beyond 64 bits/],
  ["a huge double", `1${"0".repeat(400)}.0`, /Invalid number/],
  ["a huge exponent", "1e999", /Invalid number/],
  ["overflow", "9223372036854775807 * 2", /beyond 64 bits/],
  ["division by zero", "1 / 0", /division by zero/],
  ["division by a zero of JSON", "input.many[0] / input.many[0]", /division by zero/],
  ["infinity as a value", "1e308 * 10.0", /no finite number/],
  ["a time that ends no more", "timestamp(99999999999999)", /years 1 and 9999/],
  ["a very long duration", `duration('${"9".repeat(60)}h')`, /duration/],
  ["a cyrillic name", "іnput.many", /unexpected character/],
  ["fullwidth letters", "ｉｎｐｕｔ", /unexpected character/],
  ["a no-break space", "1\u00a0+ 1", /unexpected character/],
  ["right-to-left marks", "input\u202e.many", /unexpected character/],
  ["a null character", "input\u0000", /unexpected character/],
  ["half a surrogate pair", "'\\ud800'", /Invalid Unicode/],
  ["an escaped prototype", "input['\\u005f_proto__']", /never readable/],
  ["an assignment", "input.x = 1", /unexpected character/],
  ["a second statement", "1; 2", /unexpected character/],
  ["a template", "`a`", /unexpected character/],
  ["a comment's end", "1 /* x */", /Unexpected token|unexpected character/],
])("is refused, soon: %s", async (attack, text, expected) => {
  const expressions = await loadExpressions();
  const cpuMs = startCpuTimer();
  const compiled = expressions.compile(text);
  const result = compiled.ok ? compiled.value.evaluate(scopeOf(outputs), createRunWork()) : compiled;
  const ms = cpuMs();
  reported.push({
    attack,
    refused: compiled.ok ? "evaluation" : "compile",
    ms: Math.round(ms * 10) / 10,
    how: result.ok ? "NOT" : result.error.slice(0, 60),
  });
  expect(result.ok ? "it has a value" : result.error).toMatch(expected);
  expect(ms).toBeLessThan(SLOWEST_MS);
});

test("keys that reach a prototype are not listed, not found and not there", () => {
  expect(evaluated("input.own.keys() + input.own.map(k, k)", outputs)).toEqual([]);
  expect(evaluated("'constructor' in input.own || 'constructor' in input", outputs)).toBe(false);
  expect(evaluated("input.own.merge({'a': 1})", outputs)).toEqual({ a: 1 });
  expect(evaluated("input[?'toString'].hasValue() || has(input.valueOf)", outputs)).toBe(false);
});

test("an item that fails is forgiven by exists, but not the end of the budget", () => {
  expect(evaluated("input.many.exists(x, x.zip || x == 9)", outputs)).toBe(true);
  expect(faultOf("input.many.all(a, input.many.all(b, true)) || true", outputs)).toContain("too much work");
});

test("lists of 10,000 items are no attack", () => {
  expect(evaluated("input.many.filter(x, x % 2 == 0).map(x, x * 2).sum()", outputs)).toBe(49_990_000);
  expect(evaluated("input.texts.filter(t, t.contains('99')).size()", outputs)).toBe(280);
  expect(evaluated("input.many.sort()[9999]", outputs)).toBe(9_999);
});
