import { expect, onTestFinished, test } from "vitest";
import type { LaunchedServer } from "../../scripts/launch.ts";
import type { RunTrace } from "../../src/runtime/contract.ts";
import { call, makeStateDir, start, UNLIMITED } from "../support/launched.ts";
import {
  type AskedRun,
  type Counts,
  type CrashGraph,
  chainGraph,
  type Evidence,
  groupGraph,
  judge,
  markOf,
  noCounts,
  READER_GRAPH,
} from "../support/run-crash.ts";
import { crashAt } from "../support/run-crash-points.ts";
import { type KeyedService, startKeyedService } from "../support/run-crash-service.ts";

const OWNER = "user-123";
/** State folders whose processes are killed side by side: most of the time goes into starting them. */
const LANES = ["a", "b"];
const ROUNDS = 6;
const RUNS_PER_AGENT = 16;
const JITTER_MAX_MS = 30;
const BEGIN_MAX_MS = 400;

/** Behind what a process is killed: so many calls of the service, calls that it holds, or answers; or at any time. */
const MOMENTS = ["calls", "held", "answers", "time"] as const;
type Moment = (typeof MOMENTS)[number];

interface DeployedGraph {
  readonly graph: CrashGraph;
  readonly path: string;
}

interface Lane {
  readonly server: LaunchedServer;
  readonly service: KeyedService;
  readonly agents: readonly DeployedGraph[];
  readonly readerPath: string;
}

interface Round {
  readonly name: string;
  readonly killed: string;
  /** For each agent. */
  readonly asked: readonly (readonly AskedRun[])[];
}

async function deploy(server: LaunchedServer, definition: object): Promise<string> {
  const created = await call(server, "POST", "/mcp/servers", { ...definition, ownerId: OWNER });
  expect(created.body.errors ?? []).toEqual([]);
  const { body } = await call(server, "POST", `/mcp/servers/${created.body.serverId}/deploy`, { ownerId: OWNER });
  return new URL(body.endpoint).pathname;
}

/** As a caller does that never asks twice. */
async function ask(server: LaunchedServer, path: string, input: { mark: string; round: string }): Promise<AskedRun> {
  const { mark } = input;
  const answer = await call(server, "POST", path, input).catch((error: unknown) => {
    // The connection broke.
    if (error instanceof TypeError) return null;
    throw error;
  });
  if (answer === null) return { mark, runId: null };
  expect(answer).toMatchObject({ status: 200, body: { mark } });
  return { mark, runId: answer.headers.get("x-run-id") };
}

const upTo = (most: number) => 1 + Math.floor(Math.random() * most);
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Asks for many runs at once, and kills the process under them. */
async function crash({ server, service, agents }: Lane, name: string, moment: Moment): Promise<Round> {
  const count = upTo(RUNS_PER_AGENT * agents.length);
  const beginMs = upTo(BEGIN_MAX_MS);
  const answered = Promise.withResolvers<void>();
  let answers = 0;
  async function askOnce(path: string, mark: string): Promise<AskedRun> {
    const run = await ask(server, path, { mark, round: name });
    if (run.runId !== null && ++answers === count) answered.resolve();
    return run;
  }

  if (moment === "held") service.hold();
  const arrived = service.arrived(count);
  const asking = agents.map(({ graph, path }) =>
    Array.from({ length: RUNS_PER_AGENT }, (_, i) => askOnce(path, `${name}-${graph.name}-${i}`)),
  );
  const asked = Promise.all(asking.map((runs) => Promise.all(runs)));
  const reached = { calls: arrived, held: arrived, answers: answered.promise, time: pause(beginMs) }[moment];
  await Promise.race([reached, asked]);
  const jitterMs = upTo(JITTER_MAX_MS);
  await pause(jitterMs);
  await server.kill();
  service.release();
  const behind = moment === "time" ? "" : `${count} ${moment} + `;
  return { name, killed: `${behind}${moment === "time" ? beginMs + jitterMs : jitterMs} ms`, asked: await asked };
}

/** What is found of a round's runs of one agent. */
async function gather({ server, service, readerPath }: Lane, path: string, round: string): Promise<Evidence> {
  const runs = await call(server, "GET", `${path}/runs?limit=100`);
  const read = await call(server, "POST", readerPath, { round });
  expect([runs.status, read.status]).toEqual([200, 200]);
  const items: readonly RunTrace[] = runs.body.items;
  const traces = items.filter((trace) => markOf(trace).startsWith(`${round}-`));
  const ofTraces = new Set(traces.map(({ runId }) => runId));
  const calls = [...service.calls].filter(([key]) => ofTraces.has(key.slice(0, key.indexOf(":"))));
  return { traces, documents: read.body, calls: new Map(calls) };
}

