import type { Metrics } from "../core/metrics.ts";
import type { ExecutionLog } from "../servers/execution-log.ts";

/** Which events of the execution log are counted, and as what. */
const COUNTED: ReadonlyMap<string, readonly [metric: string, outcome: string]> = new Map([
  ["deployment_complete", ["orchestrix_deploys_total", "ok"]],
  ["deployment_failed", ["orchestrix_deploys_total", "failed"]],
  ["run_complete", ["orchestrix_runs_total", "ok"]],
  ["run_failed", ["orchestrix_runs_total", "failed"]],
]);

/** The log, with what the metrics tell of it counted as it is written. */
export function withEventMetrics(log: ExecutionLog, metrics: Metrics): ExecutionLog {
  return {
    ...log,
    append(event) {
      const counted = COUNTED.get(event.type);
      if (counted !== undefined) metrics.count(counted[0], { outcome: counted[1] });
      return log.append(event);
    },
  };
}
