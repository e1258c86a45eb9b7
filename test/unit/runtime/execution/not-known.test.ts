import { expect, test } from "vitest";
import type { Json } from "../../../../src/core/json.ts";
import { output, standIn } from "../../../../src/runtime/tool.ts";
import { codeTool } from "../../../../src/runtime/tools/code.ts";
import { bodyOf, execute, type Scene, type Step, statuses, tool } from "./scene.ts";

const tried: string[] = [];

/** Asks somebody; a dry run does not. */
const ask = tool("ask", () => output({ status: 200, body: { total: 3 } }), {
  effect: "write",
  preview: () => standIn({ would: "ask" }),
});

const told = tool("told", () => output({ name: "Ada" }));

const note = tool("note", (config) => {
  tried.push("note");
  return output(config as Json);
});

function run(steps: readonly Step[], scene: Scene = {}) {
  tried.length = 0;
  return execute(steps, { tools: [ask, told, note, codeTool], dryRun: true, ...scene }).execution;
}

const READS = { name: "note", config: { total: "{{ask.body.total}}", page: "{{ask.body.page?}}" } };

test("a step that reads a call that was not made is not tried, nor is one that reads that step", async () => {
  const ended = await run(["ask", READS, { name: "echo", config: { of: "{{note.total}}" } }, { name: "response" }]);
  expect(statuses(ended)).toBe("ask:ok note:skipped echo:skipped response:ok");
  expect(tried).toEqual([]);
  expect(ended.trace.outcome).toBe("ok");
  expect(ended.trace.steps.map((step) => step.note)).toEqual([
    "not known in a dry run: steps that read this output are not tried",
    "not tried: a dry run does not know the output of ask",
    "not tried: a dry run does not know the output of note",
    undefined,
  ]);
});

test("what reads nothing of it is tried", async () => {
  const ended = await run(["told", "ask", { name: "note", config: { name: "{{told.name}}" } }]);
  expect(statuses(ended)).toBe("told:ok ask:ok note:ok");
  expect(tried).toEqual(["note"]);
  expect(ended.isKnown).toBe(true);
});

test("a response answers with null for what is not known, and says so", async () => {
  const body = { total: "{{ask.body.total}}", text: "of {{ask.body.total}}", all: "{{ask}}", name: "{{told.name}}" };
  const ended = await run(["told", "ask", { name: "response", config: { body } }]);
  expect(bodyOf(ended)).toEqual({ total: null, text: "of null", all: null, name: "Ada" });
  expect(ended.isKnown).toBe(false);
  expect(ended.trace.steps[2]?.note).toBe("a dry run does not know the output of ask: null stands in its place");
});

test("a response whose status is not known answers 200 with nothing", async () => {
  const config = { status: "{{ask.status}}", body: "{{ask.body}}" };
  const ended = await run(["ask", { name: "response", config }]);
  expect(ended.result).toEqual({ ok: true, value: { status: 200, headers: {}, body: null } });
  expect(ended.isKnown).toBe(false);
});

test("a response that reads what is nowhere fails all the same", async () => {
  const ended = await run(["told", "ask", { name: "response", config: { body: ["{{ask.body}}", "{{told.gone}}"] } }]);
  expect(ended.result).toMatchObject({ ok: false, error: { detail: "step response: {{told.gone}} has no value" } });
});

test("a condition over it leaves the step untried, and the run goes on", async () => {
  const ended = await run([
    "ask",
    { ...READS, when: "ask.status == 404" },
    { name: "response", config: { body: "end" } },
  ]);
  expect(statuses(ended)).toBe("ask:ok note:skipped response:ok");
  expect(ended.trace.steps[1]?.note).toBe("not tried: a dry run does not know the output of ask");
  expect(bodyOf(ended)).toBe("end");
  expect(ended).toMatchObject({ isKnown: true, isEndKnown: true });
});

const EARLY: Step = { name: "response", toolId: "early", when: "ask.status == 404", config: { status: 404 } };

