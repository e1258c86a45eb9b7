import type { Clock } from "../core/clock.ts";
import { runWithin } from "../core/deadline.ts";

/** A probe that is slower than this tells an operator nothing more. */
const CHECK_TIMEOUT_MS = 2_000;

export type CheckStatus = "ok" | "failed" | "not_configured";

export interface Check {
  readonly status: CheckStatus;
  readonly latencyMs: number;
}

export interface Readiness {
  readonly status: "ready" | "not_ready";
  readonly checks: Readonly<Record<string, Check>>;
}

/** A part that this Worker needs. `probe` resolves when the part answers; null says that it is not configured. */
export interface Probe {
  readonly name: string;
  /** A part that is required makes the whole not ready when it fails. */
  readonly required: boolean;
  readonly probe: (() => Promise<unknown>) | null;
}

/** Asks every part at once, each within its own time. */
export async function checkReadiness(probes: readonly Probe[], clock: Clock): Promise<Readiness> {
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
  const startedAt = clock.now();
  let status: CheckStatus = "failed";
  try {
    const outcome = await runWithin(clock, CHECK_TIMEOUT_MS, undefined, probe);
    if (outcome.kind === "done") status = "ok";
  } catch {
    // Which part failed is the answer; why is in that part's own log.
  }
  return { status, latencyMs: clock.now() - startedAt };
}
