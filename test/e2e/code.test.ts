import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, expect, test } from "vitest";
import { createSandboxProcesses } from "../../scripts/sandbox.ts";
import type { Fetch } from "../../src/core/fetch.ts";
import { isolatesOfProcess } from "../../src/runtime/sandbox/isolates.ts";
import { createSandboxOf } from "../../src/runtime/sandbox/sandbox.ts";
import { CODE_ATTACKS } from "../support/runtime/code-attacks.ts";

const processes = createSandboxProcesses();
const server = createServer(processes.serve).listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as AddressInfo;
/** As the service binding would. */
const fetchProcess: Fetch = (_url, init) => fetch(`http://127.0.0.1:${port}/`, init);
const sandbox = createSandboxOf(isolatesOfProcess({ fetch: fetchProcess }));
const table: { attack: string; contained: string; ms: number }[] = [];

afterAll(async () => {
  console.table(table);
  server.close();
  await processes.stop();
});

/** Code of the given owner, for at most `ms`. */
async function run(source: string, ownerId = "ann", ms = 10_000) {
  const began = performance.now();
  const answer = await sandbox.run(
    source,
    { input: { n: 20 }, outputs: { step: [1, 2] } },
    { ownerId, signal: AbortSignal.timeout(ms) },
  );
  return { answer, tookMs: performance.now() - began };
}

async function attack(name: string, source: string, ms?: number) {
  const { answer, tookMs } = await run(source, "mallory", ms);
  const contained = answer.kind === "failed" ? answer.message : `output ${JSON.stringify(answer.value)}`;
  table.push({ attack: name, contained: contained.slice(0, 110), ms: Math.round(tookMs) });
  return answer;
}

test("code computes from its input and the outputs so far", async () => {
  const { answer } = await run("export default async (input, { outputs }) => ({ sum: input.n + outputs.step[1] });");
  expect(answer).toEqual({ kind: "output", value: { sum: 22 } });
});

test.each(CODE_ATTACKS)("$attack is contained", async ({ attack: name, source, contained }) => {
  const answer = await attack(name, source, 1_500);
  if ("output" in contained) expect(answer).toEqual({ kind: "output", value: contained.output });
  else expect(answer).toEqual({ kind: "failed", message: expect.stringMatching(contained.failed) });
});

test("what a run leaves in its globals is seen by no other", async () => {
  const source = "export default () => { globalThis.seen = (globalThis.seen ?? 0) + 1; return globalThis.seen; };";
  const answers = [await run(source, "ann"), await run(source, "bob"), await run(source, "ann")];
  expect(answers.map(({ answer }) => answer)).toEqual(Array(3).fill({ kind: "output", value: 1 }));
});

test.each([
  ["endless loop", "export default () => { for (;;) {} };"],
  ["endless loop at the top", "for (;;) {} export default () => 1;"],
  ["endless microtasks", "export default async () => { for (;;) await null; };"],
  ["endless getter in the result", "export default () => ({ get a() { for (;;) {} } });"],
  ["catastrophic regular expression", 'export default () => /^(a+)+$/.test("a".repeat(60) + "b");'],
  ["memory without end", "export default () => { const a = []; for (;;) a.push(new Array(131072).fill(a.length)); };"],
  ["buffers without end", "export default () => { const a = []; for (;;) a.push(new Uint8Array(1e8).fill(1)); };"],
])("%s costs the sandbox's process and nothing else", async (name, source) => {
  const answer = await attack(name, source);
  expect(answer.kind).toBe("failed");
  expect((await run("export default () => 2;", "bob")).answer).toEqual({ kind: "output", value: 2 });
});

test("a fresh isolate for each run costs a few milliseconds", async () => {
  const took: number[] = [];
  for (let i = 0; i < 100; i++) took.push((await run("export default (input) => input.n;")).tookMs);
  took.sort((a, b) => a - b);
  console.log(`code in a process of its own: median ${took[50]?.toFixed(1)} ms, 99th ${took[98]?.toFixed(1)} ms`);
  expect(took[50]).toBeLessThan(100);
});
