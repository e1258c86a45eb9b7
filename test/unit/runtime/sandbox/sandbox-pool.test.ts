import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createSandboxPool, type PoolAnswer } from "../../../../scripts/sandbox-pool.ts";
import type { ProcessAnswer, SandboxProcess } from "../../../../scripts/sandbox-process.ts";
import {
  SANDBOX_GROW_AFTER_MS,
  SANDBOX_IDLE_MS,
  SANDBOX_MAX_PROCESSES,
  SANDBOX_SPARE_PROCESSES,
  SANDBOX_STALL_MS,
} from "../../../../src/runtime/sandbox/limits.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const NEVER = new AbortController().signal;

/**
 * Processes in which the code `loop` holds everything, `die` ends the process, `wait` waits and everything else is
 * answered with itself. `log` says what ran where.
 */
function scene(options: { readonly mayStart?: (count: number) => boolean } = {}) {
  const log: string[] = [];
  /** What is flaky does it once. */
  const does = (what: string, body: string) =>
    body.startsWith(what) || (body === `flaky ${what}` && log.filter((line) => line.startsWith(body)).length === 1);
  let started = 0;
  let living = 0;
  const startOne = async (): Promise<SandboxProcess> => {
    const own = ++started;
    if (options.mayStart?.(own) === false) throw new Error("no process");
    living++;
    let state: "well" | "stuck" | "gone" = "well";
    let end: () => void = () => {};
    return {
      send: (body, signal) =>
        new Promise<ProcessAnswer>((resolve, reject) => {
          log.push(`${body}@${own}`);
          end = () => reject(new Error("gone"));
          if (does("die", body)) state = "gone";
          if (state === "gone") return end();
          if (does("loop", body)) state = "stuck";
          signal.addEventListener("abort", end, { once: true });
          if (state === "well" && !body.startsWith("wait"))
            resolve({ status: 200, body: new TextEncoder().encode(body) });
        }),
      look: (ms) =>
        new Promise((resolve) => {
          if (state === "stuck") setTimeout(() => resolve(state), ms);
          else resolve(state);
        }),
      async kill() {
        living--;
        state = "gone";
        end();
      },
    };
  };
  const pool = createSandboxPool({ start: startOne });
  const run = async (owner: string, body: string, abandoned = NEVER) => told(await pool.run(owner, body, abandoned));
  return { pool, run, log, living: () => living, started: () => started };
}

function told(answer: PoolAnswer): string {
  if (answer.kind === "answer") return new TextDecoder().decode(answer.body);
  return answer.kind === "guilty" ? `guilty: ${answer.how}` : answer.kind;
}

