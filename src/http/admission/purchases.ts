import type { Clock } from "../../core/clock.ts";
import { StorageUnavailable } from "../../core/errors.ts";
import type { Defer, Logger } from "../../core/logger.ts";
import type { Admission, Consulted, SharedState } from "../../storage/shared-state/shared-state.ts";
import { type Account, blockingTiers, endLeases, isBlocked, type Lease, noteAnswer, type Purchase } from "./account.ts";
import type { Alongside } from "./contract.ts";
import { leaseSize } from "./lease-size.ts";
import { GIVE_BACK_MARGIN_MS, HOT_MIN_SPENT, PURCHASE_WAIT_MS, TEND_MAX_MS } from "./limits.ts";

export interface Bought {
  readonly consulted: Consulted;
  /** Names of the tiers that refused even one token; empty when admitted. */
  readonly violated: readonly string[];
}

/** What an isolate buys of the shared limiter, and what it gives back. */
export interface Purchases {
  /** A token for a request that waits, with a lease on top unless a purchase is under way. Throws `StorageUnavailable`. */
  buyFor(subject: string, account: Account, alongside: Alongside | undefined): Promise<Bought>;
  /** A lease ahead of need, if one is. Returns at once. */
  stockUp(subject: string, account: Account): void;
  /** The purchase that a request may wait for. */
  underWay(account: Account): Purchase | null;
  /** Gives back what the account holds, where that still counts. Returns at once. */
  close(subject: string, account: Account): void;
}

interface Order {
  readonly tokens: number;
  readonly own: 0 | 1;
  readonly isPurchase: boolean;
}

export function createPurchases(deps: {
  readonly shared: SharedState;
  readonly clock: Clock;
  readonly defer: Defer;
  readonly log: Logger;
}): Purchases {
  const { shared, clock, defer, log } = deps;

  function underWay({ purchase }: Account): Purchase | null {
    // One that takes longer was lost, as happens when its request ends before it.
    return purchase !== null && clock.now() - purchase.startedAtMs < PURCHASE_WAIT_MS ? purchase : null;
  }

  /** Where many are refused, a request that waits asks once more, for itself alone. */
  async function obtain(subject: string, account: Account, order: Order, alongside: Alongside = {}): Promise<Bought> {
    let { tokens } = order;
    let answer = await consult(subject, account, tokens, alongside);
    if (tokens > 1 && order.own === 1 && !answer.admission.admitted && hasRest(answer.admission)) {
      tokens = 1;
      answer = await consult(subject, account, tokens, alongside);
    }
    const { consulted, admission } = answer;
    noteAnswer(account, { ...order, ...answer, tokens, receivedAtMs: clock.now() });
    return { consulted, violated: blockingTiers(admission, tokens).map(({ name }) => name) };
  }

  async function consult(subject: string, { tiers }: Account, tokens: number, alongside: Alongside) {
    const sentAtMs = clock.now();
    const consulted = await shared.consult({ admit: { subject, tiers, tokens }, ...alongside });
    if (consulted.admission === null) throw new StorageUnavailable("the shared state says nothing about the admission");
    return { consulted, admission: consulted.admission, sentAtMs };
  }

  /** Lets others wait for it. */
  function announce(account: Account, work: Promise<Bought>): void {
    const over = () => {
      if (account.purchase === purchase) account.purchase = null;
    };
    const purchase: Purchase = { startedAtMs: clock.now(), settled: work.then(over, over) };
    account.purchase = purchase;
  }

  /** Goes on when the request that pays for it has hung up: others wait for it. */
  function keep(subject: string, account: Account, work: Promise<Bought>): void {
    defer(
      "admission_lease",
      work.then(() => tend(subject, account), ignoreUnavailable),
    );
  }

  function orderAhead(subject: string, account: Account): Promise<Bought> | null {
    const nowMs = clock.now();
    if (isBlocked(account, nowMs) || underWay(account) !== null) return null;
    const tokens = leaseSize(account, nowMs, 0);
    if (tokens === 0) return null;
    const work = obtain(subject, account, { tokens, own: 0, isPurchase: true });
    announce(account, work);
    return work;
  }

  /**
   * Looks after an account until it holds no tokens: gives back what a window leaves over, and where use was brisk buys
   * for the next window as it begins, before anybody asks. One at a time; what it misses, the next purchase finds.
   */
  async function tend(subject: string, account: Account): Promise<void> {
    await giveBackEnded(subject, account);
    if (account.tokens === 0 || clock.now() < account.tendedUntilMs) return;
    const stopAtMs = clock.now() + TEND_MAX_MS;
    account.tendedUntilMs = stopAtMs;
    account.spentFromMemory = 0;
    while (account.tokens > 0) {
      const nextMs = Math.max(account.rolloverMs, ...account.leases.map(({ endsAtMs }) => endsAtMs));
      if (nextMs > stopAtMs) break;
      await pause(nextMs - clock.now());
      await giveBackEnded(subject, account);
      const isHot = account.spentFromMemory >= HOT_MIN_SPENT;
      account.spentFromMemory = 0;
      if (isHot && account.tokens === 0) await orderAhead(subject, account)?.catch(ignoreUnavailable);
    }
    account.tendedUntilMs = 0;
  }

  async function giveBackEnded(subject: string, account: Account): Promise<void> {
    endLeases(account, clock.now());
    const ended = account.ended;
    if (ended.length === 0) return;
    account.ended = [];
    if (!account.isVoid) for (const lease of ended) await giveBack(subject, account, lease);
  }

  async function giveBack(subject: string, account: Account, { tokens, tierEndsMs }: Lease): Promise<void> {
    const untilMs = clock.now() + GIVE_BACK_MARGIN_MS;
    const tiers = account.tiers.filter((_, i) => (tierEndsMs[i] ?? 0) > untilMs);
    if (tiers.length === 0) return;
    try {
      await shared.giveBack(subject, tiers, tokens);
    } catch (error) {
      ignoreUnavailable(error);
      log.debug("admission_tokens_lost", { tokens });
    }
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      clock.after(Math.max(1, ms), resolve);
    });
  }

  return {
    underWay,
    buyFor(subject, account, alongside) {
      if (underWay(account) !== null) {
        return obtain(subject, account, { tokens: 1, own: 1, isPurchase: false }, alongside);
      }
      const tokens = leaseSize(account, clock.now(), 1 + account.waiting);
      const work = obtain(subject, account, { tokens, own: 1, isPurchase: true }, alongside);
      announce(account, work);
      keep(subject, account, work);
      return work;
    },
    stockUp(subject, account) {
      const work = orderAhead(subject, account);
      if (work !== null) keep(subject, account, work);
    },
    close(subject, account) {
      for (const lease of account.leases.splice(0)) account.ended.push(lease);
      account.tokens = 0;
      if (account.ended.length > 0) defer("admission_give_back", giveBackEnded(subject, account));
    },
  };
}

function hasRest({ tiers }: Admission): boolean {
  return tiers.every(({ remaining }) => remaining >= 1);
}

/** The caller is served without it. */
function ignoreUnavailable(error: unknown): void {
  if (!(error instanceof StorageUnavailable)) throw error;
}
