import type { Clock } from "../core/clock.ts";
import { createRecent } from "../core/recent.ts";
import { SEALED_CACHE_MAX_CHARS, SEALED_CACHE_MAX_ROWS, SEALED_CACHE_MS } from "./limits.ts";
import type { SealedSecret, SecretKey } from "./vault.ts";

/** Sealed values that this isolate has lately read. Never an opened one, and never that there is none. */
export interface SealedCache {
  get(key: SecretKey): SealedSecret | undefined;
  /** Before reading: what was read is kept by what this returns, unless something was forgotten meanwhile. */
  begin(): (key: SecretKey, stored: SealedSecret) => void;
  /** After a write, however it ended. */
  forget(key: SecretKey): void;
}

interface Entry {
  readonly stored: SealedSecret;
  readonly until: number;
}

export function createSealedCache(clock: Clock): SealedCache {
  const entries = createRecent<Entry | null>(SEALED_CACHE_MAX_ROWS);
  let forgotten = 0;
  return {
    get(key) {
      const entry = entries.get(nameInCache(key));
      return entry != null && entry.until > clock.now() ? entry.stored : undefined;
    },
    begin() {
      const before = forgotten;
      // From before the read: what comes back may have been true for no longer than then.
      const until = clock.now() + SEALED_CACHE_MS;
      return (key, stored) => {
        if (forgotten !== before || stored.sealed.length > SEALED_CACHE_MAX_CHARS) return;
        entries.set(nameInCache(key), { stored, until });
      };
    },
    forget(key) {
      forgotten++;
      if (entries.get(nameInCache(key)) != null) entries.set(nameInCache(key), null);
    },
  };
}

/** A name holds no colon. */
function nameInCache({ ownerId, name }: SecretKey): string {
  return `${name}:${ownerId}`;
}
