import { describe, expect, test } from "vitest";
import * as z from "zod";
import type { FieldError } from "../../../src/core/errors.ts";
import type { Json, JsonObject } from "../../../src/core/json.ts";
import { loadExpressions } from "../../../src/runtime/expressions/load-expressions.ts";
import { toolRegistry } from "../../../src/runtime/registry.ts";
import { output, refuse } from "../../../src/runtime/tool.ts";
import { testServices } from "../../support/runtime/step-context.ts";
import { bodyOf, execute, planOf, RUN_ID, type Scene, type Step, statuses, tool } from "./execution/scene.ts";

const POST = { name: "echo", toolId: "post", config: { url: "{{input.url}}", method: "POST" } };

function faultsOf(steps: readonly Step[], scene: Scene): readonly FieldError[] {
  const plan = planOf(steps, scene);
  return "stages" in plan ? [] : plan;
}

function deny(when: string, name = "no posts") {
  return { policy: { deny: [{ name, when }] } };
}

describe("a policy is checked with its graph", () => {
  test.each<[string, Scene["policy"], string, string]>([
    ["a tool that nobody knows", { allowedTools: ["input", "echo", "teleport"] }, "policy.allowedTools.2", "teleport"],
    ["a step whose tool is not allowed", { allowedTools: ["input"] }, "tools.1.name", "allowed-tools"],
    ["a rule that does not compile", { deny: [{ name: "a", when: "f(" }] }, "policy.deny.0.when", "unexpected ("],
    ["a rule over a step that is not there", { deny: [{ name: "a", when: "gone.x" }] }, "policy.deny.0.when", "gone"],
    ["a rule over secrets", { deny: [{ name: "a", when: "secrets.KEY" }] }, "policy.deny.0.when", "not available"],
    ["a rule with braces", { deny: [{ name: "a", when: "{{input}}" }] }, "policy.deny.0.when", "names steps"],
    [
      "two rules of one name",
      {
        deny: [
          { name: "a", when: "true" },
          { name: "a", when: "false" },
        ],
      },
      "policy.deny.1.name",
      "another rule",
    ],
    [
      "two rules of names that look the same",
      {
        deny: [
          { name: "No posts", when: "true" },
          { name: "no posts ", when: "false" },
        ],
      },
      "policy.deny.1.name",
      "another rule",
    ],
    ["a built-in name in capitals", { deny: [{ name: "Max-Calls ", when: "true" }] }, "policy.deny.0.name", "has"],
    ["a built-in name", { deny: [{ name: "max-calls", when: "true" }] }, "policy.deny.0.name", "every policy has"],
  ])("%s", (_what, policy = {}, path, message) => {
    expect(faultsOf(["input", POST], { policy })).toEqual([{ path, message: expect.stringContaining(message) }]);
  });

  test("a sound one with all its parts is planned", () => {
    const rate = { perCaller: { perMinute: 5 } };
    const plan = planOf(["input", POST], {
      policy: {
        allowedTools: ["input", "echo"],
        allowedHosts: ["a.example"],
        maxCalls: 3,
        rate,
        ...deny("run.id").policy,
      },
    });
    expect(plan).toMatchObject({
      policy: { allowedHosts: ["a.example"], maxCalls: 3, maxDurationMs: null, maxOutputBytes: null, rate },
    });
  });
});

test("a call that a rule denies ends the run with the rule's name, and no tool is called", async () => {
  const scene = { ...deny('tool.name == "echo" && config.method == "POST"'), input: { url: "https://a.example" } };
  const ended = await execute(["input", { ...POST, onError: "continue" }, "response"], scene).execution;
  const detail = 'step post: the policy\'s rule "no posts" denies this call';
  expect(ended.result).toEqual({
    ok: false,
    error: { code: "POLICY_REFUSED", detail, rule: "no posts", runId: RUN_ID, step: "post" },
  });
  expect(statuses(ended)).toBe("input:ok post:refused");
  expect(ended.trace).toMatchObject({ outcome: "failed", status: 403, error: detail });
  expect(ended.trace.steps[1]).toMatchObject({
    attempts: 0,
    rule: "no posts",
    error: 'the policy\'s rule "no posts" denies this call',
    input: { url: "https://a.example", method: "POST" },
    output: null,
  });
});

