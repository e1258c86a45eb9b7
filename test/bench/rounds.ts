import { setTimeout as sleep } from "node:timers/promises";
import type { LoadGenerator, LoadSample, LoadTarget } from "./load.ts";
import { type ProcessFigures, readProcessTree } from "./processes.ts";

/** What a subject still does after its last answer (writes, refills) ends before its CPU time is read. */
const SETTLE_MS = 150;

export interface Case {
  readonly id: string;
  readonly name: string;
  readonly target: LoadTarget;
  /** The process that serves it; undefined where that is not known or not of interest. */
  readonly pid: number | undefined;
  /** How many requests its shared store has had; absent where the store is within the process. */
  readonly countStore?: (() => Promise<number>) | undefined;
}

export interface CaseResult {
  readonly id: string;
  readonly name: string;
  /** The median of the rounds. */
  readonly requestsPerSecond: number;
  /** Of each round, to be compared with another case's of the same round. */
  readonly rates: readonly number[];
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** How many answers were not 200, by what they were instead: a status, "no answer" or "connection lost". */
  readonly unexpected: Readonly<Record<string, number>>;
  /** CPU time of the serving process for each request; null where the system does not tell. */
  readonly cpuUsPerRequest: number | null;
  /** After the last round. */
  readonly rssBytes: number | null;
  /** How many requests the upstream got for each of ours. */
  readonly upstreamPerRequest: number;
  /** How many the shared store got; null where it is within the process. */
  readonly storePerRequest: number | null;
}

interface Round {
  readonly sample: LoadSample;
  readonly cpuUs: number | null;
  readonly upstreamRequests: number;
  readonly storeRequests: number | null;
}

export interface RoundOptions {
  readonly load: LoadGenerator;
  readonly countUpstream: () => Promise<number>;
  readonly connections: number;
  readonly spreadMs: number;
  readonly rounds: number;
  readonly secondsPerRound: number;
  readonly warmUpSeconds: number;
  /** Before each round, not counted. */
  readonly leadInSeconds: number;
  readonly onProgress: (text: string) => void;
}

/** Measures the cases in turns (A B C A B C …), so that whatever else the machine does meets all of them. */
export async function measureInTurns(cases: readonly Case[], options: RoundOptions): Promise<readonly CaseResult[]> {
  const { load, connections, spreadMs, warmUpSeconds, onProgress } = options;
  for (const { name, target } of cases) {
    onProgress(`${name}: warming up`);
    await load.measure(target, { connections, spreadMs, seconds: warmUpSeconds });
    await sleep(SETTLE_MS);
  }
  const measured = cases.map((each) => ({ each, rounds: [] as Round[] }));
  for (let i = 1; i <= options.rounds; i++) {
    for (const { each, rounds } of measured) {
      onProgress(`${each.name}: round ${i} of ${options.rounds}`);
      rounds.push(await measureRound(each, options));
    }
  }
  return measured.map(({ each, rounds }) => summarize(each, rounds));
}

async function measureRound({ target, pid, countStore }: Case, options: RoundOptions): Promise<Round> {
  const { load, countUpstream, connections, spreadMs, secondsPerRound, leadInSeconds } = options;
  const read = async () => ({
    cpuUs: figuresOf(pid)?.cpuUs ?? null,
    upstream: await countUpstream(),
    store: (await countStore?.()) ?? null,
  });
  // While the others had their turns this one stood idle: what the runtime let go of meanwhile comes back first.
  await load.measure(target, { connections, spreadMs, seconds: leadInSeconds });
  await sleep(SETTLE_MS);
  const before = await read();
  const sample = await load.measure(target, { connections, spreadMs, seconds: secondsPerRound });
  await sleep(SETTLE_MS);
  const after = await read();
  return {
    sample,
    cpuUs: difference(after.cpuUs, before.cpuUs),
    upstreamRequests: after.upstream - before.upstream,
    storeRequests: difference(after.store, before.store),
  };
}

function difference(after: number | null, before: number | null): number | null {
  return after === null || before === null ? null : after - before;
}

function figuresOf(pid: number | undefined): ProcessFigures | null {
  return pid === undefined ? null : readProcessTree(pid);
}

function summarize({ id, name, pid }: Case, rounds: readonly Round[]): CaseResult {
  const rates = rounds.map(({ sample }) => sample.requestsPerSecond);
  const latencies = Float32Array.from(rounds.flatMap(({ sample }) => [...sample.latenciesMs])).sort();
  const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  const perRequest = (read: (round: Round) => number | null) => {
    const known = rounds.map(read).filter((value) => value !== null);
    return known.length < rounds.length ? null : sum(known) / latencies.length;
  };
  return {
    id,
    name,
    requestsPerSecond: spreadOf(rates).median,
    rates,
    p50Ms: at(0.5),
    p90Ms: at(0.9),
    p99Ms: at(0.99),
    maxMs: at(1),
    unexpected: countUnexpected(rounds),
    cpuUsPerRequest: perRequest((round) => round.cpuUs),
    rssBytes: figuresOf(pid)?.rssBytes ?? null,
    upstreamPerRequest: sum(rounds.map((round) => round.upstreamRequests)) / latencies.length,
    storePerRequest: perRequest((round) => round.storeRequests),
  };
}

function countUnexpected(rounds: readonly Round[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { sample } of rounds) {
    for (const [status, count] of Object.entries(sample.statuses)) {
      if (status !== "200") counts[status] = (counts[status] ?? 0) + count;
    }
  }
  return counts;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Rate by rate, each round against the same round of the other case. */
export function ratioOf(subject: CaseResult, baseline: CaseResult): Spread {
  return spreadOf(subject.rates.map((rate, i) => rate / (baseline.rates[i] ?? Number.NaN)));
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const [low = 0, high = 0] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  return { median: (low + high) / 2, min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0 };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
