import { afterAll, beforeAll, expect, test } from "vitest";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.ts";
import {
  attemptsAt,
  type Brief,
  briefOf,
  COOL_DOWN_PART,
  coolDownMsOf,
  FAULTS,
  type Fault,
  type FaultScene,
  type FaultStage,
  inWords,
  reasonOf,
  startFaultStage,
  triesOf,
  type Who,
} from "../../support/providers/fault-scene.ts";
import type { HttpReply } from "../../support/providers/http.ts";

interface Group {
  readonly name: string;
  readonly faulty: readonly Who[];
  /** Those with a key, in the order in which they are asked. */
  readonly keys: readonly Who[];
}

const GROUPS: readonly Group[] = [
  { name: "Tavily", faulty: ["tavily"], keys: ["tavily", "jina"] },
  { name: "Jina, alone", faulty: ["jina"], keys: ["jina"] },
  { name: "both", faulty: ["tavily", "jina"], keys: ["tavily", "jina"] },
];

/** As long as can be set: it passes only where the clock moves. */
const ENV = { PROVIDER_TIMEOUT_MS: "1000", SEARCH_DEADLINE_MS: "60000" };
const STEP_MS = 100;
const FAULTS_TO_OPEN = 3;
const IRRELEVANT_TO_OPEN = 5;
const FAULT_COOL_DOWN_MS = 5_000 * COOL_DOWN_PART;
const IRRELEVANT_COOL_DOWN_MS = 30_000 * COOL_DOWN_PART;
const DAY_MS = 86_400_000;

let stage: FaultStage;
const rows: string[] = [];

beforeAll(async () => {
  stage = await startFaultStage();
});

afterAll(async () => {
  const head = row("fails", "how", "opens after", "while open", "the caller got", "time passed", "probe fails", "then");
  console.log([head, ...rows].join("\n"));
  await stage.close();
});

function row(...cells: readonly (string | number)[]): string {
  const widths = [12, 19, 25, 64, 15, 21, 22, 0];
  return cells.map((cell, i) => String(cell).padEnd(widths[i] ?? 0)).join(" ");
}

/** Lets time pass while nobody who works is being asked, until the work is done. */
async function letTimePass<T>(scene: FaultScene, clock: FakeClock, work: Promise<T>): Promise<T> {
  let done = false;
  const marked = work.finally(() => {
    done = true;
  });
  while (!done) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (!done && !scene.isBusy()) await clock.advance(STEP_MS);
  }
  return marked;
}

/** Questions that are never the same, nor about the same. */
function createQuestions(): () => string {
  let asked = 0;
  return () => `volcanic ash cloud aviation ${"abcdefghijklmnopqrstuvwxyz"[asked++]}${asked} grounding`;
}

function opensAfter(fault: Fault): number {
  if (coolDownMsOf("tavily", fault) !== null) return 1;
  return fault === "irrelevant" ? IRRELEVANT_TO_OPEN : FAULTS_TO_OPEN;
}

/** How long the circuit is open for the first time, and after a probe that failed. */
function coolDownsOf(who: Who, fault: Fault): readonly [number, number] {
  const own = coolDownMsOf(who, fault);
  if (fault === "429" && own !== null) return [own, own];
  if (fault === "401" && own !== null) return [own, own];
  const first = own ?? (fault === "irrelevant" ? IRRELEVANT_COOL_DOWN_MS : FAULT_COOL_DOWN_MS);
  return [first, 2 * first];
}

/** What comes of questions whose faulty providers are all dealt with so. */
function expectOutcome({ status, body }: HttpReply, group: Group, of: (who: Who) => readonly Brief[]): void {
  const rescuer = group.keys.find((who) => !group.faulty.includes(who));
  const end: Brief = rescuer === undefined ? ["index", "ok", "empty", null] : [rescuer, "ok", null, 200];
  expect(briefOf(body.attempts)).toEqual([...group.faulty.flatMap(of), end]);
  expect([status, body.provider]).toEqual(rescuer === undefined ? [503, undefined] : [200, rescuer]);
}

const skipped = (who: Who): Brief[] => [[who, "skipped", "circuit_open", null]];

function setUp(group: Group, fault: Fault) {
  const clock = createFakeClock();
  const scene = stage.open({ tavily: group.keys.includes("tavily"), clock, env: ENV });
  const nextQuestion = createQuestions();
  const askedSoFar = () => group.faulty.map((who) => scene.asked(who));

  return {
    clock,
    scene,
    askedSoFar,
    strike: () => scene.strike(group.faulty, fault),
    /** In time that passes as it must. */
    ask: () => letTimePass(scene, clock, scene.ask(nextQuestion())),
    /** The clock stands still: what waits for anything never ends. */
    async askAtOnce(): Promise<HttpReply> {
      const startedAt = clock.now();
      const reply = await scene.ask(nextQuestion());
      expect(clock.now()).toBe(startedAt);
      expect(reply.body.attempts.map(({ durationMs }) => durationMs)).toEqual(reply.body.attempts.map(() => 0));
      return reply;
    },
    async circuits() {
      // Whoever is listed is asked what is left of its plan.
      scene.heal();
      const shown = await Promise.all(group.faulty.map((who) => scene.circuit(who)));
      scene.strike(group.faulty, fault);
      return shown;
    },
  };
}