test("rules are asked in their order, and the first that denies is named", async () => {
  const policy = {
    deny: [
      { name: "first", when: "false" },
      { name: "second", when: "true" },
      { name: "third", when: "true" },
    ],
  };
  const { result } = await execute(["input"], { policy }).execution;
  expect(result).toMatchObject({ ok: false, error: { rule: "second" } });
});

test("rules know who calls, and the step's id", async () => {
  const when = 'tool.id == "post" && caller.kind == "anonymous" && caller.id == "10.0.0.1"';
  const ended = await execute(["input", { ...POST, config: {} }], deny(when)).execution;
  expect(statuses(ended)).toBe("input:ok post:refused");
});

test("rules read outputs; a step that has not run yet is null", async () => {
  const steps = ["input", { name: "echo", toolId: "late", config: { a: 1 } }];
  expect(statuses(await execute(steps, deny("late == null")).execution)).toBe("input:refused");
  const later = await execute([...steps, { name: "echo", toolId: "last", config: {} }], deny("late.a == 1 && true"))
    .execution;
  expect(later.result).toMatchObject({
    ok: false,
    error: { step: "input", detail: expect.stringContaining("no such field") },
  });
});

test("a step that is called like a name of rules cannot stand in for it", async () => {
  const steps = ["input", { name: "echo", toolId: "config", config: { method: "GET" } }, POST];
  const ended = await execute(steps, { ...deny('tool.id == "post" && config.method == "POST"'), input: { url: "u" } })
    .execution;
  expect(statuses(ended)).toBe("input:ok config:ok post:refused");
});

test.each([
  ["fails", "config.gone", "could not be evaluated: no such field: gone"],
  ["is no yes or no", "config.method", "gives neither true nor false"],
])("a rule that %s refuses", async (_what, when, message) => {
  const steps = [{ name: "echo", config: { method: "GET" } }];
  const { result } = await execute(steps, deny(when)).execution;
  expect(result).toMatchObject({
    ok: false,
    error: { code: "POLICY_REFUSED", rule: "no posts", detail: expect.stringContaining(message) },
  });
});

test("rules see no secrets, but all that a caller sent", async () => {
  const seen: Json[] = [];
  const spy = tool("spy", (config) => {
    seen.push(config as Json);
    return output(null);
  });
  const config = { key: "{{secrets.KEY}}", password: "{{input.password}}" };
  const scene = { tools: [spy], secrets: { KEY: "s3cret-value" }, input: { password: "pw" } };
  const when = 'tool.name == "spy" && config.key == "[masked]" && config.password == "pw"';
  const ended = await execute(["input", { name: "spy", config }], { ...scene, ...deny(when) }).execution;
  expect(statuses(ended)).toBe("input:ok spy:refused");
  expect(seen).toEqual([]);
});

describe("rules see the config as its tool goes by it", () => {
  const config = z.strictObject({
    method: z.enum(["GET", "POST"]).default("GET"),
    url: z.string().toLowerCase(),
    headers: z.record(z.string(), z.string()).optional(),
    hosts: z.array(z.string().toLowerCase()).default([]),
  });
  const ask = tool("ask", () => output("asked"), { config });
  const run = (config: JsonObject, when: string) =>
    execute(["input", { name: "ask", config }], { tools: [ask], secrets: { KEY: "S3cret-value" }, ...deny(when) })
      .execution;

  test("with its defaults", async () => {
    const rule = 'tool.name == "ask" && config.method != "GET"';
    expect(statuses(await run({ url: "u" }, rule))).toBe("input:ok ask:ok");
    expect(statuses(await run({ url: "u", method: "POST" }, rule))).toBe("input:ok ask:refused");
    expect(statuses(await run({ url: "{{input.name}}" }, rule))).toBe("input:ok ask:ok");
  });

  test("and with what it makes of what it is given", async () => {
    const denied = 'tool.name == "ask" && config.url == "u.example"';
    expect(statuses(await run({ url: "U.Example" }, denied))).toBe("input:ok ask:refused");
  });

  test.each([
    ['config.headers.k == "Bearer [masked]"'],
    ['config.method == "GET"'],
    ['config.url == "u"'],
    ['config.hosts == ["a","[masked]"]'],
  ])("and secrets masked all the same: %s", async (rule) => {
    const given = {
      url: "U",
      headers: { k: "Bearer {{secrets.KEY}}" },
      hosts: ["A", "{{secrets.KEY}}"],
    };
    expect(statuses(await run(given, `tool.name == "ask" && ${rule}`))).toBe("input:ok ask:refused");
  });
});

