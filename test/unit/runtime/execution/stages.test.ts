import { expect, test } from "vitest";
import type { ToolResult } from "../../../../src/runtime/tool.ts";
import { fail, output, refuse } from "../../../../src/runtime/tool.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";
import { bodyOf, execute, statuses, tool } from "./scene.ts";

const broken = tool("broken", () => fail("it is closed"));
const response = { name: "response", config: { body: "{{input}}" } };

/** Takes its time, and tells when its signal aborts. */
function slow(name: string, clock: ReturnType<typeof createFakeClock>, ms: number, aborted: string[] = []) {
  return tool(name, (_config, { signal }) => {
    signal.addEventListener("abort", () => aborted.push(`${name}: ${signal.reason.name}`));
    return new Promise<ToolResult>((resolve) => clock.after(ms, () => resolve(output(name))));
  });
}

test("the steps of a group run at once, and what follows reads them all", async () => {
  const clock = createFakeClock();
  const tools = [slow("a", clock, 100), slow("b", clock, 50)];
  const last = { name: "response", config: { body: ["{{a}}", "{{b}}"] } };
  const { execution } = execute(["a", "b", last], { tools, clock, order: [["a", "b"], "response"] });
  await clock.advance(100);
  const ended = await execution;
  expect(bodyOf(ended)).toEqual(["a", "b"]);
  expect(ended.trace).toMatchObject({ durationMs: 100, outcome: "ok" });
  expect(ended.trace.steps.map((step) => [step.toolId, step.durationMs])).toEqual([
    ["a", 100],
    ["b", 50],
    ["response", 0],
  ]);
});

test("a run whose steps only compute is over at once, without a timer or the signal of its caller", async () => {
  const never = (what: string) => () => {
    throw new Error(`${what} was made`);
  };
  const clock = { ...createFakeClock(), after: never("a timer") };
  const actor = { kind: "anonymous", id: "anonymous" } as const;
  const asOwner = { actor, requestId: "req_test", origin: "https://orchestrix.test", signal: never("the signal") };
  const { execution, isAtOnce } = execute(["input", "echo", response], { clock, changes: { asOwner } });
  expect(isAtOnce).toBe(true);
  expect((await execution).trace).toMatchObject({ outcome: "ok" });
});

test("a group at the end answers with its outputs by step", async () => {
  const steps = ["a", "b"].map((toolId) => ({ name: "echo", toolId, config: { is: toolId } }));
  expect(bodyOf(await execute(steps, { order: [["b", "a"]] }).execution)).toEqual({ b: { is: "b" }, a: { is: "a" } });
});

test("the outputs of a last group are bounded together", async () => {
  const steps = ["a", "b"].map((toolId) => ({ name: "echo", toolId, config: { text: "0123456789" } }));
  const { result } = await execute(steps, { order: [["a", "b"]], policy: { maxOutputBytes: 40 } }).execution;
  expect(result).toMatchObject({ ok: false, error: { code: "RUN_FAILED", detail: expect.stringContaining("larger") } });
});

test("at most 16 steps of a group run at once", async () => {
  const clock = createFakeClock();
  let running = 0;
  let most = 0;
  const counting = tool("counting", async () => {
    running += 1;
    most = Math.max(most, running);
    await new Promise<void>((resolve) => clock.after(10, resolve));
    running -= 1;
    return output(null);
  });
  const steps = Array.from({ length: 40 }, (_, i) => ({ name: "counting", toolId: `s${i}` }));
  const { execution } = execute(steps, { tools: [counting], clock, order: [steps.map((step) => step.toolId)] });
  await clock.advance(30);
  const { result, trace } = await execution;
  expect(result.ok).toBe(true);
  expect(most).toBe(16);
  expect(trace.steps).toHaveLength(40);
});

test("a step that ends the run cancels the others of its group, also one that ignores its signal", async () => {
  const clock = createFakeClock();
  const aborted: string[] = [];
  const late = tool("late", () => new Promise<ToolResult>((resolve) => clock.after(20, () => resolve(fail("first")))));
  const tools = [slow("a", clock, 9_000, aborted), late, tool("deaf", () => new Promise(() => {})), broken];
  const { execution } = execute(["a", "late", "deaf", "broken"], {
    tools,
    clock,
    order: [["a", "late", "deaf"], "broken"],
  });
  await clock.advance(20);
  const ended = await execution;
  expect(ended.result).toMatchObject({
    ok: false,
    error: { code: "RUN_FAILED", step: "late", detail: "step late: first" },
  });
  expect(statuses(ended)).toBe("a:cancelled late:failed deaf:cancelled");
  expect(ended.trace.outcome).toBe("failed");
  expect(ended.trace.steps[0]).toMatchObject({ error: "another step ended the run", durationMs: 20 });
  expect(aborted).toEqual(["a: AbortError"]);
});

