import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { ok } from "../../../../src/core/result.ts";
import type { Expressions } from "../../../../src/runtime/expressions/expression.ts";
import { loadExpressions } from "../../../../src/runtime/expressions/load-expressions.ts";
import { RUN_MAX_WORK } from "../../../../src/runtime/limits.ts";
import { createRunWork } from "../../../../src/runtime/run-work.ts";
import { output } from "../../../../src/runtime/tool.ts";
import { transformTool } from "../../../../src/runtime/tools/transform.ts";
import { startCpuTimer } from "../../../support/cpu-time.ts";
import { createClockWithBreaks } from "../../../support/fake-clock.ts";
import { bodyOf, execute, type Scene, type Step, statuses, tool } from "./scene.ts";

/** The square of the list's length in steps: more than half of what an expression may take, for 300 items. */
const HEAVY = "input.l.map(a, input.l.map(b, a + b).size()).size()";
const LIST = { l: Array.from({ length: 300 }, (_, i) => i) };
const RULES = Array.from({ length: 50 }, (_, i) => ({ name: `r${i}`, when: `${HEAVY} < 0` }));

const A_FIFTH = RUN_MAX_WORK / 5;
const SPENT = "this run and all that it calls compute too much";

/** Counts what is evaluated. */
async function countedExpressions(): Promise<Expressions & { readonly evaluations: () => number }> {
  const { compile } = await loadExpressions();
  let evaluations = 0;
  return {
    evaluations: () => evaluations,
    compile(text) {
      const compiled = compile(text);
      if (!compiled.ok) return compiled;
      const { evaluate } = compiled.value;
      return ok({
        ...compiled.value,
        evaluate(scope, work) {
          evaluations += 1;
          return evaluate(scope, work);
        },
      });
    },
  };
}

function times(count: number, step: (i: number) => Omit<Step & object, "toolId">): readonly Step[] {
  return ["input", ...Array.from({ length: count }, (_, i): Step => ({ ...step(i), toolId: `t${i}` }) as Step)];
}

async function run(steps: readonly Step[], scene: Scene, left = RUN_MAX_WORK) {
  const whole = createRunWork();
  const work = { ...whole, left, breakBelow: whole.breakBelow - whole.left + left };
  const expressions = scene.expressions ?? (await loadExpressions());
  const { execution, isAtOnce } = execute(steps, {
    clock: createClockWithBreaks(),
    expressions,
    changes: { family: { runs: 1, work } },
    ...scene,
    tools: [transformTool, ...(scene.tools ?? [])],
  });
  return { ended: await execution, isAtOnce, spent: left - work.left };
}

const one = { name: "transform", config: { expression: "1" } };
const heavy = { name: "transform", config: { expression: HEAVY }, onError: "continue" };

test("rules that are asked at every step have one budget of work, and refuse beyond it", async () => {
  const expressions = await countedExpressions();
  const cpuMs = startCpuTimer();
  const { ended } = await run(
    times(98, () => one),
    { input: LIST, policy: { deny: RULES }, expressions },
  );
  expect(ended.result).toMatchObject({
    ok: false,
    error: { code: "POLICY_REFUSED", detail: expect.stringContaining(`could not be evaluated: ${SPENT}`) },
  });
  expect(expressions.evaluations()).toBeLessThan(100);
  expect(cpuMs()).toBeLessThan(4_000);
});

test("so do transforms and conditions, and the run ends there, whatever a step's onError says", async () => {
  const expressions = await countedExpressions();
  const { ended } = await run(
    times(98, (i) => (i % 2 === 0 ? heavy : { ...one, when: `${HEAVY} > 0`, onError: "continue" })),
    { input: LIST, expressions },
    A_FIFTH,
  );
  expect(ended.result).toMatchObject({
    ok: false,
    error: { code: "RUN_FAILED", detail: expect.stringContaining(SPENT) },
  });
  expect(expressions.evaluations()).toBeLessThan(25);
  expect(ended.trace.steps.length).toBeLessThan(40);
  expect(ended.trace.steps.at(-1)).toMatchObject({ status: "failed", attempts: 0 });
});