describe("what rules see of a setting that the graph's tools were not given", () => {
  const sent = { kind: "answer", status: 200, headers: {}, text: "" } as const;
  async function run(step: Step, when: string, scene: Scene = {}) {
    const steps: Step[] = ["input", step, { name: "response", config: { body: 1 } }];
    const ended = await execute(steps, {
      tools: [...toolRegistry.values()],
      expressions: await loadExpressions(),
      services: testServices({ outbound: { judge: async () => null, send: async () => sent } }),
      ...deny(when),
      ...scene,
    }).execution;
    return ended.trace.steps[1]?.status;
  }
  const ask = (config: JsonObject = {}): Step => ({
    name: "httpRequest",
    config: { url: "https://a.example/", ...config },
  });
  const find: Step = { name: "dbFind", config: { collection: "notes", filter: {} } };
  const secret = { headers: { authorization: "Bearer {{secrets.KEY}}" } };

  test.each<[string, Step, string]>([
    ["its default", ask(), 'tool.name == "httpRequest" && config.method != "GET"'],
    [
      "where an optional reference brings none",
      ask({ method: "{{input.m?}}" }),
      'tool.id == "httpRequest" && config.method != "GET"',
    ],
    ["beside a secret", ask(secret), 'tool.name == "httpRequest" && config.method != "GET"'],
    ["of another tool", find, 'tool.name == "dbFind" && (config.limit != 20.0 || config.one || config.required)'],
    ["nothing, which has() tells", ask(), 'tool.name == "httpRequest" && has(config.headers)'],
    ["nothing, which orValue replaces", ask(), "tool.name == 'httpRequest' && config.?body.orValue('none') != 'none'"],
    ["nothing, of the rule's other tools", find, 'tool.name == "httpRequest" && config.headers.a == "b"'],
  ])("%s: the call is let through", async (_what, step, when) => {
    expect(await run(step, when, { secrets: { KEY: "s3cret-value" } })).toBe("ok");
  });

  test.each<[string, Step, string]>([
    ["the method that it names", ask({ method: "POST" }), 'tool.name == "httpRequest" && config.method != "GET"'],
    ["a setting without a default", ask(), 'tool.name == "httpRequest" && config.headers.a == "b"'],
    ["a setting without a default, of another tool", find, 'tool.name == "dbFind" && size(config.hide) > 0'],
    ["a setting of other tools alone", find, 'tool.id != "input" && config.method != "GET"'],
  ])("%s: the call is refused", async (_what, step, when) => {
    expect(await run(step, when)).toBe("refused");
  });
});

describe("rules read the request's body from the first step on", () => {
  const body = { amount: 100 };
  const rule = deny("input.amount == 100");

  test("as input", async () => {
    expect(statuses(await execute(["input", POST], { ...rule, input: body }).execution)).toBe("input:refused");
    const ended = await execute(["input", "response"], { ...rule, input: { amount: 5 } }).execution;
    expect(statuses(ended)).toBe("input:ok response:ok");
  });

  test("also where no step gives it, or one that is passed over", async () => {
    const step = { name: "echo", config: {} };
    expect(statuses(await execute([step], { ...rule, input: body }).execution)).toBe("echo:refused");
    const skipped = { name: "input", when: "false" };
    expect(statuses(await execute([skipped, step], { ...rule, input: body }).execution)).toBe(
      "input:skipped echo:refused",
    );
  });

  test("by the id of the input step too", async () => {
    const steps = [{ name: "input", toolId: "body" }, "response"];
    expect(statuses(await execute(steps, { ...deny("body.amount == 100"), input: body }).execution)).toBe(
      "body:refused",
    );
  });

  test("unless another tool's step is called input", async () => {
    const steps = [{ name: "echo", toolId: "input", config: { amount: 5 } }, "response"];
    const when = 'tool.name == "response" && input.amount == 100';
    expect(statuses(await execute(steps, { ...deny(when), input: body }).execution)).toBe("input:ok response:ok");
  });
});

