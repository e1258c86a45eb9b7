import { toError } from "./core/errors.ts";
import type { JsonObject } from "./core/json.ts";
import type { Logger } from "./core/logger.ts";

/** Work that runs by itself. Each gives a report for the log and for whoever asked; each may run at any time, twice too. */
export type Jobs = Readonly<Record<JobName, (options: JobOptions) => Promise<JsonObject>>>;

/** `thorough`: somebody asked for it, and wants all looked at rather than what is due. */
export interface JobOptions {
  readonly thorough: boolean;
}

export const JOB_NAMES = ["reconcile-deployments", "resume-webhooks", "clean-up", "warm-cache"] as const;
export type JobName = (typeof JOB_NAMES)[number];

/** Which trigger of wrangler.toml runs what. */
export const SCHEDULE: Readonly<Record<string, readonly JobName[]>> = {
  "*/5 * * * *": ["reconcile-deployments", "resume-webhooks", "clean-up", "warm-cache"],
};

/** Runs what a trigger stands for, one job after the other. A job that fails does not keep the next from running. */
export async function runScheduled(cron: string, jobs: Jobs, log: Logger): Promise<void> {
  for (const name of SCHEDULE[cron] ?? []) {
    try {
      log.info("job_done", { job: name, report: await jobs[name]({ thorough: false }) });
    } catch (error) {
      log.error("job_failed", { job: name, error: toError(error) });
    }
  }
}
