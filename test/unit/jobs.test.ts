import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { runScheduled, SCHEDULE } from "../../src/jobs.ts";
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

test("every trigger of wrangler.toml runs a job, and every scheduled job has its trigger", async () => {
  const toml = await readFile(new URL("../../wrangler.toml", import.meta.url).pathname, "utf8");
  const crons = JSON.parse(/^crons = (\[.*\])$/m.exec(toml)?.[1] ?? "[]");
  expect(crons.length).toBeGreaterThan(0);
  expect(Object.keys(SCHEDULE).sort()).toEqual([...crons].sort());
});

test("a trigger runs its job and logs the report", async () => {
  const { lines, log } = createLogs();
  await runScheduled("*/5 * * * *", { "reconcile-deployments": async () => ({ owners: 2 }) }, log);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { event: "job_done", job: "reconcile-deployments", report: { owners: 2 } },
  ]);
});

test("a job that fails is logged, without its secrets, and does not throw", async () => {
  const { lines, log } = createLogs();
  const jobs = { "reconcile-deployments": () => Promise.reject(new Error("mongodb://u:s3cret@db/ is down")) };
  await runScheduled("*/5 * * * *", jobs, log);
  expect(lines.join("")).toContain("job_failed");
  expect(lines.join("")).not.toContain("s3cret");
});
