import { expect, onTestFinished, test } from "vitest";
import { findFreePort } from "../../scripts/server.ts";
import { ECHO_API } from "../support/graphs.ts";
import { call, makeStateDir, start } from "../support/launched.ts";
import { startArchestra } from "../support/targets/archestra.ts";

const OWNER = "user-123";

test.each(["1.3", "1.4"] as const)(
  "Archestra %s gets a server's agent, calls it, and loses it again",
  async (version) => {
    const archestra = await startArchestra({ version });
    onTestFinished(() => archestra.close());
    const port = String(await findFreePort("127.0.0.1"));
    const server = await start(await makeStateDir(), {
      PORT: port,
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      DEPLOY_TARGET: "archestra-platform",
      ARCHESTRA_BASE_URL: archestra.url,
      ARCHESTRA_FRONTEND_URL: "http://ui.archestra.test:3000",
      ARCHESTRA_PLATFORM_API_KEY: archestra.apiKey,
    });
    await call(server, "POST", "/mcp/servers", { ...ECHO_API, serverId: "echo", ownerId: OWNER });
    const deployed = await call(server, "POST", "/mcp/servers/echo/deploy", { ownerId: OWNER });
    expect(deployed.status, JSON.stringify(deployed.body)).toBe(200);
    const [gateway] = archestra.gateways();
    expect(deployed.body).toMatchObject({
      agentId: gateway?.id,
      endpoint: `${archestra.url}/v1/mcp/${gateway?.id}`,
      dashboardUrl:
        version === "1.3"
          ? `http://ui.archestra.test:3000/mcp/gateways?edit=${gateway?.id}`
          : `http://ui.archestra.test:3000/mcp/gateways/${gateway?.id}`,
    });
    expect(archestra.installs()).toHaveLength(1);
    const edge = await call(server, "GET", `/mcp/agents?serverId=echo&ownerId=${OWNER}`);
    const besides = await fetch(edge.body.publicEndpoint, {
      method: "POST",
      body: "{}",
      headers: { "Content-Type": "application/json" },
    });
    expect(besides.status).toBe(401);

    // The agent lives here, so that this is what runs, not the draft beside it.
    const changed = { description: "changed since", version: 1 };
    expect((await call(server, "PATCH", "/mcp/servers/echo", changed)).status).toBe(200);
    const params = { name: "run_server", arguments: { serverId: "echo", ownerId: OWNER, input: {} } };
    const ran = await call(server, "POST", "/mcp", { jsonrpc: "2.0", id: 1, method: "tools/call", params });
    expect(ran.body.result.structuredContent.trace).toMatchObject({
      agentId: edge.body.agentId,
      version: 1,
      trigger: "mcp",
      outcome: "ok",
    });

    const again = await call(server, "PUT", "/mcp/servers/echo/deploy");
    expect(again.body).toMatchObject({ agentId: gateway?.id, endpoint: deployed.body.endpoint });
    expect((await call(server, "DELETE", "/mcp/servers/echo/deploy")).status).toBe(200);
    expect([archestra.gateways(), archestra.installs(), archestra.catalog()]).toEqual([[], [], []]);
    expect((await call(server, "GET", `/mcp/agents?serverId=echo&ownerId=${OWNER}`)).status).toBe(404);
    expect(server.output()).not.toContain(archestra.apiKey);
  },
);
