import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { obstacleTo, TRANSITIONS } from "../../../src/deploy/lifecycle.ts";
import { DEPLOYMENT_STATES } from "../../../src/servers/contract.ts";
import { OPERATIONS } from "../../../src/servers/deployment-fields.ts";

const NOW = "2026-02-13T10:30:00.000Z";
const LATER = "2026-02-13T10:31:00.000Z";
const EARLIER = "2026-02-13T10:29:00.000Z";

test("every change begins where the table says, and nowhere else", () => {
  const table = Object.fromEntries(
    OPERATIONS.map((operation) => [
      operation,
      DEPLOYMENT_STATES.map((state) => obstacleTo(operation, state, LATER, NOW) ?? "may begin"),
    ]),
  );
  // In order: draft, deploying, deployed, failed, undeploying.
  expect(table).toEqual({
    deploy: ["may begin", "in_progress", "already_deployed", "may begin", "in_progress"],
    redeploy: ["not_deployed", "in_progress", "may begin", "not_deployed", "in_progress"],
    rollback: ["not_deployed", "in_progress", "may begin", "not_deployed", "in_progress"],
    undeploy: ["not_deployed", "in_progress", "may begin", "not_deployed", "in_progress"],
  });
});

test("a claim that ran out is in nobody's way, one without an end is", () => {
  for (const operation of OPERATIONS) {
    for (const state of ["deploying", "undeploying"] as const) {
      expect(obstacleTo(operation, state, EARLIER, NOW)).toBeNull();
      expect(obstacleTo(operation, state, null, NOW)).toBe("in_progress");
    }
  }
});

test("the README shows the table as it is", async () => {
  const readme = await readFile(new URL("../../../README.md", import.meta.url).pathname, "utf8");
  const names = {
    deploy: "`POST …/deploy`",
    redeploy: "`PUT …/deploy` (redeploy)",
    rollback: "`POST …/rollback`",
    undeploy: "`DELETE …/deploy` (undeploy)",
  };
  for (const operation of OPERATIONS) {
    const { from, during, succeeded, failed } = TRANSITIONS[operation];
    const ending = failed === "deployed" ? "deployed, with `lastError`" : failed;
    const row = `| ${names[operation]} | ${from.join(", ")} | ${during} | ${succeeded} | ${ending} |`;
    expect(readme).toContain(row);
  }
});
