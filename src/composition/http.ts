import type { Hono } from "hono";
import packageJson from "../../package.json" with { type: "json" };
import { createApp } from "../app.ts";
import { createDeployEndpoints } from "../deploy/routes.ts";
import { createWebhookEndpoints } from "../deploy/webhooks/routes.ts";
import { createAdmission } from "../http/admission.ts";
import type { AppEnv } from "../http/context.ts";
import { createGuard } from "../http/guard.ts";
import { createIdempotency } from "../http/idempotency.ts";
import type { Jobs } from "../jobs.ts";
import { createJobEndpoints } from "../jobs-routes.ts";
import { createKeyEndpoints } from "../keys/routes.ts";
import { checkReadiness, type Probe } from "../observability/health.ts";
import { createHealthEndpoints } from "../observability/routes.ts";
import { createRuntimeEndpoints } from "../runtime/routes.ts";
import { createSearchEndpoints } from "../search/routes.ts";
import { streamLogs } from "../servers/log-stream.ts";
import { createServerEndpoints } from "../servers/routes.ts";
import type { Kit } from "./kit.ts";
import type { Services } from "./services.ts";

/** The HTTP surface over the services. */
export function composeApp(
  { config, platform, log, clock, ids, defer }: Kit,
  services: Services,
  jobs: Jobs,
): Hono<AppEnv> {
  const { keys, servers, deploys, webhooks, deleteServer, runtime, search } = services;
  const { documents, sharedState } = platform;
  const asked = (key: string | undefined) => (key === undefined ? null : "not_asked");
  const probes: readonly Probe[] = [
    { name: "documents", required: true, probe: () => documents.ping() },
    { name: "cache", required: false, probe: () => sharedState.ping() },
    { name: "rateLimit", required: false, probe: () => sharedState.ping() },
    // The edge target is this Worker: it takes agents when its documents can be written.
    { name: "target", required: true, probe: () => documents.ping() },
    { name: "tavily", required: false, probe: asked(config.TAVILY_API_KEY) },
    { name: "jina", required: false, probe: asked(config.JINA_API_KEY) },
  ];
  const { version } = packageJson;
  return createApp({
    config,
    clock,
    ids,
    log,
    version,
    fetchAsset: platform.fetchAsset,
    guard: createGuard({
      authenticate: (credential) => keys.authenticate(credential),
      admit: createAdmission({ shared: sharedState, clock, log }),
      config,
    }),
    idempotency: createIdempotency({ documents, clock, ids, defer, log }),
    endpoints: [
      ...createServerEndpoints(servers, ({ serverId, ownerId }, options) =>
        streamLogs({ executionLog: services.executionLog, clock, log, serverId, ownerId, ...options }),
      ),
      ...createDeployEndpoints(deploys, deleteServer),
      ...createWebhookEndpoints(webhooks, { bodyLimitBytes: config.BODY_LIMIT_BYTES }),
      ...createRuntimeEndpoints(runtime),
      ...services.mcpEndpoints,
      ...createSearchEndpoints(search),
      ...createKeyEndpoints(keys),
      ...createJobEndpoints(jobs),
      ...createHealthEndpoints({ version, ready: () => checkReadiness(probes, clock) }),
    ],
  });
}
