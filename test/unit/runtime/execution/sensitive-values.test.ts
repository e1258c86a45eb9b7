import { describe, expect, test } from "vitest";
import type { Json } from "../../../../src/core/json.ts";
import { findSensitiveValues } from "../../../../src/runtime/execution/sensitive-values.ts";
import { loadExpressions } from "../../../../src/runtime/expressions/load-expressions.ts";
import { toolRegistry } from "../../../../src/runtime/registry.ts";
import type { Sandbox } from "../../../../src/runtime/sandbox/contract.ts";
import { fail } from "../../../../src/runtime/tool.ts";
import { startCpuTimer } from "../../../support/cpu-time.ts";
import { ANYBODY, agentBody, callBy, createTestRuntime, requestOf, SYSTEM } from "../../../support/runtime/runtime.ts";
import { testServices } from "../../../support/runtime/step-context.ts";
import { bodyOf, execute, type Scene, type Step, tool } from "./scene.ts";

const PASSWORD = "hunter22-plain";
const input = { email: "ada@example.com", password: PASSWORD };

/** Gives back what a module would make of the input. */
const sandbox: Sandbox = {
  run: async (_source, given) => ({ kind: "output", value: { made: `${JSON.stringify(given.input)}!` } }),
};

async function run(steps: readonly Step[], scene: Scene = {}) {
  const { execution, journalled } = execute(steps, {
    tools: [...toolRegistry.values(), ...(scene.tools ?? [])],
    expressions: await loadExpressions(),
    services: testServices({ sandbox }),
    input,
    ...scene,
    ...(scene.tools && { tools: [...toolRegistry.values(), ...scene.tools] }),
  });
  return { ...(await execution), journalled };
}

const transform = (expression: string): Step => ({ name: "transform", config: { expression } });

describe("a password that a step passed on is not in the trace, and is in the answer", () => {
  test.each<[string, Step, Json]>([
    ["transform", transform("input.password"), "[masked]"],
    ["transform, in a longer text", transform("'is ' + input.password + '.'"), "is [masked]."],
    ["transform, in a URL", transform("'https://x.example/?p=' + input.password"), "https://x.example/?p=[masked]"],
    [
      "code",
      { name: "code", config: { source: "export default () => 1" } },
      { made: '{"email":"ada@example.com","password":"[masked]"}!' },
    ],
    [
      "dbInsert",
      { name: "dbInsert", config: { collection: "notes", document: { _id: "a", note: "{{input.password}}" } } },
      { _id: "a", note: "[masked]" },
    ],
    [
      "inputValidation",
      { name: "inputValidation", config: { schema: {}, data: { note: ["{{input.password}}"] } } },
      { note: ["[masked]"] },
    ],
  ])("by %s", async (_by, step, output) => {
    const name = typeof step === "string" ? step : step.name;
    const { trace, result, journalled } = await run([
      "input",
      step,
      { name: "response", config: { body: `{{${name}}}` } },
    ]);
    expect(trace.steps.map((one) => one.output)).toEqual([{ ...input, password: "[masked]" }, output, output]);
    expect(JSON.stringify([trace, journalled])).not.toContain("hunter22");
    expect(JSON.stringify(result)).toContain(PASSWORD);
  });
});

