import { afterAll, beforeAll, expect, test } from "vitest";
import {
  attemptsAt,
  type Brief,
  briefOf,
  coolDownMsOf,
  EARLIER,
  FAULTS,
  type Fault,
  type FaultScene,
  type FaultStage,
  inWords,
  LONGEST_BACKOFF_MS,
  OTHER,
  PROVIDER_TIMEOUT_MS,
  reasonOf,
  startFaultStage,
  TOPIC,
  triesOf,
  type Who,
} from "../../support/providers/fault-scene.ts";
import type { HttpReply } from "../../support/providers/http.ts";

interface Group {
  readonly name: string;
  readonly faulty: readonly Who[];
  /** Those with a key, in the order in which they are asked. */
  readonly keys: readonly Who[];
  /** Whether something about the same was asked while all was well. */
  readonly earlier: boolean;
}

const GROUPS: readonly Group[] = [
  { name: "Tavily", faulty: ["tavily"], keys: ["tavily", "jina"], earlier: false },
  { name: "Jina", faulty: ["jina"], keys: ["tavily", "jina"], earlier: false },
  { name: "Jina, alone", faulty: ["jina"], keys: ["jina"], earlier: true },
  { name: "both", faulty: ["tavily", "jina"], keys: ["tavily", "jina"], earlier: false },
  { name: "both, later", faulty: ["tavily", "jina"], keys: ["tavily", "jina"], earlier: true },
];

/** What a busy machine may add. */
const MARGIN_MS = 1_000;
const FAILURES_TO_OPEN = 3;

let stage: FaultStage;
const rows: string[] = [];

beforeAll(async () => {
  stage = await startFaultStage();
  // The first question of a process takes longer than the others.
  await stage.open({ tavily: true, env: {} }).ask(OTHER);
});

afterAll(async () => {
  const head = row("fails", "how", "the caller got", "outcome list", "took", "added", "circuits afterwards");
  console.log([head, ...rows].join("\n"));
  await stage.close();
});

function row(...cells: readonly (string | number)[]): string {
  const widths = [12, 19, 15, 74, 8, 8, 0];
  return cells.map((cell, i) => String(cell).padEnd(widths[i] ?? 0)).join(" ");
}

/** Short where the time-out is what is tested; else long enough for a busy machine. */
function timeoutsFor(fault: Fault): Record<string, string> {
  return takesTime(fault)
    ? { PROVIDER_TIMEOUT_MS: String(PROVIDER_TIMEOUT_MS), SEARCH_DEADLINE_MS: "4000" }
    : { PROVIDER_TIMEOUT_MS: "5000", SEARCH_DEADLINE_MS: "20000" };
}

const takesTime = (fault: Fault) => fault === "hang" || fault === "drip";

async function timed(scene: FaultScene, query: string): Promise<{ reply: HttpReply; ms: number }> {
  const before = performance.now();
  const reply = await scene.ask(query);
  return { reply, ms: performance.now() - before };
}

/** Who is asked for nothing, and who answers in the end. */
function planOf({ faulty, keys, earlier }: Group, fault: Fault) {
  const well = keys.findIndex((who) => !faulty.includes(who));
  const failing = well === -1 ? keys : keys.slice(0, well);
  const rescuer = well === -1 ? undefined : keys[well];
  const attempts = failing.flatMap((who) => attemptsAt(who, fault));
  const fromIndex: Brief = ["index", "ok", earlier ? null : "empty", null];
  if (rescuer !== undefined) {
    return {
      failing,
      status: 200,
      provider: rescuer,
      degraded: false,
      attempts: [...attempts, [rescuer, "ok", null, 200]],
    };
  }
  if (earlier) return { failing, status: 200, provider: "index", degraded: true, attempts: [...attempts, fromIndex] };
  // That there is nothing to find is an answer, where those who would know say so.
  const isAnswer = fault === "empty";
  return {
    failing,
    status: isAnswer ? 200 : 503,
    provider: isAnswer ? failing[0] : undefined,
    degraded: isAnswer ? false : undefined,
    attempts: [...attempts, fromIndex],
  };
}

