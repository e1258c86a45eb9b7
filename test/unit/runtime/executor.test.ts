import { expect, test } from "vitest";
import * as z from "zod";
import type { Clock } from "../../../src/core/clock.ts";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import type { Json } from "../../../src/core/json.ts";
import { toolSchema } from "../../../src/runtime/contract.ts";
import { executePlan, type RunRequest } from "../../../src/runtime/execution/executor.ts";
import { planGraph } from "../../../src/runtime/graph/graph.ts";
import { toolRegistry } from "../../../src/runtime/registry.ts";
import { defineTool, fail, output, type Tool, type ToolDefinition } from "../../../src/runtime/tool.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createMemoryDocuments } from "../../support/memory-documents.ts";
import { callBy, createTestLog, createToolServices, keyOf, requestOf } from "../../support/runtime/runtime.ts";

const SECRET = "hunter2-hunter2";

function tool(name: string, run: ToolDefinition<z.ZodType>["run"]): Tool {
  return defineTool({ name, description: name, config: z.looseObject({}), output: z.unknown(), run });
}

interface Setup {
  readonly extra?: readonly Tool[];
  readonly clock?: Clock;
  readonly request?: RunRequest;
  readonly signal?: AbortSignal;
}

/** Runs steps that carry their tool's name as id, in the order given. */
function execute(
  steps: readonly (string | { name: string; config?: object; timeoutMs?: number })[],
  setup: Setup = {},
) {
  const { extra = [], clock = createFakeClock(), request = requestOf({ password: SECRET }), signal } = setup;
  const registry = new Map([...toolRegistry, ...extra.map((t) => [t.name, t] as const)]);
  const tools = steps.map((step) => (typeof step === "string" ? { name: step } : step));
  const specs = tools.map((spec) => toolSchema.parse({ toolId: spec.name, ...spec }));
  const plan = planGraph(
    { tools: specs, executionOrder: specs.map((spec) => spec.toolId), inputSchema: { type: "object" } },
    registry,
  );
  if (!plan.ok) throw new Error(JSON.stringify(plan.error));
  const { log, lines } = createTestLog();
  const order = {
    runId: "run_00000000000000000000000001",
    agentId: "agent_00000000000000000000000001",
    ownerId: "user-1",
    request,
    asOwner: callBy(keyOf("user-1", "search"), signal === undefined ? {} : { signal }),
  };
  const services = createToolServices(createMemoryDocuments(), clock);
  return { execution: executePlan(plan.value, order, { clock, log, services }), lines };
}

test("a graph without a response answers with its last output", async () => {
  const { result, steps } = await execute(["input"]).execution;
  expect(result).toEqual({ ok: true, value: { status: 200, headers: {}, body: { password: SECRET } } });
  expect(steps).toEqual([
    {
      toolId: "input",
      name: "input",
      status: "ok",
      startedAt: "2026-02-13T10:30:00.000Z",
      durationMs: 0,
      outputBytes: JSON.stringify({ password: SECRET }).length,
      error: null,
    },
  ]);
});

test("a response says status, headers and body from what ran before", async () => {
  const response = {
    name: "response",
    config: {
      status: 201,
      headers: { "X-Method": "{{request.method}}" },
      body: {
        input: "{{input}}",
        q: "{{request.query.q}}",
        run: "{{run.id}}",
        agent: "{{agent.id}}",
        owner: "{{owner.id}}",
      },
    },
  };
  const request = requestOf([1, 2], { query: { q: "x" } });
  const { result } = await execute(["input", response], { request }).execution;
  expect(result).toEqual({
    ok: true,
    value: {
      status: 201,
      headers: { "x-method": "POST" },
      body: {
        input: [1, 2],
        q: "x",
        run: "run_00000000000000000000000001",
        agent: "agent_00000000000000000000000001",
        owner: "user-1",
      },
    },
  });
});

test("a missing reference fails the step and names the reference", async () => {
  const { result, steps } = await execute(["input", { name: "response", config: { body: "{{input.gone}}" } }])
    .execution;
  expect(result).toEqual({
    ok: false,
    error: {
      code: "RUN_FAILED",
      detail: "step response: {{input.gone}} has no value",
      runId: "run_00000000000000000000000001",
      step: "response",
    },
  });
  expect(steps.map((step) => step.status)).toEqual(["ok", "failed"]);
});

test("a value that does not fit its setting fails the step without being shown", async () => {
  const response = { name: "response", config: { status: "{{input.password}}" } };
  const { result, steps } = await execute(["input", response]).execution;
  expect(result).toMatchObject({ ok: false, error: { code: "RUN_FAILED", detail: expect.stringContaining("status") } });
  expect(JSON.stringify([result, steps])).not.toContain(SECRET);
});