describe("a password that is a number is masked as a text is, wherever a later step brings it", () => {
  const fields = {
    copy: "input.password",
    list: "[input.password, 7.0, input.port]",
    text: "'is ' + string(input.password)",
    negative: "-input.password",
    parsed: "double(string(input.password))",
    port: "input.port",
  };
  const steps: Step[] = ["input", { name: "transform", config: { fields } }];

  test.each<[string, Json, string]>([
    ["a number", 12345678, "12345678"],
    ["digits in a text", "12345678", "12345678"],
  ])("sent as %s", async (_how, password, digits) => {
    const given =
      typeof password === "number"
        ? fields
        : { ...fields, list: "[double(input.password), 7.0]", negative: "-double(input.password)" };
    const ended = await run(
      [
        ...steps.slice(0, 1),
        { name: "transform", config: { fields: given } },
        { name: "response", config: { body: "{{transform}}" } },
      ],
      { input: { password, port: 8080, pin: 1 } },
    );
    const shown = { copy: "[masked]", text: "is [masked]", negative: "-[masked]", parsed: "[masked]", port: 8080 };
    expect(ended.trace.steps[1]?.output).toMatchObject(shown);
    expect(ended.trace.steps[2]?.output).toMatchObject(shown);
    expect(JSON.stringify([ended.trace, ended.journalled])).not.toContain(digits);
    expect(bodyOf(ended)).toMatchObject({ copy: password, parsed: 12345678 });
  });

  test("and of more digits than a double holds, read as a number", async () => {
    const { trace } = await run(["input", transform("double(input.password)")], {
      input: { password: "12345678901234567890" },
    });
    expect(trace.steps[1]?.output).toBe("[masked]");
  });

  test("but numbers of fewer than six characters, such as counts of tokens, mask nothing but themselves", async () => {
    const value = { token: 1, total_tokens: 2024, apiKey: -10, password: 0 };
    const { trace } = await run(["input", transform("[1.0, 2024.0, '2024-02-13', -10.0, 0.0, input.token + 1.0]")], {
      input: value,
    });
    expect(trace.steps[1]?.output).toEqual([1, 2024, "2024-02-13", -10, 0, 2]);
  });
});

test("a token that a step was given by another is not in what later ones show", async () => {
  const signIn = tool("signIn", () => ({
    kind: "output",
    value: { access_token: "tok-0123456789", expires: "tomorrow" },
  }));
  const { trace } = await run(["signIn", transform("signIn.access_token + ' until ' + signIn.expires")], {
    tools: [signIn],
  });
  expect(trace.steps[1]?.output).toBe("[masked] until tomorrow");
});

test("credentials in the headers and the query that a graph read are not in the trace", async () => {
  const request = {
    input: null,
    method: "POST",
    headers: { authorization: "Token abcdef-0123", "x-api-token": "tok-98765", accept: "text/plain" },
    query: { token: "query-5555", page: "query-1111" },
  };
  const fields = {
    scheme: "request.headers.authorization",
    bare: "request.headers.authorization.substring(6)",
    other: "request.headers['x-api-token'] + '/' + request.headers.accept",
    query: "request.query.token + '/' + request.query.page",
  };
  const ended = await run([{ name: "transform", config: { fields } }], { changes: { request } });
  expect(ended.trace.steps[0]?.output).toEqual({
    scheme: "[masked]",
    bare: "[masked]",
    other: "[masked]/text/plain",
    query: "[masked]/query-1111",
  });
  expect(bodyOf(ended)).toMatchObject({ bare: "abcdef-0123" });
});

test("headers that no step reads stay unread, also by the trace", async () => {
  const request = {
    input,
    method: "POST",
    query: {},
    get headers(): Record<string, string> {
      throw new Error("read");
    },
  };
  const { trace } = await run(["input", transform("input.password")], { changes: { request } });
  expect(trace.steps[1]?.output).toBe("[masked]");
});

test("a password in an error is masked in the trace, of the run and of its step, and told to the caller", async () => {
  const quoting = tool("quoting", ({ key }: any) => fail(`no user with ${key}`));
  const { trace, result } = await run(["input", { name: "quoting", config: { key: "{{input.password}}" } }], {
    tools: [quoting],
  });
  expect(trace).toMatchObject({
    error: "step quoting: no user with [masked]",
    steps: [{}, { error: "no user with [masked]" }],
  });
  expect(result).toMatchObject({ error: { detail: `step quoting: no user with ${PASSWORD}` } });
});