function expectReply({ status, headers, body }: HttpReply, plan: ReturnType<typeof planOf>): void {
  expect(status).toBe(plan.status);
  expect(briefOf(body.attempts)).toEqual(plan.attempts);
  expect(body.provider).toBe(plan.provider);
  expect(body.degraded).toBe(plan.degraded);
  if (status === 200) {
    expect(body.results.map(({ provider }) => provider)).toEqual(body.results.map(() => plan.provider));
    expect(body.results.length > 0).toBe(plan.provider !== plan.failing[0]);
  } else {
    expect(body.code).toBe("SEARCH_UNAVAILABLE");
    expect(Number(headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  }
}

function expectLatency(ms: number, fault: Fault, failing: number): void {
  const repeats = triesOf(fault) - 1;
  const waits = takesTime(fault) ? failing * triesOf(fault) * PROVIDER_TIMEOUT_MS : 0;
  const expected = waits + failing * repeats * LONGEST_BACKOFF_MS;
  // Timers may fire a moment early.
  expect(ms).toBeGreaterThanOrEqual(0.95 * expected);
  expect(ms).toBeLessThanOrEqual(expected + MARGIN_MS);
}

/** The circuit of one provider, in words where it is open. */
async function expectCircuit(scene: FaultScene, who: Who, fault: Fault | null, asked: readonly [number, number]) {
  const { state, reason, openUntil } = await scene.circuit(who);
  const coolDownMs = fault === null ? null : coolDownMsOf(who, fault);
  if (fault === null || coolDownMs === null) {
    expect({ state, reason, openUntil }).toEqual({ state: "closed", reason: null, openUntil: null });
    return null;
  }
  expect([state, reason]).toEqual(["open", reasonOf(fault)]);
  expect(openUntil).toBeGreaterThanOrEqual(asked[0] + coolDownMs);
  expect(openUntil).toBeLessThanOrEqual(asked[1] + coolDownMs);
  return `open for ${coolDownMs / 1_000} s, ${reason}`;
}

/** Failures in a row, for providers with a closed circuit: how many more open it tells how many there were. */
async function countFailures(scene: FaultScene, closed: readonly Who[]): Promise<ReadonlyMap<Who, number>> {
  const failures = new Map<Who, number>();
  scene.failOnce(closed);
  for (let more = 0; more <= FAILURES_TO_OPEN && failures.size < closed.length; more++) {
    for (const who of closed) {
      const isOpen = (await scene.circuit(who)).state === "open";
      if (isOpen && !failures.has(who)) failures.set(who, FAILURES_TO_OPEN - more);
    }
    await scene.ask(`${OTHER} ${more}`);
  }
  return failures;
}

async function expectCircuits(
  scene: FaultScene,
  group: Group,
  failing: readonly Who[],
  fault: Fault,
  asked: readonly [number, number],
): Promise<string> {
  const told = new Map<Who, string | null>();
  for (const who of group.keys) {
    told.set(who, await expectCircuit(scene, who, failing.includes(who) ? fault : null, asked));
  }
  const closed = group.keys.filter((who) => told.get(who) === null);
  for (const [who, failures] of await countFailures(scene, closed)) {
    const isCounted = failing.includes(who) && fault !== "empty";
    expect([who, failures]).toEqual([who, isCounted ? triesOf(fault) : 0]);
    told.set(who, `closed, ${failures} failed`);
  }
  return group.keys.map((who) => `${who} ${told.get(who)}`).join("; ");
}

function inShort({ status, body }: HttpReply): string {
  if (status !== 200) return String(status);
  return `${body.provider}${body.degraded ? ", degraded" : ""}${body.results.length === 0 ? ", none" : ""}`;
}

const CELLS = GROUPS.flatMap((group) => FAULTS.map((fault) => [group.name, fault, group] as const));

test.each(CELLS)("fails: %s, how: %s", async (name, fault, group) => {
  const scene = stage.open({ tavily: group.keys.includes("tavily"), env: timeoutsFor(fault) });
  const { reply: earlier, ms: usualMs } = await timed(scene, group.earlier ? EARLIER : OTHER);
  expect(earlier.body.provider).toBe(group.keys[0]);
  await scene.harness.settle();

  scene.strike(group.faulty, fault);
  const askedAt = Date.now();
  const { reply, ms } = await timed(scene, TOPIC);
  const asked = [askedAt, Date.now()] as const;
  scene.heal();

  const plan = planOf(group, fault);
  expectReply(reply, plan);
  expectLatency(ms, fault, plan.failing.length);
  const circuits = await expectCircuits(scene, group, plan.failing, fault, asked);
  const added = `${Math.round(Math.max(0, ms - usualMs))} ms`;
  rows.push(
    row(name, fault, inShort(reply), inWords(briefOf(reply.body.attempts)), `${Math.round(ms)} ms`, added, circuits),
  );
});