test("an expected failure ends the run with its own words", async () => {
  const broken = tool("broken", () => fail("the other side is closed"));
  const { result } = await execute([{ name: "broken" }, "input"], { extra: [broken] }).execution;
  expect(result).toMatchObject({
    ok: false,
    error: { code: "RUN_FAILED", detail: "step broken: the other side is closed" },
  });
});

test("a bug is logged whole and told as an internal error", async () => {
  const buggy = tool("buggy", () => {
    throw new TypeError(`connect mongodb://root:${SECRET}@db failed`);
  });
  const { execution, lines } = execute(["input", "buggy"], { extra: [buggy] });
  const { result, steps } = await execution;
  expect(result).toMatchObject({ ok: false, error: { code: "RUN_FAILED", detail: "step buggy: internal error" } });
  expect(JSON.stringify([result, steps])).not.toContain(SECRET);
  expect(lines).toEqual([
    {
      level: "error",
      event: "step_bug",
      fields: expect.objectContaining({ step: "buggy", error: expect.any(TypeError) }),
    },
  ]);
});

test("a store that does not answer is no bug", async () => {
  const lost = tool("lost", () => Promise.reject(new StorageUnavailable("no answer")));
  const { execution, lines } = execute(["lost"], { extra: [lost] });
  expect((await execution).result).toMatchObject({ ok: false, error: { code: "STORAGE_UNAVAILABLE" } });
  expect(lines.map((line) => line.level)).toEqual(["warn"]);
});

test("a step that hangs ends the run after its own time, with the step named", async () => {
  const clock = createFakeClock();
  const hang = tool("hang", () => new Promise(() => {}));
  const { execution } = execute(["input", { name: "hang", timeoutMs: 50 }], { extra: [hang], clock });
  await clock.advance(50);
  const { result, steps, durationMs } = await execution;
  expect(result).toMatchObject({
    ok: false,
    error: { code: "RUN_TIMEOUT", step: "hang", detail: "step hang: took longer than 50 ms" },
  });
  expect(steps.at(-1)).toMatchObject({ toolId: "hang", status: "timeout", durationMs: 50, outputBytes: null });
  expect(durationMs).toBe(50);
});

test("all steps together have their time too, and the signal tells the step", async () => {
  const clock = createFakeClock();
  let aborted: unknown = null;
  const steps = ["a", "b", "c", "d"].map((name) =>
    tool(name, (_config, { signal }) => {
      signal.addEventListener("abort", () => {
        aborted = signal.reason;
      });
      return new Promise((resolve) => clock.after(9_000, () => resolve(output(name))));
    }),
  );
  const { execution } = execute(["a", "b", "c", "d"], { extra: steps, clock });
  await clock.advance(30_000);
  const { result, durationMs } = await execution;
  expect(result).toMatchObject({
    ok: false,
    error: { code: "RUN_TIMEOUT", step: "d", detail: "step d: the run took longer than 30000 ms" },
  });
  expect(durationMs).toBe(30_000);
  expect(aborted).toMatchObject({ name: "TimeoutError" });
});

test("a caller who hangs up ends the run", async () => {
  const controller = new AbortController();
  const hang = tool("hang", () => new Promise(() => {}));
  const { execution } = execute(["hang", "input"], { extra: [hang], signal: controller.signal });
  controller.abort();
  const { result, steps } = await execution;
  expect(result).toMatchObject({ ok: false, error: { code: "RUN_FAILED", detail: "step hang: the caller hung up" } });
  expect(steps).toHaveLength(1);
});

test.each<[string, () => Json]>([
  ["large", () => "x".repeat(1_048_577)],
  ["large only when written out", () => sharing(30)],
  ["deep", () => nested(200)],
])("an output that is too %s fails its step", async (_what, make) => {
  const big = tool("big", () => output(make()));
  const { result } = await execute(["big"], { extra: [big] }).execution;
  expect(result).toMatchObject({
    ok: false,
    error: { code: "RUN_FAILED", detail: expect.stringContaining("larger than") },
  });
});

test("a config that repeats a large input fails before anything is made of it", async () => {
  const body = Array.from({ length: 20 }, () => "{{input}}");
  const request = requestOf("y".repeat(200_000));
  const { result } = await execute(["input", { name: "response", config: { body } }], { request }).execution;
  expect(result).toMatchObject({ ok: false, error: { detail: expect.stringContaining("grows beyond") } });
});

/** A value whose text doubles with each level while its memory does not. */
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
