import { CLAIM_GRACE_MS, LATE_AGENT_MS } from "../config/limits.ts";
import type { Call } from "../core/actor.ts";
import { type Clock, isoTime } from "../core/clock.ts";
import { type AppError, toError } from "../core/errors.ts";
import type { IdSource } from "../core/ids.ts";
import type { Logger } from "../core/logger.ts";
import type { Result } from "../core/result.ts";
import type { ServerRecord, ServerVersion } from "../servers/contract.ts";
import type { Claim } from "../servers/deployment-fields.ts";
import type { ExecutionLog, LogEventType } from "../servers/execution-log.ts";
import type { LoadedServer, ServerKey, ServerStore } from "../servers/store.ts";
import type { Claims } from "./claims.ts";
import type { Ledger, LedgerEntry } from "./ledger.ts";
import type { Operations } from "./operations.ts";
import type { Target } from "./targets/target.ts";

/** Owners and servers read at a time. */
const BATCH = 100;
/** Ledger entries of one owner that one run looks at: each is a call to a target. */
const ENTRIES_PER_OWNER = 100;
/** An agent that is where it should be is looked at this often. */
const CHECK_EVERY_MS = 3_600_000;

/** A server on the platform runs on the same agent as it would on the edge. */
const SHARE_AGENTS: ReadonlySet<string> = new Set(["edge", "archestra-platform"]);

export interface ReconcileReport {
  owners: number;
  /** Servers whose interrupted change was brought to its end. */
  readonly finished: string[];
  /** Servers whose interrupted deploy had left nothing at the target; each can be deployed again. */
  readonly rolledBack: string[];
  /** Servers that got the agent back which their failed deploy had made all the same. */
  readonly adopted: string[];
  /** Agents of servers that are gone, or are elsewhere, removed from their target. */
  readonly removed: string[];
  /** Servers whose agent is no longer at the target. */
  readonly drifted: string[];
  /** What could not be settled now and is tried again by the next run. */
  readonly unsettled: string[];
}

/**
 * Makes records and targets agree again after crashes, lost answers and changes by other hands. Every change is made
 * under the server's claim, so that it never crosses a deploy; running twice at once is safe. A `thorough` run also looks
 * at agents that were lately found where they should be.
 */
