import { describe, expect, test } from "vitest";
import type { Json } from "../../../src/core/json.ts";
import { compileTemplate } from "../../../src/runtime/graph/references.ts";
import { resolveTemplate } from "../../../src/runtime/graph/resolve-template.ts";
import { startCpuTimer } from "../../support/cpu-time.ts";

const SCOPE = new Map<string, Json>([
  ["input", { email: "a@b.c", tags: ["x", { deep: 7 }], empty: null, text: "{{other.secret}}", no: false }],
  ["other", { secret: "s3cret", "content-type": "text/plain", headers: { Own: "as written" } }],
  ["request", { headers: { authorization: "Bearer t" }, method: "POST", query: {} }],
]);

function resolve(config: Json) {
  const { template, faults } = compileTemplate(config);
  expect(faults).toEqual([]);
  return resolveTemplate(template, SCOPE);
}

function faultsOf(config: Json) {
  return compileTemplate(config).faults;
}

describe("a string that is exactly one reference", () => {
  test.each<[string, Json]>([
    ["{{input.tags}}", ["x", { deep: 7 }]],
    ["{{input.tags[1].deep}}", 7],
    ["{{ input.email }}", "a@b.c"],
    ["{{input.empty}}", null],
    ["{{input.no}}", false],
    ["{{request.headers.authorization}}", "Bearer t"],
    ["{{request.headers.Authorization}}", "Bearer t"],
    ["{{other.headers.Own}}", "as written"],
    ["{{other.content-type}}", "text/plain"],
  ])("%s keeps the value's type", (text, value) => {
    expect(resolve({ v: text })).toEqual({ ok: true, value: { v: value } });
  });
});

describe("references inside a longer string", () => {
  test("are written as text, objects as JSON", () => {
    expect(resolve("to {{input.email}}: {{input.tags}} {{input.no}} {{input.empty}}")).toEqual({
      ok: true,
      value: 'to a@b.c: ["x",{"deep":7}] false null',
    });
  });

  test("are empty where they are optional and missing", () => {
    expect(resolve("<{{input.nothing?}}>")).toEqual({ ok: true, value: "<>" });
  });
});

test("an optional reference to nothing leaves out the property or list item that holds it", () => {
  expect(resolve({ a: "{{input.nothing?}}", b: ["{{input.x?}}", 1], c: { d: "{{input.y.z[3]?}}" } })).toEqual({
    ok: true,
    value: { b: [1], c: {} },
  });
});

test("an optional reference to null is null", () => {
  expect(resolve({ a: "{{input.empty?}}" })).toEqual({ ok: true, value: { a: null } });
});

test("a missing path fails and names the reference, not the data", () => {
  expect(resolve({ a: "{{input.email.domain}}" })).toEqual({ ok: false, error: "{{input.email.domain}} has no value" });
});

test("what a reference brings in is not evaluated again", () => {
  expect(resolve({ a: "{{input.text}}", b: "<{{input.text}}>" })).toEqual({
    ok: true,
    value: { a: "{{other.secret}}", b: "<{{other.secret}}>" },
  });
});

test("an escaped brace is the characters themselves", () => {
  expect(resolve(["\\{{input.email}}", "a \\{{b}} {{input.email}}"])).toEqual({
    ok: true,
    value: ["{{input.email}}", "a {{b}} a@b.c"],
  });
});

test("keys are never templates", () => {
  expect(resolve({ "{{input.email}}": 1 })).toEqual({ ok: true, value: { "{{input.email}}": 1 } });
});

test("single braces and closing braces are text", () => {
  expect(resolve("{a} }} {")).toEqual({ ok: true, value: "{a} }} {" });
});

describe("paths reach own data only", () => {
  test.each(["{{input.__proto__}}", "{{input.a.constructor}}", "{{prototype.x}}", "{{input.constructor.name?}}"])(
    "%s is refused when it is written",
    (text) => {
      expect(faultsOf({ a: { b: text } })).toEqual([
        { path: "a.b", message: expect.stringContaining("is never part of a path") },
      ]);
    },
  );

  test.each([
    "{{input.toString}}",
    "{{input.tags.length}}",
    "{{input.email.length}}",
    "{{input.tags.0}}",
    "{{input[0]}}",
  ])("%s has no value", (text) => {
    expect(resolve({ a: text }).ok).toBe(false);
  });
});

