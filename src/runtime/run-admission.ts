import { type AtOnce, goOn } from "../core/at-once.ts";
import type { AppError } from "../core/errors.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { AdmissionControl, Admitted } from "../http/admission/contract.ts";
import type { Tier } from "../storage/shared-state/shared-state.ts";
import type { Policy } from "./contract.ts";

const MINUTE_SECONDS = 60;
const DAY_SECONDS = 86_400;

/** Whether one more run may begin: by the policy's rates and the owner's quota, counted over all isolates. */
export interface RunAdmission {
  /** `callerId` tells callers of this agent apart: a key's id, or an address. */
  admit(run: {
    readonly agentId: string;
    readonly ownerId: string;
    readonly callerId: string;
    readonly rate: Policy["rate"];
  }): AtOnce<Result<null>>;
}

/** A run that is refused by one limit has not used up those asked after it. */
export function createRunAdmission(deps: {
  readonly admission: AdmissionControl;
  readonly runsPerDay: number;
}): RunAdmission {
  const { admission, runsPerDay } = deps;

  const ownerTiers = [{ name: "owner-runs", limit: runsPerDay, windowSeconds: DAY_SECONDS }];

  function pass({ subject, tiers }: Limit): AtOnce<Result<null>> {
    const decided = admission.decide(subject, tiers);
    if (decided !== null) return toResult(decided);
    return admission.ask(subject, tiers).then(({ admitted }) => toResult(admitted));
  }

  function passAll(limits: readonly Limit[]): AtOnce<Result<null>> {
    const [first, ...others] = limits;
    if (first === undefined) return ADMITTED;
    return goOn(pass(first), (passed) => (passed.ok ? passAll(others) : passed));
  }

  return {
    admit({ agentId, ownerId, callerId, rate }) {
      const ofOwner: Limit = { subject: `runs:${ownerId}`, tiers: ownerTiers };
      return rate === undefined ? pass(ofOwner) : passAll([...limitsOf(rate, agentId, callerId), ofOwner]);
    },
  };
}

interface Limit {
  readonly subject: string;
  readonly tiers: readonly Tier[];
}

function limitsOf({ perCaller, perAgent }: NonNullable<Policy["rate"]>, agentId: string, callerId: string): Limit[] {
  const limits: Limit[] = [];
  if (perCaller !== undefined) {
    limits.push({ subject: `run:${agentId}:${callerId}`, tiers: [perMinute("agent-caller", perCaller.perMinute)] });
  }
  if (perAgent !== undefined) {
    limits.push({ subject: `run:${agentId}`, tiers: [perMinute("agent", perAgent.perMinute)] });
  }
  return limits;
}

const ADMITTED = ok(null);

function toResult(admitted: Admitted): Result<null> {
  return admitted.admitted ? ADMITTED : err(refusalOf(admitted));
}

function perMinute(name: string, limit: number): Tier {
  return { name, limit, windowSeconds: MINUTE_SECONDS };
}

function refusalOf({ tiers, violated }: Admitted): AppError {
  const resetMs = Math.max(0, ...tiers.filter(({ name }) => violated.includes(name)).map((tier) => tier.resetMs));
  const what =
    violated[0] === "owner-runs" ? "the owner's runs of this day are used up" : "this agent's rate is used up";
  return {
    code: "RATE_LIMITED",
    detail: what,
    violatedPolicies: [...violated],
    retryAfterSeconds: Math.ceil(resetMs / MS_PER_SECOND),
  };
}

const MS_PER_SECOND = 1_000;
