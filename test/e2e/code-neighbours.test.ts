import { afterAll, beforeAll, expect, test } from "vitest";
import { call, launchForTests, type TestLaunch } from "../support/launched.ts";

const LOOP = "export default async () => { for (;;) {} };";
const SLEEP = "export default () => new Promise((resolve) => setTimeout(resolve, 60000));";
const FINE = "export default async (input) => input.n * 2;";

let launched: TestLaunch;

beforeAll(async () => {
  launched = await launchForTests();
});

afterAll(() => launched?.stop());

/** Makes a graph of one code step and gives a function that runs it. */
async function graphOf(ownerId: string, source: string, settings: object = {}) {
  const { body } = await call(launched.server, "POST", "/mcp/servers", {
    ownerId,
    name: "code",
    tools: [
      { toolId: "input", name: "input", config: {} },
      { toolId: "code", name: "code", config: { source }, ...settings },
    ],
    executionOrder: ["input", "code"],
  });
  return async () => {
    const began = performance.now();
    const run = await call(launched.server, "POST", `/mcp/servers/${body.serverId}/run`, { ownerId, input: { n: 21 } });
    const { status, output, error } = run.body;
    return { status, output, error, tookMs: performance.now() - began };
  };
}

const OK = { status: 200, output: 42 };

test("the first code step after a start has its time for itself", async () => {
  const run = await graphOf("ann", FINE, { timeoutMs: 500 });
  expect(await run()).toMatchObject(OK);
});

test.each([300, 1_000, 10_000])(
  "an endless loop with %i ms fails alone: steps of others beside it do not",
  async (timeoutMs) => {
    const loop = await graphOf("mallory", LOOP, { timeoutMs });
    const fine = await graphOf("bob", FINE, { timeoutMs: 3_000 });
    let isLooping = true;
    const loops = Promise.all([loop(), loop(), loop()]).finally(() => {
      isLooping = false;
    });
    const others: Awaited<ReturnType<typeof fine>>[] = [];
    while (isLooping) others.push(await fine());
    for (let i = 0; i < 10; i++) others.push(await fine());
    expect(others.filter(({ status }) => status !== 200)).toEqual([]);
    const ends = (await loops).map(({ status }) => status);
    expect(ends.every((status) => status === 500 || status === 504)).toBe(true);
    others.sort((a, b) => a.tookMs - b.tookMs);
    console.log(
      `beside loops of ${timeoutMs} ms: ${others.length} steps, slowest ${others.at(-1)?.tookMs.toFixed(0)} ms`,
    );
  },
);

test("the loop itself is named, and is not tried again by retry", async () => {
  const loop = await graphOf("mallory", LOOP, { retry: { attempts: 3, backoffMs: 0 } });
  const { status, error } = await loop();
  expect(status).toBe(500);
  expect(error).toMatchObject({ code: "RUN_FAILED", step: "code", detail: expect.stringContaining("too much time") });
});

test("steps that wait beyond their time give their processes back", async () => {
  const sleep = await graphOf("carol", SLEEP, { timeoutMs: 500 });
  const ends = await Promise.all(Array.from({ length: 8 }, sleep));
  expect(ends.map(({ status }) => status)).toEqual(Array(8).fill(504));
  const fine = await graphOf("carol", FINE, { timeoutMs: 1_000 });
  expect(await Promise.all([fine(), fine(), fine()])).toEqual(Array(3).fill(expect.objectContaining(OK)));
});
