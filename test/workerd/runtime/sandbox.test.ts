import { env } from "cloudflare:workers";
import { afterAll, expect, test } from "vitest";
import type { Sandbox } from "../../../src/runtime/sandbox/contract.ts";
import { createSandbox } from "../../../src/runtime/sandbox/sandbox.ts";
import { CODE_ATTACKS } from "../../support/runtime/code-attacks.ts";

const table: { attack: string; contained: string }[] = [];
afterAll(() => console.table(table));

/** Code beside this test's own isolate. */
function run(source: string, ownerId = "ann", ms = 10_000): ReturnType<Sandbox["run"]> {
  const sandbox = createSandbox({ LOADER: env.LOADER });
  if (sandbox === null) expect.unreachable("a loader is bound");
  const given = { input: { n: 20 }, outputs: { step: [1, 2] } };
  return sandbox.run(source, given, { ownerId, signal: AbortSignal.timeout(ms) });
}

test("code computes from its input and the outputs so far", async () => {
  const answer = await run("export default async (input, { outputs }) => ({ sum: input.n + outputs.step[1] });");
  expect(answer).toEqual({ kind: "output", value: { sum: 22 } });
});

test.each(CODE_ATTACKS)("$attack is contained", async ({ attack, source, contained }) => {
  const answer = await run(source, "mallory", 1_000);
  const seen = answer.kind === "failed" ? answer.message : `output ${JSON.stringify(answer.value)}`;
  table.push({ attack, contained: seen.slice(0, 110) });
  if ("output" in contained) expect(answer).toEqual({ kind: "output", value: contained.output });
  else expect(answer).toEqual({ kind: "failed", message: expect.stringMatching(contained.failed) });
  expect(Object.hasOwn(Object.prototype, "isAdmin")).toBe(false);
});

const COUNT = "export default () => { globalThis.seen = (globalThis.seen ?? 0) + 1; return globalThis.seen; };";

test("an owner's code may find its module scope as an earlier run left it", async () => {
  const answers = [await run(COUNT, "carol"), await run(COUNT, "carol")];
  expect(answers.map((answer) => answer.kind === "output" && answer.value)).toEqual([1, 2]);
});

test("what a run leaves behind is seen by no other owner and no other source", async () => {
  await run(COUNT, "dave");
  const others = [await run(COUNT, "erin"), await run(`${COUNT} `, "dave")];
  expect(others).toEqual(Array(2).fill({ kind: "output", value: 1 }));
});

test("runs of one source at once each get their own answer", async () => {
  const source = "export default async (input, { outputs }) => { await 0; return outputs.step.length + input.n; };";
  expect(await Promise.all(Array.from({ length: 8 }, () => run(source)))).toEqual(
    Array(8).fill({ kind: "output", value: 22 }),
  );
});

test("a warm isolate answers in a few milliseconds", async () => {
  const began = performance.now();
  for (let i = 0; i < 50; i++) await run("export default (input) => input.n;");
  const warmMs = (performance.now() - began) / 50;
  const coldBegan = performance.now();
  for (let i = 0; i < 20; i++) await run(`export default (input) => input.n; // ${i}`);
  const coldMs = (performance.now() - coldBegan) / 20;
  console.log(`code beside the Worker: warm ${warmMs.toFixed(2)} ms, cold ${coldMs.toFixed(2)} ms`);
  expect(warmMs).toBeLessThan(50);
});
