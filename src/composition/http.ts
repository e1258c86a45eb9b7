import type { Hono } from "hono";
import packageJson from "../../package.json" with { type: "json" };
import { createApp } from "../app.ts";
import type { Config } from "../config/config.ts";
import type { Call } from "../core/actor.ts";
import type { IdSource } from "../core/ids.ts";
import { createDeployEndpoints } from "../deploy/routes.ts";
import { createWebhookEndpoints } from "../deploy/webhooks/routes.ts";
import type { AppEnv } from "../http/context.ts";
import { createGuard } from "../http/guard.ts";
import { createIdempotency } from "../http/idempotency.ts";
import { createStreamPlaces } from "../http/stream-places.ts";
import type { Jobs } from "../jobs.ts";
import { createJobEndpoints } from "../jobs-routes.ts";
import { createKeyEndpoints } from "../keys/routes.ts";
import { createReadiness, type Probe } from "../observability/health.ts";
import type { MetricsKit } from "../observability/metrics.ts";
import { createMetricsEndpoint } from "../observability/metrics-routes.ts";
import { createHealthEndpoints } from "../observability/routes.ts";
import { toolRegistry } from "../runtime/registry.ts";
import { createRuntimeEndpoints } from "../runtime/routes.ts";
import { createTestRunEndpoints } from "../runtime/test-run-routes.ts";
import { createToolsEndpoints } from "../runtime/tools-routes.ts";
import { createDropInEndpoints } from "../search/drop-in/routes.ts";
import { createProviderEndpoints } from "../search/providers/provider-routes.ts";
import { createSearchEndpoints } from "../search/routes.ts";
import { createSecretEndpoints } from "../secrets/routes.ts";
import { streamLogs } from "../servers/log-stream.ts";
import { createServerEndpoints } from "../servers/routes.ts";
import type { Kit } from "./kit.ts";
import { type Services, UNKNOWN_ORIGIN } from "./services.ts";

/** The HTTP surface over the services. */
export function composeApp(
  { config, platform, log, clock, ids, defer, metrics, sharedState }: Kit,
  services: Services,
  jobs: Jobs,
  meter: MetricsKit,
): Hono<AppEnv> {
  const { keys, servers, deploys, webhooks, deleteServer, runtime, search } = services;
  const { documents } = platform;
  const asked = (key: string | undefined) => (key === undefined ? null : "not_asked");
  const probes: readonly Probe[] = [
    { name: "documents", required: true, probe: () => documents.ping() },
    { name: "cache", required: false, probe: () => sharedState.ping() },
    { name: "rateLimit", required: false, probe: () => sharedState.ping() },
    // Another host that is down keeps this Worker from deploying there, and from nothing else.
    { name: "target", required: config.DEPLOY_TARGET === "edge", probe: () => askTarget(services, config, ids) },
    { name: "tavily", required: false, probe: asked(config.TAVILY_API_KEY) },
    { name: "jina", required: false, probe: asked(config.JINA_API_KEY) },
  ];
  const { version } = packageJson;
  const streams = createStreamPlaces({ clock });
  return createApp({
    config,
    clock,
    ids,
    log,
    version,
    fetchAsset: platform.fetchAsset,
    noteRequest(route, status, durationMs) {
      const labels = { route: typeof route === "string" ? route : "none" };
      metrics.count("orchestrix_requests_total", { ...labels, status: String(status) });
      metrics.observe("orchestrix_request_duration_seconds", durationMs, labels);
      meter.flushSoon();
    },
    guard: createGuard({
      authenticate: (credential) => keys.authenticate(credential),
      admission: services.admission,
      config,
    }),
    idempotency: createIdempotency({ documents, clock, ids, defer, log }),
    endpoints: [
      ...createServerEndpoints(
        servers,
        ({ serverId, ownerId }, options) =>
          streamLogs({ executionLog: services.executionLog, clock, log, serverId, ownerId, ...options }),
        streams,
      ),
      ...createDeployEndpoints(deploys, deleteServer),
      ...createWebhookEndpoints(webhooks, { bodyLimitBytes: config.BODY_LIMIT_BYTES }),
      ...createRuntimeEndpoints(runtime, services.toRunRequest, streams),
      ...createTestRunEndpoints(services.testRun, runtime, (call, id, ownerId) => servers.get(call, id, ownerId)),
      ...createToolsEndpoints(toolRegistry),
      ...createSecretEndpoints(services.secrets),
      ...services.mcpEndpoints,
      ...services.productMcp,
      ...createSearchEndpoints(search),
      ...createDropInEndpoints(search, clock),
      ...createProviderEndpoints(services.providers),
      ...createKeyEndpoints(keys),
      ...createJobEndpoints(jobs),
      createMetricsEndpoint(() => meter.read()),
      ...createHealthEndpoints({ version, ready: createReadiness(probes, clock) }),
    ],
  });
}

/** Resolves when the target of deploys that name none answers and knows our key. */
async function askTarget({ targetOf }: Services, config: Config, ids: IdSource): Promise<void> {
  const call: Call = {
    actor: { kind: "system", id: "readiness" },
    requestId: ids.next("req"),
    origin: config.PUBLIC_URL ?? UNKNOWN_ORIGIN,
  };
  const health = await targetOf(config.DEPLOY_TARGET).health(call);
  if (!health.ok) throw new Error(health.error.detail);
}