test("what of a group has not begun when the run ends never begins", async () => {
  const clock = createFakeClock();
  const steps = Array.from({ length: 20 }, (_, i) => ({ name: i === 3 ? "broken" : "deaf", toolId: `s${i}` }));
  const deaf = tool("deaf", () => new Promise(() => {}));
  const scene = { tools: [broken, deaf], clock, order: [steps.map((step) => step.toolId)] };
  const { trace } = await execute(steps, scene).execution;
  expect(trace.steps).toHaveLength(16);
});

test("a refusal in a group answers, whatever fails after it", async () => {
  const refusing = tool("refusing", async () => refuse({ code: "NOT_FOUND", detail: "nothing found" }));
  const failing = tool("failing", async () => {
    await Promise.resolve();
    await Promise.resolve();
    return fail("too late");
  });
  const ended = await execute(["refusing", "failing"], {
    tools: [refusing, failing],
    order: [["refusing", "failing"]],
  }).execution;
  expect(ended.result).toEqual({ ok: false, error: { code: "NOT_FOUND", detail: "nothing found" } });
  expect(ended.trace).toMatchObject({ outcome: "ok", status: 404, error: null });
});

test("a caller who hangs up cancels a whole group", async () => {
  const controller = new AbortController();
  const clock = createFakeClock();
  const aborted: string[] = [];
  const tools = [slow("a", clock, 100, aborted), slow("b", clock, 100, aborted)];
  const { execution } = execute(["a", "b"], { tools, clock, order: [["a", "b"]], signal: controller.signal });
  await clock.advance(10);
  controller.abort();
  const ended = await execution;
  expect(ended.result).toMatchObject({ ok: false, error: { detail: "step a: the caller hung up" } });
  expect(ended.trace).toMatchObject({ outcome: "cancelled", status: null });
  expect(statuses(ended)).toBe("a:cancelled b:cancelled");
  expect(aborted).toEqual(["a: AbortError", "b: AbortError"]);
});

test.each(["read", "write"] as const)(
  "nothing that would %s begins for a caller who is gone already",
  async (effect) => {
    const call = tool("call", () => output("done"), { effect, preview: () => output("would") });
    const ended = await execute(["input", "call"], { tools: [call], signal: AbortSignal.abort() }).execution;
    expect(statuses(ended)).toBe("input:ok call:cancelled");
    expect(ended.trace.steps[1]).toMatchObject({ attempts: 0 });
  },
);

test("steps of a group do not see each other", async () => {
  const peek = tool("peek", async (_config, { scope }) => output([...scope.keys()].includes("echo")));
  const ended = await execute([{ name: "echo", config: { a: 1 } }, "peek"], {
    tools: [peek],
    order: [["echo", "peek"]],
  }).execution;
  expect(bodyOf(ended)).toEqual({ echo: { a: 1 }, peek: false });
});

test("a condition decides whether a step runs; skipped, its output is null", async () => {
  const steps = [
    "input",
    { name: "echo", toolId: "yes", config: { a: 1 }, when: 'input.name == "Ada"' },
    { name: "echo", toolId: "no", config: { a: "{{input.gone}}" }, when: 'input.name != "Ada"' },
    { name: "response", config: { body: { yes: "{{yes}}", no: "{{no}}", inner: "{{no.a?}}" } } },
  ];
  const ended = await execute(steps).execution;
  expect(bodyOf(ended)).toEqual({ yes: { a: 1 }, no: null });
  expect(statuses(ended)).toBe("input:ok yes:ok no:skipped response:ok");
  expect(ended.trace.steps[2]).toMatchObject({
    attempts: 0,
    durationMs: 0,
    input: null,
    output: null,
    outputBytes: null,
  });
});

test.each([
  ["cannot be evaluated", "input.gone", "its condition: no such field: gone"],
  ["is no yes or no", "input.name", "its condition: it gives neither true nor false"],
])("a condition that %s fails its step", async (_what, when, message) => {
  const ended = await execute(["input", { name: "echo", when }]).execution;
  expect(ended.result).toMatchObject({ ok: false, error: { code: "RUN_FAILED", detail: `step echo: ${message}` } });
  expect(ended.trace.steps[1]).toMatchObject({ status: "failed", attempts: 0, error: message });
  const survived = await execute(["input", { name: "echo", when, onError: "continue" }, response]).execution;
  expect(bodyOf(survived)).toEqual({ name: "Ada" });
});

