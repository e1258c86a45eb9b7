import { expect, test } from "vitest";
import { StorageUnavailable } from "../../../../src/core/errors.ts";
import type { RunTrace } from "../../../../src/runtime/contract.ts";
import { failForNow, output } from "../../../../src/runtime/tool.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";
import { bodyOf, execute, statuses, tool } from "./scene.ts";

function store(happened: string[]) {
  const write = tool(
    "store",
    (config, { toolId }) => {
      happened.push(toolId);
      return output(config as never);
    },
    { effect: "write", preview: (_config, { toolId }) => output({ would: toolId }) },
  );
  const read = tool("look", () => output("seen"), { effect: "read" });
  return [write, read];
}

function steps(trace: RunTrace): string {
  return trace.steps.map((step) => step.toolId).join(" ");
}

const TWO_WRITES = [
  "input",
  { name: "store", toolId: "one", config: { a: 1 } },
  "look",
  { name: "store", toolId: "two", config: { b: "{{one.a}}" } },
  "response",
];

test("what is known is written down before each step that changes something, and never else", async () => {
  const happened: string[] = [];
  const journal = async (trace: RunTrace) => {
    happened.push(`journal: ${steps(trace)}`);
  };
  const { execution, journalled } = execute(TWO_WRITES, { tools: store(happened), journal });
  await execution;
  expect(happened).toEqual(["journal: input", "one", "journal: input one look", "two"]);
  expect(journalled[1]).toMatchObject({
    outcome: "running",
    status: null,
    error: null,
    steps: [{}, { toolId: "one", status: "ok", output: { a: 1 } }, {}],
  });
  const reading = execute(["input", "look", "response"], { tools: store([]) });
  await reading.execution;
  expect(reading.journalled).toEqual([]);
});

test("a step does not begin whose journal cannot be written, whatever its onError says", async () => {
  const happened: string[] = [];
  const journal = (trace: RunTrace) =>
    trace.steps.some((step) => step.toolId === "one")
      ? Promise.reject(new StorageUnavailable("no answer"))
      : Promise.resolve();
  const given = TWO_WRITES.map((step) =>
    typeof step === "string" ? step : { ...step, onError: "continue", retry: { attempts: 3, backoffMs: 0 } },
  );
  const { execution, lines } = execute(given, { tools: store(happened), journal });
  const ended = await execution;
  expect(ended.result).toMatchObject({ ok: false, error: { code: "STORAGE_UNAVAILABLE" } });
  expect(ended.trace).toMatchObject({ outcome: "failed", status: 503 });
  expect(happened).toEqual(["one"]);
  expect(statuses(ended)).toBe("input:ok one:ok look:ok two:failed");
  expect(ended.trace.steps[3]).toMatchObject({ attempts: 0 });
  expect(lines.map((line) => line.event)).toEqual(["run_journal_unavailable"]);
});

test("a journal that takes too long ends the run, and the step does not begin", async () => {
  const happened: string[] = [];
  const clock = createFakeClock();
  const { execution } = execute(TWO_WRITES, { tools: store(happened), journal: () => new Promise(() => {}), clock });
  await clock.advance(30_000);
  expect((await execution).result).toMatchObject({ ok: false, error: { code: "RUN_TIMEOUT", step: "one" } });
  expect(happened).toEqual([]);
});

test("a caller who hangs up meanwhile is not served", async () => {
  const happened: string[] = [];
  const controller = new AbortController();
  const journal = async () => controller.abort();
  const { trace } = await execute(TWO_WRITES, { tools: store(happened), journal, signal: controller.signal }).execution;
  expect(trace).toMatchObject({
    outcome: "cancelled",
    steps: [{}, { toolId: "one", status: "cancelled", attempts: 0 }],
  });
  expect(happened).toEqual([]);
});

test("in a group journal writes do not overlap, and each step that ended is known before the next begins", async () => {
  const clock = createFakeClock();
  const happened: string[] = [];
  let writing = 0;
  const journal = async (trace: RunTrace) => {
    writing += 1;
    expect(writing).toBe(1);
    await new Promise<void>((resolve) => clock.after(10, resolve));
    writing -= 1;
    happened.push(`journal: ${steps(trace)}`);
  };
  const group = ["a", "b", "c"].map((toolId) => ({ name: "store", toolId, config: {} }));
  const { execution } = execute(group, { tools: store(happened), journal, clock, order: [["a", "b", "c"]] });
  await clock.advance(100);
  expect((await execution).result.ok).toBe(true);
  expect(happened.filter((event) => !event.startsWith("journal"))).toEqual(["a", "b", "c"]);
  expect(happened[happened.indexOf("b") - 1]).toBe("journal: a");
  expect(happened[happened.indexOf("c") - 1]).toBe("journal: a b");
});

test("one journal serves all attempts of a step", async () => {
  let calls = 0;
  const flaky = tool("flaky", () => (++calls < 3 ? failForNow("busy") : output(calls)), {
    effect: "write",
    preview: () => output(null),
  });
  const { execution, journalled } = execute([{ name: "flaky", retry: { attempts: 3, backoffMs: 0 } }], {
    tools: [flaky],
  });
  expect(bodyOf(await execution)).toBe(3);
  expect(journalled).toHaveLength(1);
});

test("a dry run changes nothing and journals nothing: writes say what they would do", async () => {
  const happened: string[] = [];
  const { execution, journalled } = execute(
    [...TWO_WRITES.slice(0, 1), { name: "store", toolId: "one", config: {} }, "look"],
    { tools: store(happened), dryRun: true },
  );
  const ended = await execution;
  expect(happened).toEqual([]);
  expect(journalled).toEqual([]);
  expect(ended.trace).toMatchObject({ dryRun: true, steps: [{}, { output: { would: "one" } }, { output: "seen" }] });
});

test("a rule refuses before anything is journalled", async () => {
  const policy = { deny: [{ name: "no writes", when: 'tool.name == "store"' }] };
  const { execution, journalled } = execute(TWO_WRITES, { tools: store([]), policy });
  expect((await execution).result).toMatchObject({ ok: false, error: { code: "POLICY_REFUSED" } });
  expect(journalled).toEqual([]);
});
