import { expect, test } from "vitest";
import type { Json, JsonObject } from "../../../../src/core/json.ts";
import { planConfig } from "../../../../src/runtime/graph/step-config.ts";
import type { Sandbox } from "../../../../src/runtime/sandbox/contract.ts";
import { CODE_MAX_BYTES } from "../../../../src/runtime/sandbox/limits.ts";
import type { StepContext } from "../../../../src/runtime/tool.ts";
import { codeTool } from "../../../../src/runtime/tools/code.ts";
import { startCpuTimer } from "../../../support/cpu-time.ts";

const SOURCE = "export default async (input, { outputs }) => input.a;";

/** The parts of a step that code gets to see. */
function stepOf(given: { readonly sandbox: Sandbox | null; readonly scope?: Readonly<Record<string, Json>> }) {
  return {
    services: { sandbox: given.sandbox },
    ownerId: "ann",
    input: { a: 1 },
    scope: new Map(Object.entries(given.scope ?? {})),
    signal: new AbortController().signal,
  } as unknown as StepContext;
}

function recording(answer: Awaited<ReturnType<Sandbox["run"]>>) {
  const runs: Parameters<Sandbox["run"]>[] = [];
  const sandbox: Sandbox = {
    async run(...call) {
      runs.push(call);
      return answer;
    },
  };
  return { sandbox, runs };
}

async function runCode(config: JsonObject, context: StepContext) {
  const bound = codeTool.bind(config);
  return bound.ok ? bound.value.run(context) : bound.error;
}

test("what the code returns is the step's output", async () => {
  const { sandbox } = recording({ kind: "output", value: { total: 3 } });
  expect(await runCode({ source: SOURCE }, stepOf({ sandbox }))).toEqual({ kind: "output", value: { total: 3 } });
});

test("code that fails fails the step with its sentence", async () => {
  const { sandbox } = recording({ kind: "failed", message: "the code threw Error: no" });
  const result = await runCode({ source: SOURCE }, stepOf({ sandbox }));
  expect(result).toMatchObject({ kind: "fail", message: "the code threw Error: no" });
});

test("a failure that may not be the code's is passing, so that the step is tried again", async () => {
  const { sandbox } = recording({ kind: "failed", message: "no process", isPassing: true });
  const result = await runCode({ source: SOURCE }, stepOf({ sandbox }));
  expect(result).toEqual({ kind: "fail", message: "no process", isPassing: true });
});

test("the code is given the run's input and the steps' outputs, and neither headers nor secrets", async () => {
  const { sandbox, runs } = recording({ kind: "output", value: null });
  const scope = {
    first: { x: 1 },
    second: null,
    request: { headers: { authorization: "Bearer s3cret" } },
    secrets: { KEY: "s3cret" },
    run: { id: "run_1" },
    agent: { id: "agent_1" },
    owner: { id: "ann" },
  };
  await runCode({ source: SOURCE }, stepOf({ sandbox, scope }));
  expect(runs[0]?.[1]).toEqual({ input: { a: 1 }, outputs: { first: { x: 1 }, second: null } });
  expect(runs[0]?.[2].ownerId).toBe("ann");
});

test("without a sandbox the step fails and says what is missing", async () => {
  const result = await runCode({ source: SOURCE }, stepOf({ sandbox: null }));
  expect(result).toMatchObject({
    kind: "fail",
    message: expect.stringMatching(/^code is not available here: .*LOADER/),
  });
});

test.each([
  ["nothing", {}],
  ["no text", { source: 1 }],
  ["more than one page", { source: `${SOURCE}//${"x".repeat(CODE_MAX_BYTES)}` }],
  ["no default export", { source: "const run = async (input) => input;" }],
  ["a setting that is none", { source: SOURCE, network: true }],
])("a config with %s is refused when it is written", (_what, config) => {
  expect(codeTool.bind(config as JsonObject).ok).toBe(false);
});

test.each([
  "export default (input) => input;",
  "export default async function run(input, { outputs }) { return outputs.a; }",
  "const run = (input) => input; export { run as default };",
  "export\n  default () => 1;",
])("a default export may be written as %s", (source) => {
  expect(codeTool.bind({ source }).ok).toBe(true);
});

test("looking for the default export in hostile text costs next to nothing", () => {
  const source = "export{".repeat(CODE_MAX_BYTES / 7);
  const cpuMs = startCpuTimer();
  expect(codeTool.bind({ source }).ok).toBe(false);
  expect(cpuMs()).toBeLessThan(250);
});

test("the source is a literal, so that a caller's data never becomes code and braces are JavaScript", async () => {
  const source = "export default (input) => {{ return { text: '{{input.a}} {{' }; }}";
  const { planned, references, faults } = planConfig({ source }, codeTool);
  expect([references, faults]).toEqual([[], []]);
  const { sandbox, runs } = recording({ kind: "output", value: null });
  const resolved = planned.resolve(new Map([["input", { a: "'); process.exit(" }]]), new Map());
  if (!resolved.ok) throw new Error(resolved.error);
  await runCode(resolved.value.value, stepOf({ sandbox }));
  expect(runs[0]?.[0]).toBe(source);
});
