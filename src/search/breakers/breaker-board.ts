import { type Clock, isoTime } from "../../core/clock.ts";
import { waitAtMost } from "../../core/deadline.ts";
import { StorageUnavailable } from "../../core/errors.ts";
import type { RandomBytes } from "../../core/ids.ts";
import type { Defer, Logger } from "../../core/logger.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { SharedState } from "../../storage/shared-state/shared-state.ts";
import {
  BREAKER_RECORD_KEEP_MS,
  BREAKER_RECORD_MAX_ITEMS,
  BREAKER_SYNC_MS,
  PROBE_LEASE_MS,
  PROBE_LEASE_TIMEOUT_MS,
} from "./breaker-limits.ts";
import { readBreakers, writeBreakers } from "./breaker-record.ts";
import { type Breaker, CLOSED, closedAt, isNewer, phaseOf, recordFailure, recordSuccess } from "./breaker-states.ts";
import { type BreakerState, type Breakers, providerOfBreaker } from "./breakers.ts";

const RECORD_KEY = "search:breakers";
const PROBE_LEASE_PREFIX = "search:probe:";

const CLOSED_STATE: BreakerState = { state: "closed", reason: null, openUntil: null, failures: 0 };

export interface BreakersOptions {
  readonly clock: Clock;
  readonly shared: Pick<SharedState, "cacheStore" | "acquireLease">;
  readonly defer: Defer;
  readonly random: RandomBytes;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

interface Slot {
  breaker: Breaker;
  /** Until when somebody's probe is waited for; in the clock's time. */
  probedUntil: number;
  /** False where it is known from the shared record alone: then no metric carries its name. */
  ours: boolean;
}

/**
 * The breakers of one isolate, told to the others by one shared record that is written when one opens or closes, and
 * never while all is well. Where the shared state is down, each isolate goes by what it has seen itself.
 */
export function createBreakers({ clock, shared, defer, random, logger, metrics }: BreakersOptions): Breakers {
  const slots = new Map<string, Slot>();
  let syncedAt = Number.NEGATIVE_INFINITY;

  function slotOf(name: string): Slot {
    const slot = slots.get(name) ?? { breaker: CLOSED, probedUntil: 0, ours: true };
    slot.ours = true;
    slots.set(name, slot);
    return slot;
  }

  /** Counting failures is this isolate's own; what opens or closes is everybody's. */
  function change(name: string, slot: Slot, next: Breaker): void {
    const { breaker: before } = slot;
    slot.breaker = next;
    if (next.changedAt === before.changedAt) return;
    slot.probedUntil = 0;
    slot.probedUntil = 0;
    show(name, slot);
    const provider = providerOfBreaker(name);
    if (next.openUntil !== null) {
      logger.warn("search_breaker_opened", { provider, reason: next.reason, openUntil: isoTime(next.openUntil) });
    } else if (before.openUntil !== null) logger.info("search_breaker_closed", { provider, reason: before.reason });
    publish();
  }

  function show(name: string, { breaker }: Slot): void {
    metrics.gauge("orchestrix_breaker_open", breaker.openUntil === null ? 0 : 1, { provider: providerOfBreaker(name) });
  }

  function publish(): void {
    const breakers = Array.from(slots, ([name, { breaker }]) => [name, breaker] as const);
    const lifetimes = { freshMs: BREAKER_RECORD_KEEP_MS, keepMs: BREAKER_RECORD_KEEP_MS };
    defer("search_breakers", shared.cacheStore(RECORD_KEY, writeBreakers(breakers, clock.now()), lifetimes));
  }

  /** Asks for the one probe; the answer stands for a while, so that not every request asks. */
  async function probe(name: string, slot: Slot): Promise<boolean> {
    slot.probedUntil = clock.now() + PROBE_LEASE_MS;
    // Each opening has a lease of its own: the last one's may outlive a short cool-down.
    const won = await winsLease(`${PROBE_LEASE_PREFIX}${name}:${slot.breaker.changedAt}`);
    const phase = phaseOf(slot.breaker, clock.now());
    return phase === "half_open" ? won : phase === "closed";
  }

  async function winsLease(name: string): Promise<boolean> {
    try {
      const asked = await waitAtMost(clock, PROBE_LEASE_TIMEOUT_MS, shared.acquireLease(name, PROBE_LEASE_MS));
      return asked === null || asked.value !== null;
    } catch (error) {
      if (error instanceof StorageUnavailable) return true;
      throw error;
    }
  }

  /** Takes over what is newer. True where the record lacks what this isolate knows. */
  function merge(heard: ReadonlyMap<string, Breaker>): boolean {
    for (const [name, theirs] of heard) {
      const slot = slots.get(name);
      if (slot === undefined) {
        if (slots.size < BREAKER_RECORD_MAX_ITEMS) slots.set(name, { breaker: theirs, probedUntil: 0, ours: false });
      } else if (isNewer(theirs, slot.breaker)) {
        slot.breaker = theirs;
        slot.probedUntil = 0;
        if (slot.ours) show(name, slot);
      }
    }
    const nowMs = clock.now();
    return Array.from(slots).some(([name, { breaker }]) => {
      const theirs = heard.get(name) ?? CLOSED;
      const matters = phaseOf(breaker, nowMs) === "open" || phaseOf(theirs, nowMs) !== "closed";
      return matters && isNewer(breaker, theirs);
    });
  }

  return {
    mayAsk(name) {
      const slot = slots.get(name);
      if (slot === undefined || slot.breaker.openUntil === null) return true;
      slot.ours = true;
      const nowMs = clock.now();
      return nowMs < slot.breaker.openUntil || nowMs < slot.probedUntil ? false : probe(name, slot);
    },
    noteSuccess(name) {
      const slot = slots.get(name);
      if (slot !== undefined) change(name, slot, recordSuccess(slot.breaker, clock.now()));
    },
    noteFailure(name, reason, retryAfterMs) {
      const slot = slotOf(name);
      const fraction = (random(1)[0] ?? 0) / 255;
      change(name, slot, recordFailure(slot.breaker, { reason, retryAfterMs }, clock.now(), fraction));
    },
    stateOf(name) {
      const slot = slots.get(name);
      if (slot === undefined) return CLOSED_STATE;
      const { reason, openUntil, failures } = slot.breaker;
      return { state: phaseOf(slot.breaker, clock.now()), reason, openUntil, failures };
    },
    reset(name) {
      const slot = slotOf(name);
      change(name, slot, closedAt(slot.breaker, clock.now()));
    },
    syncKey() {
      return clock.now() - syncedAt < BREAKER_SYNC_MS ? null : RECORD_KEY;
    },
    absorb(text) {
      syncedAt = clock.now();
      // A purge, or two writers at once: what was lost is written again.
      if (merge(readBreakers(text, syncedAt))) publish();
    },
  };
}
