import type { FailureReason, SearchProvider } from "../providers/provider.ts";

export interface BreakerState {
  readonly state: "closed" | "open" | "half_open";
  /** Why it is open; null while closed. */
  readonly reason: FailureReason | null;
  /** Epoch milliseconds; null while closed. */
  readonly openUntil: number | null;
  /** Failures in a row. */
  readonly failures: number;
}

/** One circuit breaker per provider, its state shared by all isolates. Providers are named as by `breakerNameOf`. */
export interface Breakers {
  /** May the provider be asked? While half-open, one probe over all isolates may; the others are told no. */
  mayAsk(provider: string): boolean | Promise<boolean>;
  noteSuccess(provider: string): void;
  /** `retryAfterMs`: how long it asked to be left alone. */
  noteFailure(provider: string, reason: FailureReason, retryAfterMs: number | null): void;
  stateOf(provider: string): BreakerState;
  /** Closes it by hand, everywhere. */
  reset(provider: string): void;
  /** The cache key of the shared record where this isolate's copy has aged, to be read in the next round trip. */
  syncKey(): string | null;
  /** What was read under `syncKey`: as little to be trusted as an upstream. */
  absorb(text: string | null): void;
}

/** A provider's breaker is that of its credential: a new key does not inherit what the old one's failures opened. */
export function breakerNameOf({ name, identity }: Pick<SearchProvider, "name" | "identity">): string {
  return identity === undefined ? name : `${name}#${identity}`;
}

export function providerOfBreaker(breakerName: string): string {
  const end = breakerName.indexOf("#");
  return end === -1 ? breakerName : breakerName.slice(0, end);
}

/** A personal provider has no breaker: what keeps one owner's documents says nothing about the next owner's. */
export function phaseOfProvider(breakers: Breakers, provider: SearchProvider): BreakerState["state"] {
  return provider.personal ? "closed" : breakers.stateOf(breakerNameOf(provider)).state;
}
