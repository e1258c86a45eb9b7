import { expect, test } from "vitest";
import { createUnconfiguredTarget } from "../../../../src/deploy/targets/unconfigured.ts";
import { agentOf, CALL } from "../../../support/targets/fixtures.ts";

test("a target that lacks its key says so, whatever it is asked", async () => {
  const detail = "API key not configured: set ARCHESTRA_API_KEY";
  const target = createUnconfiguredTarget("archestra", detail);
  const agent = agentOf();
  const outcomes = [
    await target.create(CALL, agent),
    await target.replace(CALL, "agent_1", agent),
    await target.remove(CALL, "agent_1", agent.metadata),
    await target.find(CALL, agent.metadata),
    await target.health(CALL),
  ];
  expect(target.name).toBe("archestra");
  for (const outcome of outcomes)
    expect(outcome).toEqual({ ok: false, error: { code: "TARGET_NOT_CONFIGURED", detail } });
});
