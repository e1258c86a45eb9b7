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
  }): Promise<Result<null>>;
}

/** A run that is refused by one limit has not used up those asked after it. */
export function createRunAdmission(deps: {
  readonly admission: AdmissionControl;
  readonly runsPerDay: number;
}): RunAdmission {
  const { admission, runsPerDay } = deps;

  async function pass(subject: string, tier: Tier): Promise<Result<null>> {
    const tiers = [tier];
    const admitted = admission.decide(subject, tiers) ?? (await admission.ask(subject, tiers)).admitted;
    return admitted.admitted ? ok(null) : err(refusalOf(admitted));
  }

  return {
    async admit({ agentId, ownerId, callerId, rate }) {
      const limits: (readonly [string, Tier])[] = [];
      if (rate?.perCaller !== undefined) {
        limits.push([`run:${agentId}:${callerId}`, perMinute("agent-caller", rate.perCaller.perMinute)]);
      }
      if (rate?.perAgent !== undefined) limits.push([`run:${agentId}`, perMinute("agent", rate.perAgent.perMinute)]);
      limits.push([`runs:${ownerId}`, { name: "owner-runs", limit: runsPerDay, windowSeconds: DAY_SECONDS }]);
      for (const [subject, tier] of limits) {
        const passed = await pass(subject, tier);
        if (!passed.ok) return passed;
      }
      return ok(null);
    },
  };
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