/** Lets everything that has begun go on for so long. */
async function pass(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

test("processes are there before the first call, and are used again", async () => {
  const { pool, run, log, started } = scene();
  await pool.warm();
  await pass();
  expect(started()).toBe(SANDBOX_SPARE_PROCESSES);
  for (const body of ["a", "b", "c"]) {
    expect(await run("ann", body)).toBe(body);
    await pass();
  }
  expect(new Set(log.map((line) => line.split("@")[1])).size).toBe(1);
  expect(started()).toBe(SANDBOX_SPARE_PROCESSES);
});

test("beside one owner's endless loop another owner's code runs at once", async () => {
  const { pool, run } = scene();
  await pool.warm();
  const loop = run("mallory", "loop");
  await pass();
  expect(await run("ann", "a")).toBe("a");
  expect(await run("bob", "b")).toBe("b");
  await pass(10 * SANDBOX_STALL_MS);
  expect(await loop).toBe("guilty: stuck");
});

test("an owner's many endless loops never take the last process from others", async () => {
  const { pool, run } = scene();
  await pool.warm();
  const loops = Array.from({ length: 20 }, () => run("mallory", "loop"));
  for (let i = 0; i < 40; i++) {
    await pass(SANDBOX_STALL_MS / 4);
    expect(await run("ann", `a${i}`)).toBe(`a${i}`);
  }
  await pass(200 * SANDBOX_STALL_MS);
  expect(new Set(await Promise.all(loops))).toEqual(new Set(["guilty: stuck"]));
});

test.each([
  ["loop", "guilty: stuck"],
  ["die", "guilty: gone"],
])("code that does %s is found in the act twice, the second time where nothing ran before", async (body, end) => {
  const { pool, run, log } = scene();
  await pool.warm();
  expect(await run("ann", "a")).toBe("a");
  await pass();
  const guilty = run("mallory", body);
  await pass(10 * SANDBOX_STALL_MS);
  expect(await guilty).toBe(end);
  const places = log.filter((line) => line.startsWith(body)).map((line) => line.split("@")[1]);
  expect(places).toHaveLength(2);
  expect(log.filter((line) => line.endsWith(`@${places[1]}`))).toEqual([`${body}@${places[1]}`]);
});

test.each(["flaky die", "flaky loop"])(
  "code in whose process something else happened is run again: %s",
  async (body) => {
    const { pool, run, log } = scene();
    await pool.warm();
    const answer = run("ann", body);
    await pass(10 * SANDBOX_STALL_MS);
    expect(await answer).toBe(body);
    expect(log).toHaveLength(2);
  },
);

test("a call that nobody waits for any more gives its process back, or loses it", async () => {
  const { pool, run, started } = scene();
  await pool.warm();
  await pass();
  const hangUp = new AbortController();
  const waits = run("ann", "wait", hangUp.signal);
  const loops = run("mallory", "loop", hangUp.signal);
  await pass(300);
  hangUp.abort();
  await pass();
  expect(await Promise.all([waits, loops])).toEqual(["abandoned", "abandoned"]);
  const before = started();
  await pass(SANDBOX_STALL_MS);
  expect(await run("bob", "b")).toBe("b");
  expect(started()).toBe(before);
});

test("a call that nobody waits for any more leaves the queue", async () => {
  const { pool, run, log } = scene();
  await pool.warm();
  await pass();
  const hangUp = new AbortController();
  const first = run("ann", "wait");
  const second = run("ann", "never run", hangUp.signal);
  hangUp.abort();
  expect(await second).toBe("abandoned");
  expect(await run("ann", "late", AbortSignal.abort())).toBe("abandoned");
  expect(log).toEqual(["wait@1"]);
  await pool.stop();
  expect(await first).toBe("unavailable");
});

test("calls that wait have more processes started, up to a bound, which end when they are idle", async () => {
  const { pool, run, living } = scene();
  await pool.warm();
  const hangUp = new AbortController();
  const calls = Array.from({ length: 20 }, () => run("ann", "wait", hangUp.signal));
  await pass(SANDBOX_GROW_AFTER_MS * 20);
  expect(living()).toBe(SANDBOX_MAX_PROCESSES);
  hangUp.abort();
  await Promise.all(calls);
  await pass(2 * SANDBOX_IDLE_MS);
  expect(living()).toBe(SANDBOX_SPARE_PROCESSES);
});

test("where no process can be started calls are told so, and later ones try again", async () => {
  const { pool, run, started } = scene({ mayStart: (count) => count > 4 });
  await pool.warm();
  await pass();
  const before = started();
  await pass(SANDBOX_IDLE_MS);
  expect(started()).toBe(before);
  const ends: string[] = [];
  for (let i = 0; i < 5; i++) ends.push(await run("ann", "a"));
  expect(ends).toContain("unavailable");
  expect(ends.at(-1)).toBe("a");
});

test("no process outlives the pool, those under way included", async () => {
  const { pool, run, living } = scene();
  const first = run("ann", "wait");
  await pool.stop();
  expect(await first).toBe("unavailable");
  expect(await run("ann", "a")).toBe("unavailable");
  expect(living()).toBe(0);
});
