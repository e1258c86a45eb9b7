import type { Admission, Tier, TierState } from "../../storage/shared-state/shared-state.ts";
import type { Admitted } from "./contract.ts";
import { LEASE_MARGIN_MS, LEASE_MERGE_MS } from "./limits.ts";

/** Tokens bought in the same windows. */
export interface Lease {
  tokens: number;
  /** When they are void: as the first window among the tiers ends, or before, never after. Epoch milliseconds. */
  endsAtMs: number;
  /** The same of each tier, in the tiers' order: until then the tokens would still count there. */
  tierEndsMs: readonly number[];
}

/** A purchase that others may wait for. It never rejects; after a while it is taken for lost. */
export interface Purchase {
  readonly startedAtMs: number;
  readonly settled: Promise<void>;
}

/** What an isolate has and knows of one caller. Times are epoch milliseconds. */
export interface Account {
  readonly tiers: readonly Tier[];
  readonly smallestLimit: number;
  readonly shortestWindowMs: number;
  /** The caller's limits have changed since: its tokens are not given back. */
  isVoid: boolean;
  /** The first to end comes first; none is empty. */
  readonly leases: Lease[];
  /** In all leases together. */
  tokens: number;
  /** Leases that ended with tokens left, to be given back. */
  ended: Lease[];
  /** The last answer by tier. `endsAtMs` is when the window is over for certain. */
  known: readonly { readonly remaining: number; readonly endsAtMs: number }[];
  /** The lease that use has justified so far; 0 before the first. */
  size: number;
  /** The last purchase: how many, when it was answered, when its tokens end, and when the next window has begun. */
  bought: number;
  boughtAtMs: number;
  boughtUntilMs: number;
  rolloverMs: number;
  /** Tokens spent since the last purchase; and from memory, since `tend` looked last. */
  spent: number;
  spentFromMemory: number;
  blockedUntilMs: number;
  blockedBy: readonly string[];
  purchase: Purchase | null;
  /** Requests that wait for the purchase. */
  waiting: number;
  /** Until when a task looks after the leases, unless it was lost with its request. */
  tendedUntilMs: number;
}

export function createAccount(tiers: readonly Tier[]): Account {
  return {
    tiers,
    smallestLimit: Math.min(...tiers.map(({ limit }) => limit)),
    shortestWindowMs: Math.min(...tiers.map(({ windowSeconds }) => windowSeconds)) * MS_PER_SECOND,
    isVoid: false,
    leases: [],
    tokens: 0,
    ended: [],
    known: [],
    size: 0,
    bought: 0,
    boughtAtMs: 0,
    boughtUntilMs: 0,
    rolloverMs: 0,
    spent: 0,
    spentFromMemory: 0,
    blockedUntilMs: 0,
    blockedBy: [],
    purchase: null,
    waiting: 0,
    tendedUntilMs: 0,
  };
}

export function sameTiers(a: readonly Tier[], b: readonly Tier[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const x = a[i];
    const y = b[i];
    if (x?.limit !== y?.limit || x?.windowSeconds !== y?.windowSeconds || x?.name !== y?.name) return false;
  }
  return true;
}

/** Takes one token from memory, if there is one that still counts. */
export function spendToken(account: Account, nowMs: number): boolean {
  endLeases(account, nowMs);
  const lease = account.leases[0];
  if (lease === undefined) return false;
  lease.tokens--;
  if (lease.tokens === 0) account.leases.shift();
  account.tokens--;
  account.spent++;
  account.spentFromMemory++;
  return true;
}

/** Sorts out what is void by now. A lease most of which is left was too large. */
export function endLeases(account: Account, nowMs: number): void {
  for (let lease = account.leases[0]; lease !== undefined && lease.endsAtMs <= nowMs; lease = account.leases[0]) {
    account.leases.shift();
    account.tokens -= lease.tokens;
    account.ended.push(lease);
    if (lease.tokens > account.size / 2) account.size = Math.max(1, Math.floor(account.size / 2));
  }
}