test("a validation for which nothing is left is no fault of the caller's", async () => {
  const schema = { type: "array", uniqueItems: true, items: { anyOf: [{ type: "string" }, { minimum: 0 }] } };
  const validate = { name: "inputValidation", config: { schema, data: "{{input}}" }, onError: "continue" };
  const input = Array.from({ length: 70_000 }, (_, i) => i);
  const { ended } = await run(
    times(98, () => validate),
    { input },
    A_FIFTH,
  );
  expect(ended.result).toMatchObject({
    ok: false,
    error: { code: "RUN_FAILED", detail: expect.stringContaining(SPENT) },
  });
  expect(ended.trace.steps.length).toBeLessThan(20);
});

test("others are served in between, also while rules are asked or fields computed, and by steps that run at once", async () => {
  const turnsOf = async (steps: readonly Step[], scene: Scene) => {
    let turns = 0;
    let isOver = false;
    const turn = () => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    await run(steps, { input: LIST, ...scene }, A_FIFTH);
    isOver = true;
    return turns;
  };
  expect(
    await turnsOf(
      times(1, () => one),
      { policy: { deny: RULES } },
    ),
  ).toBeGreaterThan(2);
  expect(
    await turnsOf(
      times(40, () => heavy),
      {},
    ),
  ).toBeGreaterThan(2);
  const fields = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`f${i}`, HEAVY]));
  const whole = times(1, () => ({ name: "transform", config: { fields } }));
  expect(await turnsOf(whole, {})).toBeGreaterThan(2);
  const order = [
    "input",
    Array.from({ length: 16 }, (_, i) => `t${i}`),
    Array.from({ length: 24 }, (_, i) => `t${i + 16}`),
  ];
  expect(
    await turnsOf(
      times(40, () => heavy),
      { order },
    ),
  ).toBeGreaterThan(2);
});

test("steps that run at once make no more calls than the policy allows while others' rules are asked", async () => {
  const order = ["input", ["t0", "t1", "t2", "t3"]];
  const policy = { maxCalls: 2, deny: RULES.slice(0, 3) };
  let calls = 0;
  const call = tool("call", () => output(++calls));
  const { ended } = await run(
    times(4, () => ({ name: "call" })),
    { input: LIST, order, policy, tools: [call] },
  );
  expect(calls).toBeLessThanOrEqual(2);
  expect(ended.result).toMatchObject({ ok: false, error: { rule: "max-calls" } });
});

test("a hundred steps that each look at a list of 10,000 items stay below half of the budget", async () => {
  const input = { l: Array.from({ length: 10_000 }, (_, i) => i) };
  const look = { name: "transform", config: { expression: "input.l.map(a, a + 1).size()" } };
  const { ended, spent } = await run(
    times(98, () => ({ ...look, when: "input.l.all(a, a >= 0.0)" })),
    { input },
  );
  expect(bodyOf(ended)).toBe(10_000);
  expect(spent).toBeLessThan(RUN_MAX_WORK / 2);
});

test("a run of little work is over at once, and takes next to nothing", async () => {
  const policy = { deny: [{ name: "r", when: "input.n > 5" }] };
  const sum = { name: "transform", config: { expression: "input.n + 1" }, when: "input.n > 0" };
  const steps: readonly Step[] = ["input", sum, { name: "response", config: { body: "{{transform}}" } }];
  const { ended, isAtOnce, spent } = await run(steps, { input: { n: 1 }, policy });
  expect([bodyOf(ended), isAtOnce]).toEqual([2, true]);
  expect(statuses(ended)).toBe("input:ok transform:ok response:ok");
  expect(spent).toBeLessThan(100);
});

test("a run does not hold on to the large configs of steps that have ended", async () => {
  let goOn = () => {};
  let reach = () => {};
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const waiting = tool("waiting", async () => {
    reach();
    await new Promise<void>((resolve) => {
      goOn = resolve;
    });
    return output(null);
  });
  const data = "{{input.t}}".repeat(4);
  const fails = { name: "inputValidation", config: { schema: { type: "number" }, data }, onError: "continue" };
  const steps = [...times(96, () => fails), { name: "waiting" }];
  const input = { t: `\u0101${"a".repeat(250_000)}` };
  const before = heapBytes();
  const running = run(steps, { input, tools: [waiting] });
  await reached;
  const held = heapBytes() - before;
  goOn();
  const { ended } = await running;
  expect(held).toBeLessThan(30_000_000);
  expect(ended.trace.steps[5]?.input).toMatch(/^\{"schema":\{"type":"number"\},"data":"āaaa.*…$/);
});

/** After a collection of what nobody holds. */
function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}
