import { expect, onTestFinished, test } from "vitest";
import { CLAIM_GRACE_MS } from "../../src/config/limits.ts";
import { ECHO_API } from "../support/graphs.ts";
import { call, makeStateDir, start } from "../support/launched.ts";
import { startAgentsHost } from "../support/targets/agents-host.ts";

const OWNER = "user-123";
const DEPLOY_TIMEOUT_MS = 500;

test("a process that is killed during a deploy loses nothing: the next one finds the agent that was made", async () => {
  const host = await startAgentsHost();
  onTestFinished(() => host.close());
  const variables = {
    DEPLOY_TARGET: "archestra",
    ARCHESTRA_API_KEY: "key-of-the-host",
    ARCHESTRA_DEPLOYMENT_ENDPOINT: host.collectionUrl,
    DEPLOY_TIMEOUT_MS: String(DEPLOY_TIMEOUT_MS),
  };
  const stateDir = await makeStateDir();
  const first = await start(stateDir, variables);
  await call(first, "POST", "/mcp/servers", { ...ECHO_API, serverId: "echo", ownerId: OWNER });
  host.script("POST", { workThen: "hang" });
  const deploying = call(first, "POST", "/mcp/servers/echo/deploy", { ownerId: OWNER }).catch(() => "no answer");
  await host.arrived("POST");
  await first.kill();
  expect(await deploying).toBe("no answer");
  expect(host.agents()).toHaveLength(1);

  const second = await start(stateDir, variables);
  expect((await call(second, "GET", "/mcp/servers/echo/status")).body).toMatchObject({
    state: "deploying",
    agentId: null,
  });
  const tooEarly = await call(second, "POST", "/mcp/servers/echo/deploy", { ownerId: OWNER });
  expect(tooEarly.body.code).toBe("DEPLOY_IN_PROGRESS");
  // Nothing but time frees the claim of a process that is gone.
  await new Promise((resolve) => setTimeout(resolve, DEPLOY_TIMEOUT_MS + CLAIM_GRACE_MS));
  const job = await call(second, "POST", "/admin/jobs/reconcile-deployments");
  expect(job.body.report).toMatchObject({ finished: ["echo"], unsettled: [] });
  const [agent] = host.agents();
  expect(host.agents()).toHaveLength(1);
  expect((await call(second, "GET", "/mcp/servers/echo/status")).body).toMatchObject({
    state: "deployed",
    agentId: agent?.agentId,
    lastError: null,
  });
  const log = await call(second, "GET", "/mcp/servers/echo/logs");
  expect(log.body.items.map((event: { type: string }) => event.type)).toContain("reconciled");
});