test("behind a response that may have answered, nothing says for sure that the run comes so far", async () => {
  const ended = await run(["ask", EARLY, "told", { name: "response", config: { body: "end" } }]);
  expect(statuses(ended)).toBe("ask:ok early:skipped told:ok response:ok");
  const far = "not known whether the run comes this far: it may have ended at early";
  expect(ended.trace.steps.map((step) => step.note)).toEqual([
    "not known in a dry run: steps that read this output are not tried",
    "not tried: a dry run does not know the output of ask; the run may end here",
    far,
    far,
  ]);
  expect(bodyOf(ended)).toBe("end");
  expect(ended).toMatchObject({ isKnown: false, isEndKnown: false });
});

test("the first such response is named, beside what else is not known, and where nothing answers behind them", async () => {
  const second: Step = { ...EARLY, name: "response", toolId: "second" };
  const reading: Step = { name: "response", config: { body: "{{ask.body}}" } };
  const ended = await run(["ask", EARLY, second, reading]);
  expect(ended.trace.steps[3]?.note).toBe(
    "a dry run does not know the output of ask: null stands in its place; " +
      "not known whether the run comes this far: it may have ended at early",
  );
  const without = await run(["ask", EARLY, "told"]);
  expect(bodyOf(without)).toEqual({ name: "Ada" });
  expect(without.isKnown).toBe(false);
});

test("a step that fails behind one fails the dry run, and says that the run may not come so far", async () => {
  const ended = await run(["told", "ask", EARLY, { name: "echo", config: { of: "{{told.gone}}" } }]);
  expect(statuses(ended)).toBe("told:ok ask:ok early:skipped echo:failed");
  expect(ended.trace.steps[3]?.note).toContain("it may have ended at early");
  expect(ended.isEndKnown).toBe(false);
});

test("a response that is passed by for a reason that is known leaves the answer known", async () => {
  const passed: Step = { ...EARLY, name: "response", when: "1 == 2" };
  const ended = await run(["ask", passed, { name: "response", config: { body: "end" } }]);
  expect(ended).toMatchObject({ isKnown: true, isEndKnown: true });
  expect(ended.trace.steps[2]?.note).toBeUndefined();
});

test("where no response answers, it is what the last step before gives that is known or not", async () => {
  const passed: Step = { ...EARLY, name: "response", when: "1 == 2" };
  expect((await run(["told", "ask", passed])).isKnown).toBe(false);
  expect((await run(["ask", "told", passed])).isKnown).toBe(true);
});

test("what was not called, or not tried, is taken to have gone well: no onError is followed", async () => {
  const failing: Step = { ...READS, onError: "echo" };
  const ended = await run(["ask", failing, "told", { name: "response", config: { body: "end" } }, { name: "echo" }]);
  expect(statuses(ended)).toBe("ask:ok note:skipped told:ok response:ok");
  expect(ended.isKnown).toBe(true);
});

test("a condition that is known to fail skips as ever: what the step gives is null, and known", async () => {
  const ended = await run(["ask", { ...READS, when: "1 == 2" }, { name: "echo", config: { of: "{{note}}" } }]);
  expect(statuses(ended)).toBe("ask:ok note:skipped echo:ok");
  expect(bodyOf(ended)).toEqual({ of: null });
});

test("expressions over it are not tried, and code sees all outputs", async () => {
  const steps: Step[] = [
    { name: "evaluating", config: { expression: "ask" } },
    { name: "code", config: { source: "export default async () => 1;" } },
  ];
  expect(statuses(await run(["ask", ...steps]))).toBe("ask:ok evaluating:skipped code:skipped");
});

test("steps beside it know nothing of it, and are tried", async () => {
  const code: Step = { name: "code", config: { source: "export default async () => 1;" } };
  const sandbox = { run: async () => ({ kind: "output", value: 1 }) as const };
  const ended = await run(["ask", code], { order: [["ask", "code"]], services: { sandbox } });
  expect(statuses(ended)).toBe("ask:ok code:ok");
});

test("a run that is not dry knows all", async () => {
  const ended = await run(["ask", { name: "note", config: { total: "{{ask.body.total}}" } }], { dryRun: false });
  expect(bodyOf(ended)).toEqual({ total: 3 });
  expect(ended.isKnown).toBe(true);
  expect(ended.trace.steps.every((step) => !("note" in step))).toBe(true);
});
