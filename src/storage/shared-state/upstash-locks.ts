import { misfit, readDone, readFlag, readWhole } from "./upstash-answers.ts";
import type { Batch } from "./upstash-batch.ts";
import { counterName, leaseName } from "./upstash-names.ts";
import { RELEASE_SCRIPT, RENEW_SCRIPT } from "./upstash-scripts.ts";

/** Whether the lease was free. */
export async function takeLease(batch: Batch, name: string, token: string, ttlMs: number): Promise<boolean> {
  return readDone(await batch.command((pipeline) => pipeline.set(leaseName(name), token, { nx: true, px: ttlMs })));
}

export async function renewLease(batch: Batch, name: string, token: string, ttlMs: number): Promise<boolean> {
  return readFlag(await batch.script(RENEW_SCRIPT, [leaseName(name)], [token, ttlMs]));
}

export async function releaseLease(batch: Batch, name: string, token: string): Promise<boolean> {
  return readFlag(await batch.script(RELEASE_SCRIPT, [leaseName(name)], [token]));
}

export async function addToCounter(batch: Batch, name: string, by: number, ttlMs: number): Promise<number> {
  const key = counterName(name);
  const [value] = await Promise.all([
    batch.command((pipeline) => pipeline.incrby(key, by)),
    // Where it has no lifetime yet: with its first increment, or after one whose second half was lost.
    batch.command((pipeline) => pipeline.pexpire(key, ttlMs, "NX")),
  ]);
  return readWhole(value, Number.MIN_SAFE_INTEGER);
}

export async function countOf(batch: Batch, name: string): Promise<number> {
  const answer = await batch.command((pipeline) => pipeline.get(counterName(name)));
  if (answer === null) return 0;
  const value = typeof answer === "string" && /^-?\d{1,16}$/.test(answer) ? Number(answer) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw misfit();
  return value;
}
