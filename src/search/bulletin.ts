import type { Clock } from "../core/clock.ts";
import { unlessUnavailable } from "../core/errors.ts";
import type { Defer } from "../core/logger.ts";
import type { SharedState } from "../storage/shared-state/shared-state.ts";

/** A small shared record that every isolate keeps a copy of. */
export interface BulletinSource {
  /** Its cache key where this isolate's copy has aged, else null. */
  syncKey(): string | null;
  /** Takes in what was read. Not called where the store did not answer. */
  absorb(text: string | null): void;
}

/** Keeps copies of shared records young without a round trip of their own, where other reading goes on. */
export interface Bulletin {
  /** What to read along with something else, now. Ends with `absorb` of what was read. */
  due(): readonly BulletinSource[];
  absorb(sources: readonly BulletinSource[], texts: readonly (string | null)[] | undefined): void;
  /** For an isolate that answers from memory alone: reads what has aged after the answer has left, one read at a time. */
  checkSoon(): void;
}

export function keysOf(sources: readonly BulletinSource[]): readonly string[] {
  return sources.flatMap((source) => source.syncKey() ?? []);
}

export function createBulletin(deps: {
  readonly sources: readonly BulletinSource[];
  readonly shared: Pick<SharedState, "consult">;
  readonly clock: Clock;
  readonly defer: Defer;
  /** How often `checkSoon` reads. */
  readonly everyMs: number;
}): Bulletin {
  const { sources, shared, clock, defer, everyMs } = deps;
  let nextCheckAt = 0;

  const due = () => sources.filter((source) => source.syncKey() !== null);

  function absorb(asked: readonly BulletinSource[], texts: readonly (string | null)[] | undefined): void {
    if (texts === undefined || texts.length !== asked.length) return;
    for (const [i, source] of asked.entries()) source.absorb(texts[i] ?? null);
  }

  async function check(): Promise<void> {
    const asked = due();
    if (asked.length === 0) return;
    // Copies may be old while the store is away: whoever needs it says so.
    const read = await unlessUnavailable(shared.consult({ also: keysOf(asked) }), null);
    absorb(asked, read?.also);
  }

  return {
    due,
    absorb,
    checkSoon() {
      if (clock.now() < nextCheckAt) return;
      nextCheckAt = clock.now() + everyMs;
      defer("search_bulletin", check());
    },
  };
}