async function openLane(stateDir: string, service: KeyedService) {
  const restart = () => start(stateDir, { ...UNLIMITED, OUTBOUND_PRIVATE_HOSTS: new URL(service.url).host });
  const server = await restart();
  const agents: DeployedGraph[] = [];
  for (const graph of [chainGraph(service.url), groupGraph(service.busyUrl)]) {
    agents.push({ graph, path: await deploy(server, graph.definition) });
  }
  const lane: Lane = { server, service, agents, readerPath: await deploy(server, READER_GRAPH) };
  return { lane, restart };
}

/** Kills and starts a process again and again, and looks at what is left each time, and once more at the end. */
async function runLane(name: string, firstMoment: number) {
  const service = await startKeyedService();
  onTestFinished(() => service.close());
  const opened = await openLane(await makeStateDir(), service);
  let { lane } = opened;
  const rounds: { round: Round; evidence: Evidence[]; counts: Counts[] }[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const round = await crash(lane, `${name}${i + 1}`, MOMENTS[(firstMoment + i) % MOMENTS.length] ?? "time");
    lane = { ...lane, server: await opened.restart() };
    const evidence: Evidence[] = [];
    const counts: Counts[] = [];
    for (const [at, { graph, path }] of lane.agents.entries()) {
      const found = await gather(lane, path, round.name);
      const verdict = judge(graph, round.asked[at] ?? [], found);
      expect(verdict.faults).toEqual([]);
      evidence.push(found);
      counts.push(verdict.counts);
    }
    rounds.push({ round, evidence, counts });
  }

  for (const { round, evidence } of rounds) {
    for (const [at, { path }] of lane.agents.entries())
      expectNoChange(await gather(lane, path, round.name), evidence[at]);
  }
  const known = new Set(
    rounds.flatMap(({ evidence }) => evidence.flatMap(({ traces }) => traces.map((run) => run.runId))),
  );
  expect([...service.calls.keys()].filter((key) => !known.has(key.slice(0, key.indexOf(":"))))).toEqual([]);
  return rounds;
}

/** No later process goes on with what an earlier one left, or takes something of it away. */
function expectNoChange(now: Evidence, then: Evidence | undefined): void {
  const stepsOf = (found: Evidence | undefined) => found?.traces.map(({ runId, steps }) => ({ runId, steps }));
  expect(stepsOf(now)).toEqual(stepsOf(then));
  expect({ documents: now.documents, calls: now.calls }).toEqual({ documents: then?.documents, calls: then?.calls });
}

function printTable(rounds: Awaited<ReturnType<typeof runLane>>): void {
  const columns = ["asked", "answered", "ended", "open", "absent", "unmarked writes"];
  const head = ["round ", "killed after".padEnd(20), ...columns].join("  ");
  const rows = rounds.map(({ round: { name, killed, asked }, counts }) => {
    const all = asked.flat();
    const sum = (field: keyof Counts) => counts.reduce((total, one) => total + one[field], 0);
    const answered = all.filter(({ runId }) => runId !== null).length;
    const numbers = [all.length, answered, sum("ended"), sum("open"), sum("absent"), sum("unmarked")];
    const cells = numbers.map((number, i) => String(number).padStart(columns[i]?.length ?? 0));
    return [name.padEnd(6), killed.padEnd(20), ...cells].join("  ");
  });
  console.log([head, ...rows].join("\n"));
}

test("a process that is killed under its runs loses and repeats no step that it marked done", {
  timeout: 300_000,
}, async () => {
  const lanes = await Promise.all(LANES.map((name, i) => runLane(name, i * 2)));
  printTable(lanes.flat());
});

test.each([chainGraph("https://service.test/work"), groupGraph("https://service.test/busy")])(
  "wherever a process ends in a $name, its run is found interrupted with the steps that it marked done",
  async (graph) => {
    const seen = noCounts();
    for (let lastCall = 1; ; lastCall++) {
      const crashes = [await crashAt(graph, lastCall, "before"), await crashAt(graph, lastCall, "after")];
      for (const { asked, evidence, stats } of crashes) {
        const { faults, counts } = judge(graph, asked, evidence);
        expect(faults).toEqual([]);
        expect(evidence.traces.filter(({ outcome }) => outcome === "running")).toEqual([]);
        // An end that is recorded may have lost its process before it was counted.
        expect(counts.open + counts.ended - stats.total).toBeOneOf(counts.ended === 0 ? [0] : [0, 1]);
        expect(stats.failed).toBe(counts.open);
        for (const field of Object.keys(seen) as (keyof Counts)[]) seen[field] += counts[field];
      }
      if (crashes.every(({ isDead }) => !isDead)) break;
    }
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(0);
  },
);
