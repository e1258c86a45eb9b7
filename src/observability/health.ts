import type { Clock } from "../core/clock.ts";
import { waitAtMost } from "../core/deadline.ts";

/** A probe that is slower than this tells an operator nothing more. */
const CHECK_TIMEOUT_MS = 2_000;

/** `configured`: has what it needs, and is not asked here because asking costs money. */
export const CHECK_STATUSES = ["ok", "failed", "configured", "not_configured"] as const;
type CheckStatus = (typeof CHECK_STATUSES)[number];

interface Check {
  readonly status: CheckStatus;
  readonly latencyMs: number;
}

export interface Readiness {
  readonly status: "ready" | "not_ready";
  readonly checks: Readonly<Record<string, Check>>;
}

export interface Probe {
  readonly name: string;
  /** A part that is required makes the whole not ready when it fails. */
  readonly required: boolean;
  /** Resolves when the part answers. Null: the part is not configured. */
  readonly probe: (() => Promise<unknown>) | "not_asked" | null;
}

/** Whoever asks more often gets the last report: probes must not become a way to load what stands behind us. */
export const REPORT_LASTS_SECONDS = 2;

const MS_PER_SECOND = 1_000;

/**
 * Asks every part at once, each within its own time, and keeps the report for a moment. Only what is finished is shared:
 * a look that is under way ends with the request that began it.
 */
export function createReadiness(probes: readonly Probe[], clock: Clock): () => Promise<Readiness> {
  let last: { readonly readiness: Readiness; readonly until: number } | undefined;
  return async function ready() {
    if (last !== undefined && clock.now() < last.until) return last.readiness;
    const readiness = await checkReadiness(probes, clock);
    last = { readiness, until: clock.now() + REPORT_LASTS_SECONDS * MS_PER_SECOND };
    return readiness;
  };
}

async function checkReadiness(probes: readonly Probe[], clock: Clock): Promise<Readiness> {
  const checks = await Promise.all(
    probes.map(async ({ name, required, probe }) => ({ name, required, check: await runProbe(probe, clock) })),
  );
  const ready = checks.every(({ required, check }) => !required || check.status === "ok");
  return {
    status: ready ? "ready" : "not_ready",
    checks: Object.fromEntries(checks.map(({ name, check }) => [name, check])),
  };
}

async function runProbe(probe: Probe["probe"], clock: Clock): Promise<Check> {
  if (probe === null) return { status: "not_configured", latencyMs: 0 };
  if (probe === "not_asked") return { status: "configured", latencyMs: 0 };
  const startedAt = clock.now();
  let status: CheckStatus = "failed";
  try {
    const outcome = await waitAtMost(clock, CHECK_TIMEOUT_MS, probe());
    if (outcome !== null) status = "ok";
  } catch {
    // Which part failed is the answer; why is in that part's own log.
  }
  return { status, latencyMs: clock.now() - startedAt };
}