test.each(["{{}}", "{{a b}}", "{{a..b}}", "{{a.}}", "{{a[x]}}", "{{a[-1]}}", "{{1a}}", "{{a", "{{a?b}}", "{{a.b??}}"])(
  "%s is no reference, and says so with its place",
  (text) => {
    const [fault] = faultsOf({ list: ["ok", text] });
    expect(fault?.path).toBe("list.1");
  },
);

test("every fault is told at once", () => {
  expect(faultsOf({ a: "{{", b: "{{c d}}", e: "{{f.__proto__}}" }).map((fault) => fault.path)).toEqual(["a", "b", "e"]);
});

test("templates, references and their number are bounded", () => {
  expect(faultsOf(`{{a}}${"x".repeat(70_000)}`)).toHaveLength(1);
  expect(faultsOf(`{{a.${"x".repeat(600)}}}`)).toHaveLength(1);
  expect(faultsOf("{{a}}".repeat(101))).toHaveLength(1);
  expect(faultsOf("{{a}}".repeat(100))).toEqual([]);
  expect(faultsOf(Array(500).fill("{{a}}"))).toEqual([]);
  expect(faultsOf(Array(50_000).fill("{{a}}"))).toEqual([{ path: "", message: expect.stringContaining("500") }]);
});

test("a long string of braces is taken apart in no time", () => {
  const cpuMs = startCpuTimer();
  faultsOf("{{".repeat(30_000));
  faultsOf(`{{${"a.".repeat(250)}}}`);
  faultsOf("\\{{".repeat(20_000));
  expect(cpuMs()).toBeLessThan(200);
});

test("text that grows beyond a run's output ends the step", () => {
  const big = new Map<string, Json>([["input", "x".repeat(200_000)]]);
  const { template } = compileTemplate(Array.from({ length: 10 }, () => "<{{input}}>"));
  expect(resolveTemplate(template, big)).toEqual({ ok: false, error: expect.stringContaining("grow beyond") });
});

test("a key named __proto__ stays data", () => {
  const config = JSON.parse('{"__proto__": {"polluted": "{{input.email}}"}}');
  const resolved = resolve(config);
  expect(JSON.stringify(resolved)).toContain('"__proto__":{"polluted":"a@b.c"}');
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test("secrets are read beside the scope, and a missing one is named", () => {
  const { template } = compileTemplate({ key: "k={{secrets.KEY}}", none: "{{secrets.NONE?}}" });
  expect(resolveTemplate(template, SCOPE, new Map([["KEY", "abc"]]))).toEqual({ ok: true, value: { key: "k=abc" } });
  expect(resolveTemplate(template, SCOPE)).toEqual({ ok: false, error: "the secret KEY is not set" });
  const withSecrets = new Map<string, Json>([["secrets", { KEY: "from the scope" }]]);
  expect(resolveTemplate(template, withSecrets).ok).toBe(false);
});

test("hidden references are masked where they have a value", () => {
  const { template } = compileTemplate(["{{input.email}}", "<{{input.email}}>", "{{input.empty}}", "{{input.gone?}}"]);
  const hidden = resolveTemplate(template, SCOPE, new Map(), () => true);
  expect(hidden).toEqual({ ok: true, value: ["[masked]", "<[masked]>", null] });
});

test("properties that are named verbatim are left as they are", () => {
  const config = { expression: "{{input}}", fields: { a: "\\{{b}}" }, url: "{{input.email}}" };
  const { template, references, faults } = compileTemplate(config, ["expression", "fields"]);
  expect([references.length, faults]).toEqual([1, []]);
  expect(resolveTemplate(template, SCOPE)).toEqual({ ok: true, value: { ...config, url: "a@b.c" } });
});
