import type { Clock } from "../../core/clock.ts";
import { waitAtMost } from "../../core/deadline.ts";
import { StorageUnavailable } from "../../core/errors.ts";
import type { Defer, Logger } from "../../core/logger.ts";
import type { Metrics } from "../../core/metrics.ts";
import { createRecent } from "../../core/recent.ts";
import type { Consulted, SharedState, Tier } from "../../storage/shared-state/shared-state.ts";
import { type Account, createAccount, isBlocked, type Purchase, sameTiers, spendToken, viewOf } from "./account.ts";
import type { AdmissionControl, Admitted, Alongside } from "./contract.ts";
import { ADMISSION_MAX_SUBJECTS, PURCHASE_WAIT_MS, PURCHASE_WAITS } from "./limits.ts";
import { createLocalLimiter } from "./local-limiter.ts";
import { createPurchases } from "./purchases.ts";

/**
 * Admission that costs a hot caller no round trip: the isolate buys tokens in leases, spends them from memory, and buys
 * the next before they run out. Tokens are paid for before they are spent and only in the windows in which they were
 * bought, so that no tier is ever exceeded, whatever happens to an isolate. Lives as long as the isolate.
 *
 * While the shared limiter does not answer, this isolate counts by itself. `shared` is expected to give up soon on a
 * store that is slow, and at once on one that is known to be down.
 */
export function createAdmissionControl(deps: {
  readonly shared: SharedState;
  readonly clock: Clock;
  readonly defer: Defer;
  readonly log: Logger;
  readonly metrics: Metrics;
}): AdmissionControl {
  const { clock } = deps;
  const purchases = createPurchases(deps);
  const takeLocally = createLocalLimiter(clock);
  const accounts = createRecent<Account>(ADMISSION_MAX_SUBJECTS, purchases.close);

  /** Asking makes an account the newest; deciding from memory does not, to be cheap: whoever is busy asks often enough. */
  function open(subject: string, tiers: readonly Tier[]): Account {
    const found = accounts.get(subject);
    const isCurrent = found !== undefined && sameTiers(found.tiers, tiers);
    if (found !== undefined && !isCurrent) found.isVoid = true;
    const account = isCurrent ? found : createAccount(tiers);
    accounts.set(subject, account);
    return account;
  }

  function decideFrom(subject: string, account: Account): Admitted | null {
    const nowMs = clock.now();
    if (spendToken(account, nowMs)) {
      if (account.tokens <= account.bought / 2) purchases.stockUp(subject, account);
      return counted(viewOf(account, nowMs, []), "memory");
    }
    return isBlocked(account, nowMs) ? counted(viewOf(account, nowMs, account.blockedBy), "memory") : null;
  }

  /** Until it is over, or takes too long. */
  function end({ startedAtMs, settled }: Purchase): Promise<unknown> {
    return waitAtMost(clock, startedAtMs + PURCHASE_WAIT_MS - clock.now(), settled);
  }

  async function buy(subject: string, account: Account, alongside: Alongside | undefined) {
    const { consulted, violated } = await purchases.buyFor(subject, account, alongside);
    if (violated.length === 0) return { admitted: counted(viewOf(account, clock.now(), []), "shared"), consulted };
    // The last tokens may be in a lease bought ahead, whose answer comes a moment after the refusal.
    const purchase = purchases.underWay(account);
    if (purchase !== null) await end(purchase);
    const spent = spendToken(account, clock.now());
    const admitted = viewOf(account, clock.now(), spent ? [] : violated);
    return { admitted: counted(admitted, spent ? "memory" : "shared"), consulted };
  }

  function counted(admitted: Admitted, source: keyof typeof ADMITTED): Admitted {
    deps.metrics.count("orchestrix_admissions_total", (admitted.admitted ? ADMITTED : REFUSED)[source]);
    return admitted;
  }

  return {
    decide(subject, tiers) {
      const account = accounts.get(subject);
      if (account === undefined || !sameTiers(account.tiers, tiers)) return null;
      return decideFrom(subject, account);
    },
    async ask(subject, tiers, alongside) {
      const account = open(subject, tiers);
      // With something alongside a round trip is needed anyway: the token comes with it. Else one purchase is enough for
      // all who ask at once: the first to find nothing left buys for those behind it, so they are counted until their turn.
      for (let waits = 0; asksNothing(alongside); waits++) {
        const decided = decideFrom(subject, account);
        if (decided !== null) return { admitted: decided, consulted: NOTHING_ASKED };
        const purchase = waits < PURCHASE_WAITS ? purchases.underWay(account) : null;
        if (purchase === null) break;
        account.waiting++;
        await end(purchase);
        account.waiting--;
      }
      try {
        return await buy(subject, account, alongside);
      } catch (error) {
        if (!(error instanceof StorageUnavailable)) throw error;
        return { admitted: counted({ ...takeLocally(subject, tiers), local: true }, "local"), consulted: null };
      }
    },
  };
}

const NOTHING_ASKED: Consulted = { admission: null, lookup: null, also: [] };

function asksNothing(alongside: Alongside | undefined): boolean {
  return alongside?.lookup === undefined && (alongside?.also ?? []).length === 0;
}

/** Made once: counting must cost next to nothing. */
const ADMITTED = labelsOf("admitted");
const REFUSED = labelsOf("refused");

function labelsOf(outcome: "admitted" | "refused") {
  return {
    memory: { outcome, source: "memory" },
    shared: { outcome, source: "shared" },
    local: { outcome, source: "local" },
  } as const;
}
