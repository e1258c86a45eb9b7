import { expect, test } from "vitest";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import type { Json } from "../../../src/core/json.ts";
import { runTraceSchema } from "../../../src/runtime/contract.ts";
import { fail, output } from "../../../src/runtime/tool.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { AGENT_ID, execute, RUN_ID, tool } from "./execution/scene.ts";

const SECRET = "hunter2-hunter2";
const WITH_SECRET = { input: { password: SECRET } };

test("a graph without a response answers with its last output", async () => {
  const { result, trace } = await execute(["input"], WITH_SECRET).execution;
  expect(result).toEqual({ ok: true, value: { status: 200, headers: {}, body: { password: SECRET } } });
  expect(trace).toEqual({
    runId: RUN_ID,
    agentId: AGENT_ID,
    serverId: "mcp_1",
    version: 3,
    requestId: "req_test",
    traceId: null,
    trigger: "http",
    dryRun: false,
    outcome: "ok",
    status: 200,
    startedAt: "2026-02-13T10:30:00.000Z",
    durationMs: 0,
    error: null,
    steps: [
      {
        toolId: "input",
        name: "input",
        status: "ok",
        startedAt: "2026-02-13T10:30:00.000Z",
        durationMs: 0,
        attempts: 1,
        outputBytes: JSON.stringify({ password: SECRET }).length,
        error: null,
        rule: null,
        input: {},
        output: { password: "[masked]" },
      },
    ],
  });
  expect(runTraceSchema.parse(trace)).toEqual(trace);
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
  const request = { input: [1, 2], method: "POST", headers: {}, query: { q: "x" } };
  const { result } = await execute(["input", response], { changes: { request } }).execution;
  expect(result).toEqual({
    ok: true,
    value: {
      status: 201,
      headers: { "x-method": "POST" },
      body: {
        input: [1, 2],
        q: "x",
        run: RUN_ID,
        agent: AGENT_ID,
        owner: "user-1",
      },
    },
  });
});

test("a missing reference fails the step and names the reference", async () => {
  const { result, trace } = await execute(["input", { name: "response", config: { body: "{{input.gone}}" } }])
    .execution;
  expect(result).toEqual({
    ok: false,
    error: {
      code: "RUN_FAILED",
      detail: "step response: {{input.gone}} has no value",
      runId: RUN_ID,
      step: "response",
    },
  });
  expect(trace.steps.map((step) => step.status)).toEqual(["ok", "failed"]);
});

test("a value that does not fit its setting fails the step without being shown", async () => {
  const response = { name: "response", config: { status: "{{input.password}}" } };
  const { result, trace } = await execute(["input", response], WITH_SECRET).execution;
  expect(result).toMatchObject({ ok: false, error: { code: "RUN_FAILED", detail: expect.stringContaining("status") } });
  expect(JSON.stringify([result, trace])).not.toContain(SECRET);
});

test("an expected failure ends the run with its own words", async () => {
  const broken = tool("broken", () => fail("the other side is closed"));
  const { result } = await execute([{ name: "broken" }, "input"], { tools: [broken] }).execution;
  expect(result).toMatchObject({
    ok: false,
    error: { code: "RUN_FAILED", detail: "step broken: the other side is closed" },
  });
});

test("a bug is logged whole and told as an internal error", async () => {
  const buggy = tool("buggy", () => {
    throw new TypeError(`connect mongodb://root:${SECRET}@db failed`);
  });
  const { execution, lines } = execute(["input", "buggy"], { tools: [buggy], ...WITH_SECRET });
  const { result, trace } = await execution;
  expect(result).toMatchObject({ ok: false, error: { code: "RUN_FAILED", detail: "step buggy: internal error" } });
  expect(JSON.stringify([result, trace])).not.toContain(SECRET);
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
  const { execution, lines } = execute(["lost"], { tools: [lost] });
  expect((await execution).result).toMatchObject({ ok: false, error: { code: "STORAGE_UNAVAILABLE" } });
  expect(lines.map((line) => line.level)).toEqual(["warn"]);
});

test("a step that hangs ends the run after its own time, with the step named", async () => {
  const clock = createFakeClock();
  const hang = tool("hang", () => new Promise(() => {}));
  const { execution } = execute(["input", { name: "hang", timeoutMs: 50 }], { tools: [hang], clock });
  await clock.advance(50);
  const { result, trace } = await execution;
  expect(result).toMatchObject({
    ok: false,
    error: { code: "RUN_TIMEOUT", step: "hang", detail: "step hang: took longer than 50 ms" },
  });
  expect(trace.steps.at(-1)).toMatchObject({ toolId: "hang", status: "timeout", durationMs: 50, outputBytes: null });
  expect(trace.durationMs).toBe(50);
});

test("a step that computes beyond its time without a wait is what it comes to", async () => {
  const fake = createFakeClock();
  let spentMs = 0;
  const clock = { ...fake, now: () => fake.now() + spentMs };
  const hash = tool("hash", async () => {
    await Promise.resolve();
    spentMs = 141;
    return output("done");
  });
  const { result, trace } = await execute([{ name: "hash", timeoutMs: 1 }], { tools: [hash], clock }).execution;
  expect(result).toMatchObject({ ok: true, value: { body: "done" } });
  expect(trace.steps[0]).toMatchObject({ status: "ok", durationMs: 141 });
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
  const { execution } = execute(["a", "b", "c", "d"], { tools: steps, clock });
  await clock.advance(30_000);
  const { result, trace } = await execution;
  expect(result).toMatchObject({
    ok: false,
    error: { code: "RUN_TIMEOUT", step: "d", detail: "step d: the run took longer than 30000 ms" },
  });
  expect(trace.durationMs).toBe(30_000);
  expect(aborted).toMatchObject({ name: "TimeoutError" });
});

test("a caller who hangs up ends the run", async () => {
  const controller = new AbortController();
  const hang = tool("hang", () => new Promise(() => {}));
  const { execution } = execute(["hang", "input"], { tools: [hang], signal: controller.signal });
  controller.abort();
  const { result, trace } = await execution;
  expect(result).toMatchObject({ ok: false, error: { code: "RUN_FAILED", detail: "step hang: the caller hung up" } });
  expect(trace).toMatchObject({ outcome: "cancelled", status: null, steps: [{ toolId: "hang", status: "cancelled" }] });
});

test.each<[string, () => Json]>([
  ["large", () => "x".repeat(1_048_577)],
  ["large only when written out", () => sharing(30)],
  ["deep", () => nested(200)],
])("an output that is too %s fails its step", async (_what, make) => {
  const big = tool("big", () => output(make()));
  const { result } = await execute(["big"], { tools: [big] }).execution;
  expect(result).toMatchObject({
    ok: false,
    error: { code: "RUN_FAILED", detail: expect.stringContaining("larger than") },
  });
});

test("a config that repeats a large input fails before anything is made of it", async () => {
  const body = Array.from({ length: 20 }, () => "{{input}}");
  const input = "y".repeat(200_000);
  const { result } = await execute(["input", { name: "response", config: { body } }], { input }).execution;
  expect(result).toMatchObject({ ok: false, error: { detail: expect.stringContaining("grows beyond") } });
});

test("a config that nests too deep with what it refers to fails its step, which says so", async () => {
  const wrap = { name: "echo", config: { all: [["{{input}}"]] } };
  const { result } = await execute(["input", wrap], { input: nested(126) }).execution;
  expect(result).toMatchObject({ ok: false, error: { code: "RUN_FAILED", step: "echo" } });
  expect(result).toMatchObject({ error: { detail: expect.stringContaining("or nests too deep") } });
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