/** An answer of the shared limiter: what it was asked for, and when. */
export interface Answer {
  readonly admission: Admission;
  readonly tokens: number;
  /** Of these, what the request that asked spends at once: none where nobody waits. */
  readonly own: number;
  /** Whether it was the account's purchase, or one request's own beside one under way. */
  readonly isPurchase: boolean;
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
}

/**
 * Notes an answer and keeps the tokens that it brings; the tiers that refuse even one token block the caller.
 * Its resets count from some moment between `sentAtMs` and `receivedAtMs`. Tokens go by the first, so that none is spent
 * too late; everything else by the second, so that who comes back then meets the new window.
 */
export function noteAnswer(account: Account, answer: Answer): void {
  const { admission, tokens, own, sentAtMs, receivedAtMs } = answer;
  const { tiers } = admission;
  account.known = tiers.map((tier) => ({ remaining: tier.remaining, endsAtMs: receivedAtMs + tier.resetMs }));
  if (!admission.admitted) {
    const blocking = blockingTiers(admission, tokens);
    if (blocking.length === 0) return;
    account.blockedBy = blocking.map(({ name }) => name);
    account.blockedUntilMs = receivedAtMs + Math.max(...blocking.map(({ resetMs }) => resetMs));
    return;
  }
  const resets = tiers.map(({ resetMs }) => resetMs);
  const tierEndsMs = resets.map((resetMs) => sentAtMs + resetMs - LEASE_MARGIN_MS);
  if (answer.isPurchase) {
    account.size = isIdle(account, sentAtMs) ? tokens : Math.max(account.size, tokens);
    account.bought = tokens;
    account.spent = own;
    account.boughtAtMs = receivedAtMs;
    account.boughtUntilMs = Math.min(...tierEndsMs);
    account.rolloverMs = receivedAtMs + Math.min(...resets);
  } else {
    account.spent += own;
  }
  if (tokens > own) keepTokens(account, tokens - own, tierEndsMs);
}

/** The tiers that have not even one token; a refusal of many names more. */
export function blockingTiers(admission: Admission, tokens: number): readonly TierState[] {
  return admission.tiers.filter(({ name, remaining }) =>
    tokens === 1 ? admission.violated.includes(name) : !admission.admitted && remaining < 1,
  );
}

function keepTokens(account: Account, tokens: number, tierEndsMs: readonly number[]): void {
  const endsAtMs = Math.min(...tierEndsMs);
  account.tokens += tokens;
  const near = account.leases.find((lease) => Math.abs(lease.endsAtMs - endsAtMs) <= LEASE_MERGE_MS);
  if (near === undefined) {
    account.leases.push({ tokens, endsAtMs, tierEndsMs });
  } else {
    near.tokens += tokens;
    near.endsAtMs = Math.min(near.endsAtMs, endsAtMs);
    near.tierEndsMs = near.tierEndsMs.map((end, i) => Math.min(end, tierEndsMs[i] ?? end));
  }
  account.leases.sort((a, b) => a.endsAtMs - b.endsAtMs);
}

/** Without use for a whole window: as good as new. */
export function isIdle(account: Account, nowMs: number): boolean {
  return account.size === 0 || nowMs >= account.rolloverMs + account.shortestWindowMs;
}

export function isBlocked(account: Account, nowMs: number): boolean {
  return nowMs < account.blockedUntilMs;
}

/**
 * The caller's state as this isolate sees it: what was left for all at the last answer, and the tokens it holds itself.
 * Approximate where a caller is served by several isolates at once: what they took since is not in it.
 */
export function viewOf(account: Account, nowMs: number, violated: readonly string[]): Admitted {
  const admitted = violated.length === 0;
  const tiers = account.tiers.map((tier, i): TierState => {
    const { name, limit, windowSeconds } = tier;
    const known = account.known[i];
    const leftMs = known === undefined ? 0 : known.endsAtMs - nowMs;
    const left = known === undefined || leftMs <= 0 ? limit : known.remaining + account.tokens;
    const remaining = admitted || !violated.includes(name) ? Math.min(limit, left) : 0;
    return { name, limit, windowSeconds, remaining, resetMs: clamp(leftMs, 1, windowSeconds * MS_PER_SECOND) };
  });
  return { admitted, tiers, violated, local: false };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

const MS_PER_SECOND = 1_000;