type Play = ReturnType<typeof setUp>;

/** Asks until the circuits are open. Gives how many questions that took. */
async function askUntilOpen(play: Play, group: Group, fault: Fault): Promise<number> {
  let left = opensAfter(fault);
  let questions = 0;
  while (left > 0) {
    // The repeat that finds the circuit open is not made.
    const tries = Math.min(left, triesOf(fault));
    expectOutcome(await play.ask(), group, (who) => attemptsAt(who, fault).slice(0, tries));
    questions++;
    left -= tries;
    const states = (await play.circuits()).map(({ state }) => state);
    expect(states).toEqual(group.faulty.map(() => (left > 0 ? "closed" : "open")));
  }
  return questions;
}

/** Moves to the end of the last circuit's cool-down; until just before, each provider is left alone. */
async function passCoolDowns(play: Play, group: Group): Promise<void> {
  const ends = (await play.circuits()).map(({ openUntil }) => openUntil ?? 0);
  const before = play.askedSoFar();
  await play.clock.advance(Math.min(...ends) - 1 - play.clock.now());
  expectOutcome(await play.askAtOnce(), group, skipped);
  expect(play.askedSoFar()).toEqual(before);
  await play.clock.advance(Math.max(...ends) - play.clock.now());
  expect((await play.circuits()).map(({ state }) => state)).toEqual(group.faulty.map(() => "half_open"));
}

const CELLS = GROUPS.flatMap((group) =>
  FAULTS.filter((fault) => fault !== "empty").map((fault) => [group.name, fault, group] as const),
);

test.each(CELLS)("fails again and again: %s, how: %s", async (name, fault, group) => {
  const play = setUp(group, fault);
  const { scene, clock } = play;
  play.strike();
  const questions = await askUntilOpen(play, group, fault);
  expect(play.askedSoFar()).toEqual(group.faulty.map(() => opensAfter(fault)));

  const opened = await play.circuits();
  expect(opened.map(({ reason }) => reason)).toEqual(group.faulty.map(() => reasonOf(fault)));
  const leftMs = opened.map(({ openUntil }) => (openUntil ?? 0) - clock.now());
  for (const [i, who] of group.faulty.entries()) {
    const [firstMs] = coolDownsOf(who, fault);
    expect(leftMs[i]).toBeLessThanOrEqual(firstMs);
    // The provider behind it was asked a moment later.
    expect(leftMs[i]).toBeGreaterThan(firstMs / 2);
  }
  const whileOpen = await play.askAtOnce();
  expectOutcome(whileOpen, group, skipped);
  expect(play.askedSoFar()).toEqual(group.faulty.map(() => opensAfter(fault)));
  if (whileOpen.status === 503) {
    expect(whileOpen.headers.get("retry-after")).toBe(String(Math.ceil(Math.min(...leftMs) / 1_000)));
  }

  await passCoolDowns(play, group);
  expectOutcome(await play.ask(), group, (who) => attemptsAt(who, fault).slice(0, 1));
  const again = await play.circuits();
  expect(again.map(({ state }) => state)).toEqual(group.faulty.map(() => "open"));
  const coolDowns = group.faulty.map((who) => coolDownsOf(who, fault)[1]);
  for (const [i, { openUntil }] of again.entries()) {
    expect((openUntil ?? 0) - clock.now()).toBeLessThanOrEqual(Math.min(coolDowns[i] ?? 0, DAY_MS));
    expect((openUntil ?? 0) - clock.now()).toBeGreaterThan((coolDowns[i] ?? 0) / 2);
  }

  await passCoolDowns(play, group);
  scene.heal();
  const first = await play.askAtOnce();
  expect(briefOf(first.body.attempts)).toEqual([[group.keys[0], "ok", null, 200]]);
  const [closed] = await play.circuits();
  expect(closed).toEqual({ state: "closed", reason: null, openUntil: null });
  rows.push(
    row(
      name,
      fault,
      `${questions} questions, ${opensAfter(fault)} calls`,
      inWords(briefOf(whileOpen.body.attempts)),
      whileOpen.status === 200 ? whileOpen.body.provider : 503,
      "none, no call",
      `open for ${coolDowns.map((ms) => Math.round(ms / 1_000)).join(" and ")} s`,
      `probe answers, ${group.keys[0]} closed`,
    ),
  );
});

test.each(GROUPS)("finds nothing, again and again: $name: no circuit opens", async (group) => {
  const play = setUp(group, "empty");
  play.strike();
  for (let n = 0; n <= IRRELEVANT_TO_OPEN; n++) {
    const { status, body } = await play.askAtOnce();
    expect(status).toBe(200);
    expect(briefOf(body.attempts).slice(0, group.faulty.length)).toEqual(
      group.faulty.flatMap((who) => attemptsAt(who, "empty")),
    );
  }
  expect((await play.circuits()).map(({ state }) => state)).toEqual(group.faulty.map(() => "closed"));
  rows.push(row(group.name, "empty", "never"));
});