test("an early response ends the run; passed by, it does not", async () => {
  const steps = [
    "input",
    { name: "response", toolId: "early", config: { status: 202, body: "early" }, when: "input.soon == true" },
    { name: "echo", config: { late: true } },
  ];
  const soon = await execute(steps, { input: { soon: true } }).execution;
  expect(soon.result).toEqual({ ok: true, value: { status: 202, headers: {}, body: "early" } });
  expect(statuses(soon)).toBe("input:ok early:ok");
  const later = await execute(steps, { input: { soon: false } }).execution;
  expect(bodyOf(later)).toEqual({ late: true });
  expect(statuses(later)).toBe("input:ok early:skipped echo:ok");
});

test("a response at the end that is passed by leaves the answer to the step before it", async () => {
  const last = { name: "response", config: { body: "never" }, when: "false" };
  expect(bodyOf(await execute(["input", last]).execution)).toEqual({ name: "Ada" });
});

test("a failure that may pass goes on with null, and its story can be read", async () => {
  const steps = [
    { name: "broken", onError: "continue" },
    {
      name: "response",
      config: {
        body: {
          out: "{{broken}}",
          step: "{{run.error.step}}",
          why: "{{run.error.message}}",
          code: "{{run.error.code}}",
        },
      },
    },
  ];
  const ended = await execute(steps, { tools: [broken] }).execution;
  expect(bodyOf(ended)).toEqual({ out: null, step: "broken", why: "it is closed", code: "RUN_FAILED" });
  expect(ended.trace).toMatchObject({
    outcome: "ok",
    error: null,
    steps: [{ status: "failed", error: "it is closed" }, {}],
  });
});

test("without a failure there is no story", async () => {
  const last = { name: "response", config: { body: { error: "{{run.error}}", why: "{{run.error.message?}}" } } };
  expect(bodyOf(await execute(["input", last]).execution)).toEqual({ error: null });
});

test("a failure can lead to a later step; those between are passed over", async () => {
  const steps = [
    { name: "broken", onError: "sorry" },
    { name: "echo", toolId: "a", config: {} },
    { name: "echo", toolId: "b", config: {} },
    { name: "response", toolId: "fine", config: { body: "fine" }, when: "run.error == null" },
    { name: "echo", toolId: "sorry", config: { a: "{{a}}", why: "{{run.error.message}}" } },
  ];
  const scene = { tools: [broken], order: ["broken", ["a", "b"], "fine", "sorry"] };
  const ended = await execute(steps, scene).execution;
  expect(bodyOf(ended)).toEqual({ a: null, why: "it is closed" });
  expect(statuses(ended)).toBe("broken:failed a:skipped b:skipped fine:skipped sorry:ok");
});

test("a handler stands after the response, and reads what was passed over as null", async () => {
  const steps = [
    { name: "broken", onError: "sorry" },
    { name: "echo", toolId: "between", config: {} },
    { name: "response", config: { body: "fine" } },
    {
      name: "response",
      toolId: "sorry",
      config: { status: 503, body: { between: "{{between}}", response: "{{response}}", why: "{{run.error.message}}" } },
    },
  ];
  const ended = await execute(steps, { tools: [broken] }).execution;
  const body = { between: null, response: null, why: "it is closed" };
  expect(ended.result).toMatchObject({ ok: true, value: { status: 503, body } });
  expect(statuses(ended)).toBe("broken:failed between:skipped response:skipped sorry:ok");
  const fine = await execute([{ name: "echo", toolId: "broken", onError: "sorry", config: {} }, ...steps.slice(1)])
    .execution;
  expect(bodyOf(fine)).toBe("fine");
  expect(statuses(fine)).toBe("broken:ok between:ok response:ok");
});

test("a response that fails leads to its handler", async () => {
  const steps = [
    "input",
    { name: "response", onError: "sorry", config: { body: "{{input.gone}}" } },
    { name: "response", toolId: "sorry", config: { status: 503, body: "{{run.error.step}}" } },
  ];
  const ended = await execute(steps).execution;
  expect(ended.result).toMatchObject({ ok: true, value: { status: 503, body: "response" } });
  expect(statuses(ended)).toBe("input:ok response:failed sorry:ok");
});

test("a refusal counts as a failure where the graph says how to go on", async () => {
  const refusing = tool("refusing", () => refuse({ code: "NOT_FOUND", detail: "nothing found" }));
  const steps = [
    { name: "refusing", onError: "continue" },
    { name: "echo", config: { why: "{{run.error}}" } },
  ];
  const ended = await execute(steps, { tools: [refusing] }).execution;
  expect(bodyOf(ended)).toEqual({ why: { step: "refusing", code: "NOT_FOUND", message: "nothing found" } });
  expect(statuses(ended)).toBe("refusing:refused echo:ok");
  expect(ended.trace.steps[0]).toMatchObject({ error: "nothing found" });
});

