import { rmSync } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildWorker, ROOT } from "../../scripts/build.ts";
import { judgeGoals } from "./goals.ts";
import { GROUPS, type GroupName, PREPARE, type Stage } from "./groups.ts";
import { type LoadGenerator, startLoadGenerator } from "./load.ts";
import { watchOthers } from "./others.ts";
import { PROFILES, type ProfileName, profileRequest } from "./profile.ts";
import { type MeasuredGroup, type Report, toJson, toText } from "./report.ts";
import { measureInTurns } from "./rounds.ts";
import { createScope, type Scope } from "./scope.ts";
import { startUpstream } from "./upstream.ts";

const HELP = `Measures the Worker on workerd, beside a bare Hono handler, a bare pass-through Worker and Portkey's gateway, in turns on the same machine.

Usage: npm run bench [-- options]

Options
  --seconds <n>      how long each case is measured, all rounds together (30)
  --rounds <n>       in how many rounds, each case in its turn (5)
  --concurrency <n>  how many connections ask at once (10)
  --latency <ms>     what the slow upstream waits (50)
  --only <group>     one group of cases: ${GROUPS.join(", ")}
  --no-peers         leave out the gateway that is installed from npm
  --profile <case>   instead, tell where our Worker's CPU time goes: ${PROFILES.join(", ")}
  --json             print JSON
  --help             print this

The figures are also written to dist/bench.json. All stand-ins run on this machine and share its cores with what is
measured. CPU and memory are those of the serving process, "CPU ratio" is what "ratio" would be if nothing else counted;
"upstream" and "Redis" count their requests for each of ours. Under npm start and here each fetch of a Worker passes one
more Worker of the local runtime, in ours as in the pass-through.`;

/** A runtime that was just told to end may still write. */
const REMOVE = { recursive: true, force: true, maxRetries: 10 };
const WARM_UP_SECONDS = 1;
/**
 * Durable Objects that nobody asked for ten seconds are put away, and compiled code is forgotten; and who asks a thousand
 * agents in turns has gone round once after one to two seconds.
 */
const LEAD_IN_SECONDS = 3;
const EXIT_INTERRUPTED = 130;
const EXIT_FAILED = 1;

interface Options {
  readonly seconds: number;
  readonly rounds: number;
  readonly connections: number;
  readonly latencyMs: number;
  readonly groups: readonly GroupName[];
  readonly peers: boolean;
  readonly profile: ProfileName | undefined;
  readonly json: boolean;
}

function readOptions(): Options | null {
  const { values } = parseArgs({
    options: {
      // In rounds that are shorter than what lies between two large collections of garbage, some meet one and some none.
      seconds: { type: "string", default: "30" },
      rounds: { type: "string", default: "5" },
      concurrency: { type: "string", default: "10" },
      latency: { type: "string", default: "50" },
      only: { type: "string" },
      peers: { type: "boolean", default: true },
      profile: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean" },
    },
    allowNegative: true,
  });
  if (values.help) return null;
  return {
    seconds: readNumber("seconds", values.seconds),
    rounds: readNumber("rounds", values.rounds),
    connections: readNumber("concurrency", values.concurrency),
    latencyMs: readNumber("latency", values.latency),
    groups: values.only === undefined ? GROUPS : [readChoice("only", values.only, GROUPS)],
    peers: values.peers,
    profile: values.profile === undefined ? undefined : readChoice("profile", values.profile, PROFILES),
    json: values.json,
  };
}

function readNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name}: a whole number from 1`);
  return value;
}

function readChoice<Choice extends string>(name: string, text: string, choices: readonly Choice[]): Choice {
  const choice = choices.find((each) => each === text);
  if (choice === undefined) throw new Error(`--${name}: one of ${choices.join(", ")}`);
  return choice;
}

async function main(options: Options, scope: Scope): Promise<void> {
  const stateRoot = await mkdtemp(join(tmpdir(), "orchestrix-bench-"));
  process.once("exit", () => rmSync(stateRoot, REMOVE));
  const upstream = scope.add(await startUpstream(options.latencyMs));
  const load = scope.add(startLoadGenerator());
  if (options.profile !== undefined) {
    const { connections, seconds } = options;
    const upstreamUrl = upstream.instantUrl;
    console.log(await profileRequest(options.profile, { scope, load, upstreamUrl, stateRoot, connections, seconds }));
    return;
  }
  tell("building the Workers");
  const [bare, byHand, passThrough, ours] = await Promise.all([
    buildWorker("test/bench/bare.ts"),
    buildWorker("test/bench/by-hand.ts"),
    buildWorker("test/bench/pass-through.ts"),
    buildWorker(),
  ]);
  const bundles = { bare, byHand, passThrough, ours };
  const groups: MeasuredGroup[] = [];
  for (const name of options.groups) {
    const stage = {
      scope: scope.add(createScope()),
      upstream,
      stateRoot,
      bundles,
      peers: options.peers,
      onProgress: tell,
    };
    groups.push(await measureGroup(name, stage, load, options));
  }
  const goals = judgeGoals(groups.flatMap((group) => group.results));
  await print({ connections: options.connections, upstreamLatencyMs: options.latencyMs, groups, goals }, options.json);
}

async function measureGroup(
  name: GroupName,
  stage: Stage,
  load: LoadGenerator,
  options: Options,
): Promise<MeasuredGroup> {
  tell(`${name}: starting what is measured`);
  const { cases, conclude, ...group } = await PREPARE[name](stage);
  const coresOfOthers = watchOthers();
  const results = await measureInTurns(cases, {
    load,
    countUpstream: stage.upstream.countRequests,
    connections: options.connections,
    spreadMs: group.direct === undefined ? 0 : options.latencyMs,
    rounds: options.rounds,
    secondsPerRound: options.seconds / options.rounds,
    warmUpSeconds: WARM_UP_SECONDS,
    leadInSeconds: LEAD_IN_SECONDS,
    onProgress: (text) => tell(`${name}: ${text}`),
  });
  const othersCores = coresOfOthers();
  await stage.scope.stop();
  return { ...group, notes: [...group.notes, ...(conclude?.(results) ?? [])], results, othersCores };
}

async function print(report: Report, json: boolean): Promise<void> {
  const text = JSON.stringify(toJson(report), null, 2);
  await writeFile(join(ROOT, "dist/bench.json"), `${text}\n`);
  console.log(json ? text : toText(report));
}

function tell(text: string): void {
  console.error(text);
}

const scope = createScope();
// All that was started ends when this process does: see end-with-parent.ts; miniflare does the same with workerd.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(EXIT_INTERRUPTED));
try {
  const options = readOptions();
  if (options === null) console.log(HELP);
  else await main(options, scope);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = EXIT_FAILED;
}
await scope.stop();
process.exit();
