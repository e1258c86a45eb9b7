import type { Clock } from "../../core/clock.ts";
import { toBase64Url } from "../../core/crypto.ts";
import type { RandomBytes } from "../../core/ids.ts";
import type { Defer } from "../../core/logger.ts";
import { sharedKeyOf } from "../cache/cache-key.ts";
import type { SearchRequest } from "../contract.ts";
import {
  ISOLATE_NAME_BYTES,
  POPULARITY_BUFFER_MAX_KEYS,
  POPULARITY_FLUSH_MS,
  POPULARITY_MIN_CALLERS,
  POPULARITY_UNSENT_MAX_MS,
} from "./popularity-limits.ts";
import { looksPrivate } from "./popularity-private.ts";
import type { PopularityEntry, PopularityStore } from "./popularity-store.ts";

/** Which queries are asked most, by whom is not known. */
export interface Popularity extends Pick<PopularityStore, "top" | "describe"> {
  /**
   * One caller asked this; `question` is its `canonicalQuestion`, which stays in the isolate. Only adds to memory: what
   * is there is handed on after answers have left. Must be called while the request is still running. Counts are near
   * enough, not exact: an isolate that ends takes its last ones along.
   */
  note(question: string, request: SearchRequest, callerId: string): void;
  /** Hands on what this isolate has noted. Throws `StorageUnavailable`; nothing is lost or counted twice then. */
  flush(): Promise<void>;
}

interface Noted {
  readonly request: SearchRequest;
  readonly callers: string[];
  count: number;
}

/** Sent, and not known to have arrived: sent again as it was, since it may have. */
interface Unsent {
  readonly sequence: number;
  readonly noted: ReadonlyMap<string, Noted>;
  readonly madeAt: number;
}

/** Lives as long as the isolate. While not `enabled` it notes nothing. */
export function createPopularity(deps: {
  readonly store: PopularityStore;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly defer: Defer;
  readonly enabled: boolean;
}): Popularity {
  const { store, clock, random, defer, enabled } = deps;
  let noted = new Map<string, Noted>();
  let unsent: Unsent | null = null;
  let isolate = "";
  let sequence = 0;
  let nextFlushAt = 0;

  async function flush(): Promise<void> {
    nextFlushAt = clock.now() + POPULARITY_FLUSH_MS;
    if (unsent !== null && clock.now() - unsent.madeAt > POPULARITY_UNSENT_MAX_MS) unsent = null;
    if (unsent !== null) await send(unsent);
    // Another flush may have gone on from there meanwhile.
    if (unsent === null) unsent = takeNoted();
    else return;
    if (unsent !== null) await send(unsent);
  }

  async function send(waiting: Unsent): Promise<void> {
    const entries = await toEntries(waiting.noted);
    isolate ||= toBase64Url(random(ISOLATE_NAME_BYTES));
    if (entries.length > 0) await store.add({ isolate, sequence: waiting.sequence, entries });
    if (unsent === waiting) unsent = null;
  }

  function takeNoted(): Unsent | null {
    if (noted.size === 0) return null;
    const taken = { sequence: ++sequence, noted, madeAt: clock.now() };
    noted = new Map();
    return taken;
  }

  return {
    note(question, request, callerId) {
      if (!enabled || request.cache !== "default") return;
      const known = noted.get(question);
      if (known !== undefined) {
        known.count++;
        const { callers } = known;
        if (callers.length < POPULARITY_MIN_CALLERS && !callers.includes(callerId)) callers.push(callerId);
      } else if (noted.size < POPULARITY_BUFFER_MAX_KEYS) {
        noted.set(question, { request, callers: [callerId], count: 1 });
      }
      const full = noted.size >= POPULARITY_BUFFER_MAX_KEYS && unsent === null;
      if (full || clock.now() >= nextFlushAt) defer("popularity_flush", flush());
    },
    flush,
    top: (limit) => store.top(limit),
    describe: () => store.describe(),
  };
}

/** Leaves out what is nobody else's business. The key shows nothing of the question. */
async function toEntries(noted: ReadonlyMap<string, Noted>): Promise<PopularityEntry[]> {
  const shown = [...noted].filter(([, { request }]) => !isPrivate(request));
  return Promise.all(
    shown.map(async ([question, { request, count, callers }]) => {
      return { key: await sharedKeyOf(question), request: JSON.stringify(request), count, callers };
    }),
  );
}

function isPrivate({ query, includeDomains, excludeDomains }: SearchRequest): boolean {
  return [query, ...includeDomains, ...excludeDomains].some(looksPrivate);
}