test("a handler of bad input can say which fields are wrong", async () => {
  const schema = { type: "object", required: ["zip"], properties: { age: { type: "integer" } } };
  const steps = [
    "input",
    { name: "inputValidation", config: { schema }, onError: "sorry" },
    { name: "response", config: { body: "fine" } },
    { name: "response", toolId: "sorry", config: { status: 422, body: "{{run.error}}" } },
  ];
  const ended = await execute(steps, { input: { age: "x" } }).execution;
  const body = bodyOf(ended) as { message: string; errors: readonly { path: string; message: string }[] };
  expect(body).toMatchObject({ step: "inputValidation", code: "VALIDATION_FAILED" });
  expect(body.message).toContain("zip: is required");
  expect(body.errors).toContainEqual({ path: "zip", message: "is required" });
  expect(body.errors.map(({ path }) => path).sort()).toEqual(["age", "zip"]);
  expect(ended.trace.steps[1]).toMatchObject({ status: "refused", error: body.message });
});

test("what is told of a refusal is bounded, however much a tool says", async () => {
  const errors = Array.from({ length: 150 }, () => ({ path: "p".repeat(900), message: "m".repeat(900) }));
  const loud = tool("loud", () => refuse({ code: "VALIDATION_FAILED", detail: "d".repeat(900), errors }));
  const steps = [
    { name: "loud", onError: "continue" },
    { name: "echo", config: { why: "{{run.error}}" } },
  ];
  const { why } = bodyOf(await execute(steps, { tools: [loud] }).execution) as { why: Record<string, any> };
  expect(why.message).toBe(`${"d".repeat(500)}…`);
  expect(why.errors).toHaveLength(100);
  expect(why.errors[99]).toEqual({ path: `${"p".repeat(500)}…`, message: `${"m".repeat(500)}…` });
});

test("in a group the failure that leads elsewhere decides, after the others have ended", async () => {
  const clock = createFakeClock();
  const steps = [
    { name: "broken", toolId: "ignored", onError: "continue" },
    { name: "broken", toolId: "leads", onError: "rescue" },
    "slow",
    { name: "echo", toolId: "between" },
    { name: "response", toolId: "rescue", config: { body: { step: "{{run.error.step}}", slow: "{{slow}}" } } },
  ];
  const order = [["ignored", "leads", "slow"], "between", "rescue"];
  const { execution } = execute(steps, { tools: [broken, slow("slow", clock, 30)], clock, order });
  await clock.advance(30);
  const ended = await execution;
  expect(bodyOf(ended)).toEqual({ step: "leads", slow: "slow" });
  expect(statuses(ended)).toBe("ignored:failed leads:failed slow:ok between:skipped rescue:ok");
});

test("all outputs together are bounded", async () => {
  const big = tool("big", () => output("x".repeat(1_000_000)));
  const steps = Array.from({ length: 9 }, (_, i) => ({ name: "big", toolId: `s${i}` }));
  const { result, trace } = await execute(steps, { tools: [big] }).execution;
  expect(result).toMatchObject({
    ok: false,
    error: { step: "s8", detail: expect.stringContaining("8388608 bytes together") },
  });
  expect(trace.steps.at(-1)).toMatchObject({ status: "failed", output: null });
});

test("a run that another one began ends with it", async () => {
  const clock = createFakeClock();
  const hang = tool("hang", (_config, { run }) => {
    expect(run.deadlineAtMs).toBe(clock.now() + 25);
    return new Promise(() => {});
  });
  const { execution } = execute(["hang"], { tools: [hang], clock, changes: { deadlineAtMs: clock.now() + 25 } });
  await clock.advance(25);
  expect((await execution).result).toMatchObject({
    ok: false,
    error: { detail: "step hang: the run took longer than 25 ms" },
  });
});

test("a step knows its run, itself and its expressions", async () => {
  const seen = tool("seen", (_config, { run, toolId, stepKey, agentId, ownerId, requestHeaders, evaluate }) =>
    output({ chain: run.chain, toolId, stepKey, agentId, ownerId, requestHeaders, none: evaluate("gone").ok }),
  );
  const request = { input: null, method: "POST", headers: { "x-a": "1" }, query: {} };
  expect(
    bodyOf(await execute(["seen"], { tools: [seen], changes: { request, chain: ["agent_a", "agent_b"] } }).execution),
  ).toEqual({
    chain: ["agent_a", "agent_b"],
    toolId: "seen",
    stepKey: "run_00000000000000000000000001:seen",
    agentId: "agent_00000000000000000000000001",
    ownerId: "user-1",
    requestHeaders: { "x-a": "1" },
    none: false,
  });
  const value = await execute(["input", { name: "evaluating", config: { expression: "input.name" } }]).execution;
  expect(bodyOf(value)).toBe("Ada");
});