describe("what looks like a key, and a credential of this Worker, in an error", () => {
  const KEY = `orx_0f_${"a".repeat(43)}`;
  const CREDENTIAL = "0perator-door-0123456789";

  test("is masked in the trace, and told to the caller", async () => {
    const schema = { type: "object", additionalProperties: false };
    const steps: Step[] = ["input", { name: "inputValidation", config: { schema } }];
    const { trace, result, journalled } = await run(steps, {
      input: { [KEY]: 1, [CREDENTIAL]: 2 },
      credentials: [CREDENTIAL],
    });
    expect(trace.steps[1]).toMatchObject({ status: "refused", error: expect.stringContaining("[masked]") });
    expect(JSON.stringify([trace, journalled])).not.toMatch(/aaaa|door/);
    expect(JSON.stringify(result)).toContain(KEY);
  });

  test.each([KEY, CREDENTIAL, PASSWORD, `ftp://user:${"p".repeat(60)}@host`])(
    "shows nothing of its beginning where the error is cut: %s",
    async (value) => {
      for (let before = 380; before < 520; before += 7) {
        const wordy = tool("wordy", () => fail(`${"x".repeat(before)} ${value} and more ${"y".repeat(200)}`));
        const scene = { tools: [wordy], credentials: [CREDENTIAL] };
        const { trace } = await run(["input", "wordy"], scene);
        const written = JSON.stringify([trace.error, trace.steps[1]?.error]);
        expect(written).toMatch(/^\["step wordy: x{300}/);
        expect(written).not.toMatch(/aaa|0pe|hun|ppp/);
      }
    },
  );
});

test("a secret of the owner and a password of the caller are masked beside each other", async () => {
  const spy = tool("spy", ({ key }: any) => ({ kind: "output", value: `${key} ${PASSWORD} ${PASSWORD}${key}` }));
  const { trace } = await run([{ name: "spy", config: { key: "{{secrets.KEY}}" } }], {
    tools: [spy],
    secrets: { KEY: "owner-s-key" },
  });
  expect(trace.steps[0]?.output).toBe("[masked] [masked] [masked][masked]");
});

test("neither the stored trace nor the log event holds what a caller sent as a password", async () => {
  const quoting = tool("quoting", ({ key }: any) => fail(`no user with ${key}`));
  const { runtime, documents, settle } = createTestRuntime({
    registry: new Map([...toolRegistry, ["quoting", quoting]]),
  });
  const tools = [
    { toolId: "input", name: "input" },
    { toolId: "note", name: "dbInsert", config: { collection: "notes", document: { note: "{{input.password}}" } } },
    { toolId: "bad", name: "quoting", config: { key: "{{input.password}}" } },
  ];
  const graph = agentBody({ tools, executionOrder: ["input", "note", "bad"] });
  const made = await runtime.createAgent(callBy(SYSTEM), graph);
  if (!made.ok) throw new Error(made.error.detail);
  const ran = await runtime.run(callBy(ANYBODY), made.value.agent.agentId, requestOf(input));
  await settle();
  expect(ran).toMatchObject({ value: { result: { error: { detail: `step bad: no user with ${PASSWORD}` } } } });
  const kept = [...documents.named("runs"), ...documents.named("execution_logs")];
  expect(kept.filter((one) => JSON.stringify(one).includes("no user with [masked]"))).toHaveLength(2);
  expect(JSON.stringify(kept)).not.toContain("hunter22");
});

describe("what counts as sensitive", () => {
  test("is a text of four characters or a number of six under such a name, at any depth", () => {
    const value = {
      password: "abcd",
      pin: "5678",
      apiKey: "abc",
      token: 123456,
      tokens: [1, 200, 80801, true, null, 0.0625, 1e210],
      a: [{ clientSecret: "efgh" }, { deep: { Authorization: "Bearer ijkl mnop" } }],
      credentials: { user: "qrst", all: ["uvwx"] },
    };
    expect(findSensitiveValues([value, "password", null])).toEqual([
      "abcd",
      "efgh",
      "Bearer ijkl mnop",
      "ijkl mnop",
      "qrst",
      "uvwx",
      "123456",
      "0.0625",
      "1e+210",
    ]);
  });

  test("is never a text that was left out for a number", () => {
    const tokens = Array.from({ length: 5_000 }, (_, i) => 100_000 + i);
    const found = findSensitiveValues([{ tokens }, { password: "abcdefgh" }]);
    expect(found).toHaveLength(64);
    expect(found[0]).toBe("abcdefgh");
  });

  test("is bounded in number and size, whatever was sent", () => {
    const many = Array.from({ length: 100_000 }, (_, i) => ({ password: `password-${i}` }));
    expect(findSensitiveValues([{ password: "x".repeat(1_000_000), token: "abcd" }])).toEqual(["abcd"]);
    const names = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`n${i}`, "x"]));
    const cpuMs = startCpuTimer();
    expect(findSensitiveValues([many])).toHaveLength(64);
    expect(findSensitiveValues([names])).toEqual([]);
    expect(cpuMs()).toBeLessThan(1_000);
  });
});
