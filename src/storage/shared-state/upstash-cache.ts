import { StorageUnavailable } from "../../core/errors.ts";
import {
  CACHE_ENTRY_MAX_CHARS,
  UPSTASH_ENTRY_MAX_BYTES,
  UPSTASH_MAX_BYTES_PER_CHAR,
  UPSTASH_SCAN_COUNT,
  UPSTASH_SCAN_MAX_STEPS,
} from "./limits.ts";
import type { CacheLookup, CacheWrite, Claim } from "./shared-state.ts";
import { packText, unpackText } from "./stored-text.ts";
import { misfit, readDone, readFlag, readWhole } from "./upstash-answers.ts";
import type { Batch } from "./upstash-batch.ts";
import { claimName, ENTRY_PATTERN, entryName, UPSTASH_PREFIX } from "./upstash-names.ts";
import { LOOKUP_SCRIPT, RELEASE_SCRIPT } from "./upstash-scripts.ts";

const CLAIMS: readonly CacheLookup["claim"][] = ["none", "held", "busy"];

export async function lookUp(batch: Batch, key: string, claim: Claim | undefined): Promise<CacheLookup> {
  const entry = entryName(key);
  if (claim === undefined) {
    return { value: readEntry(await batch.command((pipeline) => pipeline.get(entry))), claim: "none" };
  }
  const answer = await batch.script(LOOKUP_SCRIPT, [entry, claimName(key)], [claim.token, wholeMs(claim.ttlMs)]);
  const [state, value = null]: readonly unknown[] = Array.isArray(answer) ? answer : [];
  const held = typeof state === "number" ? CLAIMS[state] : undefined;
  if (held === undefined) throw misfit();
  return { value: readEntry(value), claim: held };
}

export async function readTexts(batch: Batch, keys: readonly string[]): Promise<readonly (string | null)[]> {
  if (keys.length === 0) return [];
  const answer = await batch.command((pipeline) => pipeline.mget(...keys.map(entryName)));
  if (!Array.isArray(answer) || answer.length !== keys.length) throw misfit();
  return answer.map(readEntry);
}

export async function store(batch: Batch, key: string, value: string, write: CacheWrite): Promise<void> {
  const keepMs = wholeMs(write.keepMs);
  const staleMs = Math.max(0, keepMs - Math.round(write.freshMs));
  const text = `${staleMs}:${packText(value)}`;
  const written =
    write.keepMs > 0 && fits(value)
      ? batch.command((pipeline) => pipeline.set(entryName(key), text, { px: keepMs })).then(readDone)
      : remove(batch, [entryName(key)]);
  await Promise.all([written, write.claimToken === undefined ? undefined : release(batch, key, write.claimToken)]);
}

export async function release(batch: Batch, key: string, token: string): Promise<boolean> {
  return readFlag(await batch.script(RELEASE_SCRIPT, [claimName(key)], [token]));
}

/** How many of the names were there. */
export async function remove(batch: Batch, names: readonly string[]): Promise<number> {
  if (names.length === 0) return 0;
  return readWhole(await batch.command((pipeline) => pipeline.unlink(...names)), 0, names.length);
}

/** One step of clearing: what the last one found goes, and the next are looked for, in one round trip. */
export async function clearEntries(newBatch: () => Batch): Promise<number> {
  let cursor = FIRST;
  let found: readonly string[] = [];
  let gone = 0;
  for (let step = 0; step < UPSTASH_SCAN_MAX_STEPS; step++) {
    const batch = newBatch();
    const from = cursor;
    const scanned = batch.command((pipeline) =>
      pipeline.scan(from, { match: ENTRY_PATTERN, count: UPSTASH_SCAN_COUNT }),
    );
    const [page, removed] = await batch.run(Promise.all([scanned, remove(batch, found)]));
    gone += removed;
    ({ cursor, found } = readPage(page));
    if (cursor !== FIRST) continue;
    const last = newBatch();
    return gone + (await last.run(remove(last, found)));
  }
  throw new StorageUnavailable("the shared state has too many keys to clear the cache at once");
}

/** SCAN begins with this cursor, and gives it again when it has seen all. */
const FIRST = "0";

function readPage(page: unknown): { readonly cursor: string; readonly found: readonly string[] } {
  const [cursor, keys]: readonly unknown[] = Array.isArray(page) ? page : [];
  if (typeof cursor !== "string" || !/^\d{1,20}$/.test(cursor) || !Array.isArray(keys)) throw misfit();
  // Whatever a store makes of the pattern, nothing else is removed.
  if (!keys.every((key) => typeof key === "string" && key.startsWith(`${UPSTASH_PREFIX}entry`))) throw misfit();
  return { cursor, found: keys };
}

/** What another wrote under our key counts as absent: the next write puts it right. */
function readEntry(stored: unknown): string | null {
  if (stored === null) return null;
  if (typeof stored !== "string") throw misfit();
  const colon = stored.indexOf(":");
  return colon > 0 && /^\d{1,16}$/.test(stored.slice(0, colon)) ? unpackText(stored.slice(colon + 1)) : null;
}

/** Redis refuses a lifetime of 0. */
function wholeMs(ms: number): number {
  return Math.max(1, Math.round(ms));
}

function fits(value: string): boolean {
  if (value.length > CACHE_ENTRY_MAX_CHARS) return false;
  if (value.length * UPSTASH_MAX_BYTES_PER_CHAR <= UPSTASH_ENTRY_MAX_BYTES) return true;
  return new TextEncoder().encode(JSON.stringify(value)).length <= UPSTASH_ENTRY_MAX_BYTES;
}