test("what is answered is a rule's business too", async () => {
  const steps = ["input", { name: "response", config: { body: "{{input}}" } }];
  const when = 'tool.name == "response" && config.status == 200 && config.body.name == "Ada"';
  expect(statuses(await execute(steps, deny(when)).execution)).toBe("input:ok response:refused");
});

test("calls are counted, input and response not", async () => {
  const steps = ["input", POST, { name: "echo", toolId: "again", config: {} }, "response"];
  const input = { url: "u" };
  expect((await execute(steps, { policy: { maxCalls: 2 }, input }).execution).result.ok).toBe(true);
  const ended = await execute(steps, { policy: { maxCalls: 1 }, input }).execution;
  expect(ended.result).toMatchObject({
    ok: false,
    error: { code: "POLICY_REFUSED", rule: "max-calls", step: "again" },
  });
  expect(statuses(ended)).toBe("input:ok post:ok again:refused");
});

test("every attempt is a call", async () => {
  const flaky = tool("flaky", () => ({ kind: "fail", message: "busy", isPassing: true }));
  const step = { name: "flaky", retry: { attempts: 5, backoffMs: 0 }, onError: "continue" };
  const { trace, result } = await execute([step], { tools: [flaky], policy: { maxCalls: 3 } }).execution;
  expect(trace.steps[0]).toMatchObject({ status: "refused", attempts: 3, rule: "max-calls" });
  expect(result).toMatchObject({ ok: false, error: { code: "POLICY_REFUSED" } });
});

test("a tool that enforces a rule itself ends the run as the policy does", async () => {
  const far = tool("far", (_config, { run }) =>
    run.allowedHosts?.includes("b.example")
      ? output(null)
      : refuse({ code: "POLICY_REFUSED", rule: "allowed-hosts", detail: "not to this host", runId: "x", step: "y" }),
  );
  const step = { name: "far", onError: "continue", retry: { attempts: 3, backoffMs: 0 } };
  const ended = await execute([step], { tools: [far], policy: { allowedHosts: ["a.example"] } }).execution;
  expect(ended.result).toEqual({
    ok: false,
    error: {
      code: "POLICY_REFUSED",
      rule: "allowed-hosts",
      detail: "step far: not to this host",
      runId: RUN_ID,
      step: "far",
    },
  });
  expect(ended.trace.steps[0]).toMatchObject({ status: "refused", rule: "allowed-hosts", attempts: 1 });
});

test("a run has the time that the policy gives it", async () => {
  const hang = tool("hang", () => new Promise(() => {}));
  const { execution, clock } = execute(["hang"], { tools: [hang], policy: { maxDurationMs: 40 } });
  await clock.advance(40);
  const { result, trace } = await execution;
  expect(result).toMatchObject({
    ok: false,
    error: { code: "RUN_TIMEOUT", detail: "step hang: the run took longer than 40 ms" },
  });
  expect(trace).toMatchObject({ outcome: "timeout", status: 504, durationMs: 40 });
});

test("outputs and the answer have the size that the policy gives them", async () => {
  const policy = { maxOutputBytes: 20 };
  const large = { name: "echo", config: { text: "0123456789abcdef" } };
  const output = await execute([large], { policy }).execution;
  expect(output.result).toMatchObject({
    ok: false,
    error: { detail: expect.stringContaining("larger than 20 bytes") },
  });
  const answer = await execute([{ name: "response", config: { body: "0123456789abcdefghij" } }], { policy }).execution;
  expect(answer.result).toMatchObject({
    ok: false,
    error: { detail: expect.stringContaining("the answer is larger") },
  });
  expect(bodyOf(await execute([{ name: "echo", config: { text: "0123" } }], { policy }).execution)).toEqual({
    text: "0123",
  });
});
