import type { Actor, Call } from "../../core/actor.ts";
import { type Clock, isoTime } from "../../core/clock.ts";
import { type AppError, type ErrorCode, StorageUnavailable, toError } from "../../core/errors.ts";
import { inLanes } from "../../core/in-lanes.ts";
import type { Logger } from "../../core/logger.ts";
import type { Result } from "../../core/result.ts";
import type { ExecutionLog } from "../../servers/execution-log.ts";
import type { DeployBody } from "../contract.ts";
import type { Deliveries, Delivery, Outcome } from "./deliveries.ts";
import { MAX_ATTEMPTS, RESUME_BUDGET_MS, RESUME_LANES, RETRY_FIRST_MS, RETRY_LONGEST_MS } from "./limits.ts";

/** The operations of deploys that a webhook may ask for. Each may be repeated: a server's own claim makes it one. */
export interface DeployActions {
  deploy(call: Call, serverId: string, body: DeployBody): Promise<Result<unknown>>;
  redeploy(call: Call, serverId: string, body: { readonly ownerId: string }): Promise<Result<unknown>>;
  undeploy(call: Call, serverId: string, body: { readonly ownerId: string }): Promise<Result<unknown>>;
}

/** `lost`: somebody else has taken the delivery over meanwhile, and says what becomes of it. */
type Fate = "done" | "failed" | "postponed" | "lost";

export type ResumeReport = Readonly<Record<Fate | "found", number>>;

export interface DeliveryWorker {
  /** Works off a delivery that the caller holds. Throws only when the store does not answer: the lease then runs out. */
  work(held: Delivery): Promise<Fate>;
  /** Takes on what nobody works on any more. May run any number of times at once. */
  resume(): Promise<ResumeReport>;
}

/** What may be gone soon. Anything else stays as it is until somebody changes the server or the configuration. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  "DEPLOY_IN_PROGRESS",
  "VERSION_CONFLICT",
  "UPSTREAM_FAILED",
  "UPSTREAM_TIMEOUT",
  "RATE_LIMITED",
  "STORAGE_UNAVAILABLE",
  "INTERNAL",
]);

interface Verdict {
  readonly outcome: Outcome;
  readonly retry: boolean;
}

const OVERTAKEN: Verdict = {
  outcome: { ok: false, code: "OVERTAKEN", detail: "a later webhook for this server was worked off first" },
  retry: false,
};
const INTERRUPTED: Verdict = {
  outcome: { ok: false, code: "INTERNAL", detail: "every attempt was interrupted" },
  retry: false,
};

export function createDeliveryWorker(deps: {
  readonly deliveries: Deliveries;
  readonly deploys: DeployActions;
  readonly executionLog: ExecutionLog;
  readonly clock: Clock;
  readonly log: Logger;
}): DeliveryWorker {
  const { deliveries, deploys, clock, log } = deps;

  async function attempt(held: Delivery): Promise<Verdict> {
    try {
      if (held.attempts > MAX_ATTEMPTS) return INTERRUPTED;
      // Late work must not undo what a later message has done meanwhile.
      if (held.attempts > 1 && (await deliveries.isOvertaken(held))) return OVERTAKEN;
      return judge(held, await act(deploys, held));
    } catch (thrown) {
      log.error("webhook_attempt_failed", { delivery: held._id, error: toError(thrown) });
      const code = thrown instanceof StorageUnavailable ? "STORAGE_UNAVAILABLE" : "INTERNAL";
      return judge(held, { ok: false, error: { code, detail: "internal error" } });
    }
  }

  async function settle(held: Delivery, { outcome, retry }: Verdict): Promise<Fate> {
    if (!retry || held.attempts >= MAX_ATTEMPTS) {
      if (!(await deliveries.finish(held, outcome))) return "lost";
      await record(held, outcome);
      return outcome.ok ? "done" : "failed";
    }
    const dueAt = isoTime(clock.now() + pauseAfter(held.attempts));
    if (!(await deliveries.postpone(held, outcome, dueAt))) return "lost";
    await record(held, outcome, dueAt);
    return "postponed";
  }

  async function record(held: Delivery, outcome: Outcome, retryAt?: string): Promise<void> {
    const { _id, source, deliveryId, serverId, ownerId, event, action, attempts, requestId } = held;
    const facts = { event, action, outcome: outcome.code, attempts, ...(retryAt === undefined ? {} : { retryAt }) };
    log[outcome.ok ? "info" : "warn"]("webhook_worked_off", { delivery: _id, serverId, ownerId, ...facts });
    // A server that does not exist, or not for this owner, has no log to write to.
    if (outcome.code === "NOT_FOUND") return;
    await deps.executionLog.append({
      serverId,
      ownerId,
      type: outcome.ok ? "webhook_accepted" : "webhook_failed",
      message: `Webhook ${event}: ${outcome.detail}`,
      actor: actorOf(held).id,
      requestId,
      data: { source, deliveryId, ...facts },
    });
  }

  const work = async (held: Delivery): Promise<Fate> => settle(held, await attempt(held));

  return {
    work,
    async resume() {
      const startedAt = clock.now();
      const due = await deliveries.listDue();
      const report = { found: due.length, done: 0, failed: 0, postponed: 0, lost: 0 };
      const servers = [...Map.groupBy(due, ({ serverId }) => serverId).values()];
      await inLanes(servers, RESUME_LANES, async (ofOneServer) => {
        for (const delivery of ofOneServer) {
          if (clock.now() - startedAt > RESUME_BUDGET_MS) return;
          const held = await deliveries.claim(delivery);
          report[held === null ? "lost" : await work(held)]++;
        }
      });
      return report;
    },
  };
}

function actorOf(delivery: Delivery): Actor {
  return { kind: "system", id: `webhook:${delivery._id}` };
}

async function act(deploys: DeployActions, delivery: Delivery): Promise<Result<unknown>> {
  const { action, serverId, ownerId, target, requestId, origin } = delivery;
  const call: Call = { actor: actorOf(delivery), requestId, origin };
  switch (action) {
    case "deploy":
      return deploys.deploy(call, serverId, { ownerId, ...(target === undefined ? {} : { target }) });
    case "redeploy":
      return deploys.redeploy(call, serverId, { ownerId });
    case "undeploy":
      return deploys.undeploy(call, serverId, { ownerId });
    case "publish": {
      const again = await deploys.redeploy(call, serverId, { ownerId });
      const isFirst = !again.ok && again.error.code === "NOT_DEPLOYED";
      return isFirst ? deploys.deploy(call, serverId, { ownerId }) : again;
    }
  }
}

function judge(delivery: Delivery, result: Result<unknown>): Verdict {
  if (result.ok) return { outcome: { ok: true, code: "OK", detail: "done" }, retry: false };
  const { code, detail } = result.error;
  const outcome = { ok: isSatisfied(delivery, result.error), code, detail };
  return { outcome, retry: !outcome.ok && PASSING.has(code) };
}

/** The state that was asked for is there already, by an earlier attempt or by somebody else. */
function isSatisfied({ action }: Delivery, { code }: AppError): boolean {
  if (code === "ALREADY_DEPLOYED") return action === "deploy" || action === "publish";
  return code === "NOT_DEPLOYED" && action === "undeploy";
}

function pauseAfter(attempts: number): number {
  return Math.min(RETRY_FIRST_MS * 2 ** (attempts - 1), RETRY_LONGEST_MS);
}
