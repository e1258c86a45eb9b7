import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { hasRedis, startUpstash } from "../support/upstash/upstash.ts";
import type { Caller, Diary, Orders } from "./admission-callers.ts";

/**
 * Real processes, a real Redis, real time. The long tier is ten seconds instead of a minute: what can go wrong goes wrong
 * where windows end, and so more of them end in less time. `ADMISSION_LONG_WINDOW_S=60` takes the minute.
 */
const LONG_WINDOW_S = Number(process.env.ADMISSION_LONG_WINDOW_S ?? 10);
const LONG_WINDOWS = 2;
/** The last window of a tier is not whole. */
const RUN_MS = (LONG_WINDOWS * LONG_WINDOW_S + 1) * 1_000;
const PROCESSES = 2;
const CALLERS = 10;
/** Two hundred requests a second of each caller in each process: several times what they may. */
const EVERY_MS = 5;
const LEAST_SHARE = 0.9;

const callers: readonly Caller[] = Array.from({ length: CALLERS }, (_, i) => {
  const burst = 20 + 10 * i;
  return {
    subject: `key:caller-${i}`,
    tiers: [
      { name: "burst", limit: burst, windowSeconds: 1 },
      // Used up after three quarters of its window.
      { name: "long", limit: Math.floor(burst * LONG_WINDOW_S * 0.75), windowSeconds: LONG_WINDOW_S },
    ],
  };
});

test.skipIf(!hasRedis())(
  "ten callers that hammer two processes never exceed a tier, and get nearly all of it",
  { timeout: RUN_MS + 60_000 },
  async () => {
    const upstash = await startUpstash();
    try {
      const orders = {
        url: upstash.url,
        token: upstash.token,
        callers,
        everyMs: EVERY_MS,
        untilMs: Date.now() + RUN_MS,
      };
      const diaries = await Promise.all(Array.from({ length: PROCESSES }, () => run(orders)));
      const rows = callers.flatMap((caller) =>
        judge(
          caller,
          diaries.flatMap((diary) => diary[caller.subject] ?? []),
        ),
      );
      console.table(rows);
      for (const { caller, tier, limit, most, share } of rows) {
        expect(most, `${caller}, ${tier}: the most in one window`).toBeLessThanOrEqual(limit);
        expect(share, `${caller}, ${tier}: the share of the limit`).toBeGreaterThanOrEqual(LEAST_SHARE);
      }
    } finally {
      await upstash.close();
    }
  },
);

/** One process, until it has said what it admitted. */
async function run(orders: Orders): Promise<Readonly<Record<string, Diary>>> {
  const script = fileURLToPath(import.meta.resolve("./admission-callers.ts"));
  const child = spawn(process.execPath, [script, JSON.stringify(orders)], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let complaints = "";
  child.stdout.on("data", (chunk) => {
    output += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    complaints += String(chunk);
  });
  const code = await new Promise((resolve, reject) => child.once("close", resolve).once("error", reject));
  if (code !== 0) throw new Error(`a process of callers ended with ${code}: ${complaints}`);
  return JSON.parse(output) as Readonly<Record<string, Diary>>;
}

interface Row {
  readonly caller: string;
  readonly tier: string;
  readonly limit: number;
  readonly windows: number;
  readonly most: number;
  readonly share: number;
  readonly tripsPerRequest: number;
  readonly tripsPerAdmitted: number;
  /** Let in by a process that counted by itself, because the store was too slow: in no window. */
  readonly local: number;
}

function judge({ subject, tiers }: Caller, diaries: readonly Diary[]): readonly Row[] {
  const sum = (count: (diary: Diary) => number) => diaries.reduce((total, diary) => total + count(diary), 0);
  const admitted = sum((diary) => diary.fromMemory.length + diary.fromStore.length);
  const requests = admitted + sum((diary) => diary.refused + diary.local);
  const trips = sum((diary) => diary.trips);
  const counted = tiers.map((tier, i) => countByWindow(diaries, i, tier.windowSeconds * 1_000));
  return tiers.map((tier, i) => {
    const all = counted[i] ?? [];
    // A tier can be used up only where no longer one is.
    const whole = all
      .slice(0, -1)
      .filter(({ endMs }) => i > 0 || !isUsedUp(counted[1] ?? [], tiers[1]?.limit ?? 0, endMs));
    const got = whole.reduce((total, { admissions }) => total + admissions.length, 0);
    return {
      caller: subject,
      tier: `${tier.name} ${tier.windowSeconds} s`,
      limit: tier.limit,
      windows: whole.length,
      most: Math.max(...all.map(({ admissions }) => admissions.length)),
      share: round(got / (tier.limit * whole.length)),
      tripsPerRequest: round(trips / requests),
      tripsPerAdmitted: round(trips / admitted),
      local: sum((diary) => diary.local),
    };
  });
}

function round(share: number): number {
  return Number(share.toFixed(3));
}

interface Window {
  readonly endMs: number;
  /** When, as far as is known: the store tells only the window. */
  readonly admissions: number[];
}

/** The store's windows, found from what it told of their ends, and who was admitted in each. */
function countByWindow(diaries: readonly Diary[], tier: number, windowMs: number): readonly Window[] {
  const ends = diaries.flatMap(({ windows }) => windows.map((window) => window[tier] ?? 0)).sort((a, b) => a - b);
  const windows: Window[] = [];
  for (const endMs of ends) {
    const last = windows.at(-1);
    if (last === undefined || endMs - last.endMs > windowMs / 2) windows.push({ endMs, admissions: [] });
  }
  const nearest = (distance: (window: Window) => number) =>
    windows.reduce((best, window) => (distance(window) < distance(best) ? window : best), { endMs: 0, admissions: [] });
  for (const { fromStore, fromMemory } of diaries) {
    for (const told of fromStore) {
      const endMs = told[tier] ?? 0;
      nearest((window) => Math.abs(window.endMs - endMs)).admissions.push(Math.min(...told));
    }
    for (const atMs of fromMemory) {
      nearest(({ endMs }) => (endMs > atMs ? endMs - atMs : Number.POSITIVE_INFINITY)).admissions.push(atMs);
    }
  }
  return windows;
}

/** Whether by then less than one more of the shorter windows was left in the longer. */
function isUsedUp(windows: readonly Window[], limit: number, atMs: number): boolean {
  const current = windows.find(({ endMs }) => endMs >= atMs) ?? windows.at(-1);
  const used = current?.admissions.filter((admittedMs) => admittedMs <= atMs).length ?? 0;
  return used >= limit * LEAST_SHARE;
}
