import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { JOB_NAMES, type JobName, type Jobs, runScheduled, SCHEDULE } from "../../src/jobs.ts";
import { createLogger } from "../../src/observability/logger.ts";
import { createFakeClock } from "../support/fake-clock.ts";

function createLogs() {
  const lines: string[] = [];
  const log = createLogger({
    level: "info",
    clock: createFakeClock(),
    secrets: [],
    write: (line) => lines.push(line),
  });
  return { lines, log };
}

/** Every job does this. */
function jobsThat(work: Jobs[JobName]): Jobs {
  return Object.fromEntries(JOB_NAMES.map((name) => [name, work])) as Jobs;
}

test("every trigger of wrangler.toml runs a job, and every scheduled job has its trigger", async () => {
  const toml = await readFile(new URL("../../wrangler.toml", import.meta.url).pathname, "utf8");
  const crons = JSON.parse(/^crons = (\[.*\])$/m.exec(toml)?.[1] ?? "[]");
  expect(crons.length).toBeGreaterThan(0);
  expect(Object.keys(SCHEDULE).sort()).toEqual([...crons].sort());
  expect(Object.values(SCHEDULE).flat().sort()).toEqual([...JOB_NAMES].sort());
});

test("a trigger runs its job and logs the report", async () => {
  const { lines, log } = createLogs();
  await runScheduled(
    "*/5 * * * *",
    jobsThat(async () => ({ owners: 2 })),
    log,
  );
  expect(lines.map((line) => JSON.parse(line))).toMatchObject(
    (SCHEDULE["*/5 * * * *"] ?? []).map((job) => ({ event: "job_done", job, report: { owners: 2 } })),
  );
});

test("a job that fails is logged, without its secrets, and does not throw", async () => {
  const { lines, log } = createLogs();
  const jobs = jobsThat(() => Promise.reject(new Error("mongodb://u:s3cret@db/ is down")));
  await runScheduled("*/5 * * * *", jobs, log);
  expect(lines.filter((line) => line.includes("job_failed"))).toHaveLength(SCHEDULE["*/5 * * * *"]?.length ?? 0);
  expect(lines.join("")).not.toContain("s3cret");
});
