import type { Targets } from "../deploy/operations.ts";
import { createAgentsContractTarget } from "../deploy/targets/agents-contract.ts";
import { createArchestraPlatformTarget } from "../deploy/targets/archestra-platform.ts";
import type { Target } from "../deploy/targets/target.ts";
import { createUnconfiguredTarget } from "../deploy/targets/unconfigured.ts";
import type { Kit } from "./kit.ts";

/** Where agents can live, under this configuration. */
export function composeTargets(kit: Kit): Targets {
  const { config, clock, random } = kit;
  const timeoutMs = config.DEPLOY_TIMEOUT_MS;
  const edge = createAgentsContractTarget({
    name: "edge",
    fetch: kit.callSelf,
    collectionUrl: (call) => `${call.origin}/mcp/agents`,
    authorization: `Bearer ${kit.systemKey}`,
    clock,
    random,
    timeoutMs,
  });
  const key = config.ARCHESTRA_API_KEY;
  const archestra =
    key === undefined
      ? createUnconfiguredTarget("archestra", "API key not configured: set ARCHESTRA_API_KEY")
      : createAgentsContractTarget({
          name: "archestra",
          fetch: kit.platform.fetch,
          collectionUrl: () => config.ARCHESTRA_DEPLOYMENT_ENDPOINT,
          authorization: config.ARCHESTRA_AUTH_SCHEME === "raw" ? key : `Bearer ${key}`,
          clock,
          random,
          timeoutMs,
        });
  return { edge, archestra, "archestra-platform": composePlatformTarget(kit, edge) };
}

function composePlatformTarget({ config, platform, clock, random, accessTokens }: Kit, edge: Target): Target {
  const name = "archestra-platform";
  const apiKey = config.ARCHESTRA_PLATFORM_API_KEY;
  const { ARCHESTRA_BASE_URL: baseUrl, ARCHESTRA_FRONTEND_URL: frontendUrl, PUBLIC_URL: publicUrl } = config;
  if (apiKey === undefined) {
    return createUnconfiguredTarget(name, "API key not configured: set ARCHESTRA_PLATFORM_API_KEY");
  }
  if (baseUrl === undefined || frontendUrl === undefined || publicUrl === undefined) {
    return createUnconfiguredTarget(name, "set ARCHESTRA_BASE_URL, ARCHESTRA_FRONTEND_URL and PUBLIC_URL");
  }
  return createArchestraPlatformTarget({
    fetch: platform.fetch,
    clock,
    random,
    timeoutMs: config.DEPLOY_TIMEOUT_MS,
    baseUrl,
    frontendUrl,
    apiKey,
    publicUrl,
    edge,
    accessToken: (edgeAgentId) => accessTokens.mint(edgeAgentId),
  });
}
