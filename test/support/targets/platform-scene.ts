import { systemRandom } from "../../../src/core/ids.ts";
import { createAgentsContractTarget } from "../../../src/deploy/targets/agents-contract.ts";
import { createArchestraPlatformTarget } from "../../../src/deploy/targets/archestra-platform.ts";
import { type AgentsHost, startAgentsHost } from "./agents-host.ts";
import { type Archestra, type ArchestraOptions, startArchestra } from "./archestra.ts";
import { createFastClock } from "./fixtures.ts";

export const FRONTEND_URL = "https://archestra.test";
/** At the fast clock's pace three seconds: no test of a quick fault comes near. */
export const TIMEOUT_MS = 60_000;
export const TOKEN_PREFIX = "orx-mcp-token-of-";

export interface PlatformScene {
  readonly archestra: Archestra;
  /** Where the graphs run; their MCP endpoints too. */
  readonly edge: AgentsHost;
  /** A target that knows nothing of what others have done, as after a restart. */
  newTarget(publicUrl?: string): ReturnType<typeof createArchestraPlatformTarget>;
  readonly target: ReturnType<typeof createArchestraPlatformTarget>;
  /** How many there are of each thing that a deploy makes. */
  counts(): { readonly items: number; readonly installs: number; readonly gateways: number; readonly edge: number };
  close(): Promise<void>;
}

/** An Archestra, our own runtime as it reaches it, and the target between them. */
export async function startPlatformScene(
  options: ArchestraOptions,
  clock = createFastClock(),
  accessToken = async (edgeAgentId: string): Promise<string | null> => `${TOKEN_PREFIX}${edgeAgentId}`,
): Promise<PlatformScene> {
  const edge = await startAgentsHost({ mcpToken: (agentId) => `${TOKEN_PREFIX}${agentId}` });
  const archestra = await startArchestra(options);
  const link = { fetch, clock, random: systemRandom, timeoutMs: TIMEOUT_MS };
  const newTarget = (publicUrl = edge.url) =>
    createArchestraPlatformTarget({
      ...link,
      baseUrl: archestra.url,
      frontendUrl: FRONTEND_URL,
      apiKey: archestra.apiKey,
      publicUrl,
      accessToken,
      edge: createAgentsContractTarget({
        ...link,
        name: "edge",
        collectionUrl: () => edge.collectionUrl,
        authorization: "Bearer key-of-the-edge",
      }),
    });
  return {
    archestra,
    edge,
    newTarget,
    target: newTarget(),
    counts: () => ({
      items: archestra.catalog().length,
      installs: archestra.installs().length,
      gateways: archestra.gateways().length,
      edge: edge.agents().length,
    }),
    async close() {
      await archestra.close();
      await edge.close();
    },
  };
}