export function createReconciler(deps: {
  readonly store: ServerStore;
  readonly claims: Claims;
  readonly ledger: Ledger;
  readonly operations: Operations;
  readonly definitionOf: (record: ServerRecord) => ServerVersion;
  readonly targetOf: (name: string) => Target;
  readonly executionLog: ExecutionLog;
  /** Where our address is neither stored nor set. */
  readonly fallbackOrigin: string;
  readonly timeoutMs: number;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly log: Logger;
}): (options: { readonly thorough: boolean }) => Promise<ReconcileReport> {
  const { store, claims, ledger, operations, targetOf, ids, clock } = deps;

  const callFrom = (origin: string | null): Call => ({
    actor: { kind: "system", id: "job:reconcile-deployments" },
    requestId: ids.next("req"),
    origin: origin ?? deps.fallbackOrigin,
  });

  const renew = (claim: Omit<Claim, "id" | "expiresAt">): Claim => ({
    ...claim,
    id: ids.next("claim"),
    expiresAt: isoTime(clock.now() + deps.timeoutMs + CLAIM_GRACE_MS),
  });

  async function note(call: Call, key: ServerKey, type: LogEventType, message: string): Promise<void> {
    const { serverId, ownerId } = key;
    const event = { serverId, ownerId, type, message, actor: call.actor.id, requestId: call.requestId };
    await deps.executionLog.append(event);
  }

  /** Brings the operation of an expired claim to its end. */
  async function finish(server: LoadedServer, report: ReconcileReport): Promise<void> {
    const { record, deployment } = server;
    const expired = deployment.claim;
    if (expired === null || expired.expiresAt >= isoTime(clock.now())) return;
    const claim = renew(expired);
    await ledger.noteLeftover(server, expired.origin);
    if (!(await claims.takeOver(record, expired, claim))) return;
    const call = callFrom(claim.origin);
    if (claim.operation === "undeploy") {
      settle(report.finished, report, record, await operations.undeploy(call, record, claim));
    } else if (claim.operation === "deploy") {
      await adoptOrRollBack(call, record, claim, report, report.finished);
    } else {
      const definition = (await store.definitionAt(record, claim.version)) ?? deps.definitionOf(record);
      settle(
        report.finished,
        report,
        record,
        await operations.deploy(call, { record, claim, definition, first: "look" }),
      );
    }
  }

  /** A deploy whose answer nobody got: if its agent is there, it is the server's; if not, the server can try again. */
  async function adoptOrRollBack(
    call: Call,
    record: ServerRecord,
    claim: Claim,
    report: ReconcileReport,
    adopted: string[],
  ): Promise<void> {
    const found = await targetOf(claim.target).find(call, record);
    const definition = await store.definitionAt(record, claim.version);
    if (!found.ok) return leaveUncertain(record, claim, found.error, report);
    if (found.value === null || definition === null) return rollBack(call, record, claim, report);
    settle(adopted, report, record, await operations.deploy(call, { record, claim, definition, first: "look" }));
    await note(call, record, "reconciled", `Agent ${found.value.agentId} belongs to this server's interrupted deploy`);
  }

  /** What was begun at the target and never became an agent goes too. */
  async function rollBack(call: Call, record: ServerRecord, claim: Claim, report: ReconcileReport): Promise<void> {
    const cleared = await targetOf(claim.target).remove(call, null, record);
    if (!cleared.ok) return leaveUncertain(record, claim, cleared.error, report);
    await claims.fail(record, claim, "the deploy was interrupted and left nothing behind; deploy again", false);
    await note(call, record, "reconciled", "An interrupted deploy had left nothing behind");
    report.rolledBack.push(record.serverId);
  }

  async function leaveUncertain(
    record: ServerRecord,
    claim: Claim,
    error: AppError,
    report: ReconcileReport,
  ): Promise<void> {
    await claims.fail(record, claim, error.detail, true);
    report.unsettled.push(record.serverId);
  }

  /** A deploy that failed without its outcome being known. */
  async function resolveUncertain(server: LoadedServer, report: ReconcileReport): Promise<void> {
    const { record, deployment } = server;
    const target = record.deployment.target;
    if (!deployment.uncertain || target === null) return;
    const origin = deployment.origin ?? deps.fallbackOrigin;
    const claim = renew({ operation: "deploy", target, version: record.version, origin });
    if (!(await claims.take(server, "deploy", claim))) return;
    await adoptOrRollBack(callFrom(origin), record, claim, report, report.adopted);
  }

  async function checkEntry(entry: LedgerEntry, report: ReconcileReport): Promise<void> {
    const loaded = await store.load({ kind: "owner", ownerId: entry.ownerId }, entry.serverId);
    const call = callFrom(entry.origin);
    if (!loaded.ok) return clearEntry(call, entry, report);
    const { record, deployment } = loaded.value;
    const { state, target } = record.deployment;
    // Its turn comes again: as long as a target is away, its many entries do not keep others from being looked at.
    if (state === "deploying" || state === "undeploying" || deployment.uncertain) return lookAgain(entry);
    if (state !== "deployed") return clearUnderClaim(call, loaded.value, entry, report);
    if (target === entry.target) return checkDrift(call, record, entry, report);
    // The agent that is in use stands behind this entry too: what else the entry means waits for the undeploy.
    if (SHARE_AGENTS.has(entry.target) && SHARE_AGENTS.has(target ?? "")) return;
    return clearEntry(call, entry, report);
  }

  async function clearEntry(call: Call, entry: LedgerEntry, report: ReconcileReport): Promise<void> {
    if (!(await clearTarget(call, entry, report)) || (await ledger.strike(entry))) return;
    await lookAgain(entry);
  }

  /** When nothing can come any more that has been begun by now. */
  async function lookAgain(entry: LedgerEntry): Promise<void> {
    await ledger.markChecked(entry, clock.now() - CHECK_EVERY_MS + LATE_AGENT_MS);
  }

  /** Of a draft or a failed server: the claim keeps a deploy from making, meanwhile, what is removed here. */
  async function clearUnderClaim(
    call: Call,
    server: LoadedServer,
    entry: LedgerEntry,
    report: ReconcileReport,
  ): Promise<void> {
    const { record } = server;
    const { state, target, error } = record.deployment;
    const { origin } = entry;
    const claim = renew({ operation: "deploy", target: target ?? entry.target, version: record.version, origin });
    if (!(await claims.take(server, "deploy", claim))) return;
    await clearEntry(call, entry, report);
    if (state === "failed") await claims.fail(record, claim, error ?? "", false);
    else await claims.completeUndeploy(record, claim);
  }

  /** True when the target has no agent of this server any more. */
  async function clearTarget(call: Call, entry: LedgerEntry, report: ReconcileReport): Promise<boolean> {
    const target = targetOf(entry.target);
    const found = await target.find(call, entry);
    const removed = found.ok ? await target.remove(call, found.value?.agentId ?? entry.agentId, entry) : found;
    if (!removed.ok) report.unsettled.push(entry.serverId);
    else if (removed.value === true) report.removed.push(entry.serverId);
    return removed.ok;
  }

  async function checkDrift(
    call: Call,
    record: ServerRecord,
    entry: LedgerEntry,
    report: ReconcileReport,
  ): Promise<void> {
    const found = await targetOf(entry.target).find(call, record);
    await ledger.markChecked(entry);
    if (!found.ok || found.value !== null) return;
    report.drifted.push(record.serverId);
    const message = `${entry.target} has no agent of this server any more; redeploy to make it again`;
    if (record.deployment.error === message) return;
    const unchanged = { "deployment.state": "deployed", archestraAgentId: record.archestraAgentId };
    if (await store.changeIf(record, unchanged, { "deployment.error": message })) {
      await note(call, record, "drift_detected", message);
    }
  }

  function settle(list: string[], report: ReconcileReport, { serverId }: ServerRecord, outcome: Result<unknown>): void {
    (outcome.ok ? list : report.unsettled).push(serverId);
  }

  /** One server's trouble does not keep the others from being looked at. */
  async function guarded(serverId: string, report: ReconcileReport, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      report.unsettled.push(serverId);
      deps.log.error("reconcile_failed", { serverId, error: toError(error) });
    }
  }

  return async function reconcile({ thorough }) {
    const report: ReconcileReport = {
      owners: 0,
      finished: [],
      rolledBack: [],
      adopted: [],
      removed: [],
      drifted: [],
      unsettled: [],
    };
    for await (const ownerId of pages(
      (after) => store.listOwners({ after, limit: BATCH }),
      (owner) => owner,
    )) {
      report.owners++;
      for (const state of ["deploying", "undeploying", "failed"] as const) {
        const servers = pages(
          (after) => store.list(ownerId, { state, after, limit: BATCH }),
          ({ record }) => record.serverId,
        );
        for await (const server of servers) {
          await guarded(server.record.serverId, report, () =>
            state === "failed" ? resolveUncertain(server, report) : finish(server, report),
          );
        }
      }
      const before = isoTime(clock.now() - (thorough ? -1 : CHECK_EVERY_MS));
      const due = await ledger.listDue(ownerId, before, ENTRIES_PER_OWNER);
      for (const entry of due) await guarded(entry.serverId, report, () => checkEntry(entry, report));
    }
    return report;
  };
}

async function* pages<T>(
  read: (after: string | undefined) => Promise<readonly T[]>,
  cursorOf: (item: T) => string,
): AsyncGenerator<T> {
  let after: string | undefined;
  for (;;) {
    const batch = await read(after);
    yield* batch;
    const last = batch.at(-1);
    if (last === undefined || batch.length < BATCH) return;
    after = cursorOf(last);
  }
}
