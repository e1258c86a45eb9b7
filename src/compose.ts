import { Hono } from "hono";
import packageJson from "../package.json" with { type: "json" };
import { createApp } from "./app.ts";
import { type Config, ConfigError, loadConfig } from "./config/config.ts";
import { type Clock, isoTime, systemClock } from "./core/clock.ts";
import { toBase64Url } from "./core/crypto.ts";
import type { Fetch } from "./core/fetch.ts";
import { createIdSource, type IdSource, type RandomBytes, systemRandom } from "./core/ids.ts";
import type { Defer, Logger } from "./core/logger.ts";
import { ok } from "./core/result.ts";
import { createClaims } from "./deploy/claims.ts";
import { isTargetName } from "./deploy/contract.ts";
import { createLedger } from "./deploy/ledger.ts";
import { createOperations, type Targets } from "./deploy/operations.ts";
import { createReconciler } from "./deploy/reconcile.ts";
import { createServerRemoval } from "./deploy/removal.ts";
import { createDeployEndpoints } from "./deploy/routes.ts";
import { createDeployService } from "./deploy/service.ts";
import { createAgentsContractTarget } from "./deploy/targets/agents-contract.ts";
import { createArchestraPlatformTarget } from "./deploy/targets/archestra-platform.ts";
import type { Target } from "./deploy/targets/target.ts";
import { createUnconfiguredTarget } from "./deploy/targets/unconfigured.ts";
import { createWebhookEndpoints } from "./deploy/webhooks/routes.ts";
import { createWebhookService } from "./deploy/webhooks/service.ts";
import { createAdmission } from "./http/admission.ts";
import type { AppEnv } from "./http/context.ts";
import { createGuard } from "./http/guard.ts";
import { createIdempotency } from "./http/idempotency.ts";
import { IDEMPOTENCY_SHARDS } from "./http/idempotency-records.ts";
import { problemResponse } from "./http/problem.ts";
import type { Jobs } from "./jobs.ts";
import { createJobEndpoints } from "./jobs-routes.ts";
import { createKeyEndpoints } from "./keys/routes.ts";
import { createKeyService } from "./keys/service.ts";
import { checkReadiness, type Probe } from "./observability/health.ts";
import { createDefer, createLogger } from "./observability/logger.ts";
import { createHealthEndpoints } from "./observability/routes.ts";
import { type AccessTokens, createAccessTokens } from "./runtime/access-token.ts";
import { createAgentStore } from "./runtime/agent-store.ts";
import { planGraph, resolveInputSchema } from "./runtime/graph.ts";
import { createAgentMcpEndpoints } from "./runtime/mcp-endpoint.ts";
import { createPasswords } from "./runtime/passwords.ts";
import { toolRegistry } from "./runtime/registry.ts";
import { createRuntimeEndpoints } from "./runtime/routes.ts";
import { createRuntimeService } from "./runtime/service.ts";
import { deriveSigningKey } from "./runtime/signing-key.ts";
import { createDurableSearchIndex } from "./search/durable-index.ts";
import { createSearchEndpoints } from "./search/routes.ts";
import type { SearchIndex } from "./search/search-index.ts";
import { createSearchService } from "./search/service.ts";
import { createExecutionLog } from "./servers/execution-log.ts";
import { streamLogs } from "./servers/log-stream.ts";
import { createCleanUp } from "./servers/retention.ts";
import { createServerEndpoints } from "./servers/routes.ts";
import { createServerService } from "./servers/service.ts";
import { createServerStore, definitionOf } from "./servers/store.ts";
import { executionLogs } from "./storage/documents/collections.ts";
import { createDataApiDocuments } from "./storage/documents/data-api.ts";
import type { Documents } from "./storage/documents/documents.ts";
import { createEmbeddedDocuments } from "./storage/documents/embedded.ts";
import { createMongoDriverDocuments } from "./storage/documents/mongo-driver.ts";
import { createEmbeddedSharedState } from "./storage/shared-state/embedded.ts";
import type { SharedState } from "./storage/shared-state/shared-state.ts";

/** What reaches out of the isolate. Tests hand in their own; a Worker has one set, see `composeOnce`. */
export interface Platform {
  readonly documents: Documents;
  readonly sharedState: SharedState;
  readonly searchIndex: SearchIndex;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly fetch: Fetch;
  readonly fetchAsset: (path: string) => Promise<Response>;
  readonly waitUntil: (work: Promise<unknown>) => void;
  readonly writeLog: (line: string) => void;
}

export interface Composed {
  readonly app: Hono<AppEnv>;
  readonly jobs: Jobs;
  readonly log: Logger;
}

let composed: Composed | undefined;

/**
 * The Worker's services, made on the isolate's first request and kept. Nothing in them belongs to one request: stubs
 * and sockets are made per call, `waitUntil` takes the request that runs when it is called.
 */
export function composeOnce(env: Env, waitUntil: Platform["waitUntil"]): Composed {
  composed ??= composeFor(env, waitUntil);
  return composed;
}

function composeFor(env: Env, waitUntil: Platform["waitUntil"]): Composed {
  // biome-ignore lint/suspicious/noConsole: the platform's log is the console
  const writeLog = (line: string) => console.log(line);
  try {
    const config = loadConfig(env);
    return compose(config, {
      documents: createDocuments(config, env),
      sharedState: createEmbeddedSharedState({ namespace: env.SHARED_STATE, random: systemRandom }),
      searchIndex: createDurableSearchIndex(env.SEARCH_INDEX, systemClock),
      clock: systemClock,
      random: systemRandom,
      fetch: (url, init) => fetch(url, init),
      fetchAsset: (path) => env.ASSETS.fetch(new URL(path, "http://assets.local")),
      waitUntil,
      writeLog,
    });
  } catch (error) {
    if (error instanceof ConfigError) return composeRefusal(error, systemClock, writeLog);
    throw error;
  }
}

/** A gateway wins over a database, and either over the embedded store. */
function createDocuments(config: Config, env: Env): Documents {
  const ids = createIdSource(systemClock, systemRandom);
  if (config.MONGODB_DATA_API_URL !== undefined) {
    return createDataApiDocuments({
      baseUrl: config.MONGODB_DATA_API_URL,
      apiKey: config.MONGODB_DATA_API_KEY,
      auth: config.MONGODB_DATA_API_AUTH,
      dataSource: config.MONGODB_DATA_SOURCE,
      database: config.MONGODB_DATABASE,
      fetch: (url, init) => fetch(url, init),
      ids,
      clock: systemClock,
    });
  }
  return config.MONGODB_URI === undefined
    ? createEmbeddedDocuments({ namespace: env.DOCUMENTS, ids })
    : createMongoDriverDocuments({ namespace: env.MONGODB, ids });
}

/** What runs under a configuration that is refused: it answers nothing, and the log says which variables are at fault. */
export function composeRefusal(error: ConfigError, clock: Clock, writeLog: Platform["writeLog"]): Composed {
  const log = createLogger({ level: "error", clock, secrets: [], write: writeLog });
  const app = new Hono<AppEnv>();
  app.all("*", function refuseEverything(c) {
    log.error("configuration_refused", { path: c.req.path, message: error.message });
    const requestId = createIdSource(clock, systemRandom).next("req");
    return problemResponse({ code: "INTERNAL", detail: "internal error" }, requestId, c.req.path);
  });
  const refuse = () => Promise.reject(error);
  return { app, jobs: { "reconcile-deployments": refuse, "resume-webhooks": refuse, "clean-up": refuse }, log };
}

/** Puts the parts together. The only place that knows which part uses which. */
export function compose(config: Config, platform: Platform): Composed {
  const { clock, random } = platform;
  const log = createLogger({ level: config.LOG_LEVEL, clock, secrets: secretsOf(config), write: platform.writeLog });
  const kit: Kit = {
    config,
    platform,
    log,
    clock,
    random,
    ids: createIdSource(clock, random),
    defer: createDefer(platform.waitUntil, log),
    systemKey: `system_${toBase64Url(random(SYSTEM_KEY_BYTES))}`,
    accessTokens: createAccessTokens(config.ENCRYPTION_KEY),
    callSelf: async (url, init) => app.fetch(new Request(url, init)),
  };
  const services = composeServices(kit);
  const jobs: Jobs = {
    "reconcile-deployments": async (options) => ({ ...(await services.reconcile(options)) }),
    "clean-up": async () => ({
      ...(await services.cleanUp()),
      deliveries: await services.webhooks.forgetDeliveries(isoTime(clock.now())),
    }),
    "resume-webhooks": async () => ({ ...(await services.webhooks.resumeDeliveries()) }),
  };
  const app = composeApp(kit, services, jobs);
  return { app, jobs, log };
}

/** What most services are made with. */
interface Kit {
  readonly config: Config;
  readonly platform: Platform;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly ids: IdSource;
  readonly defer: Defer;
  /** Lets this isolate call its own app; never leaves it. */
  readonly systemKey: string;
  readonly callSelf: Fetch;
  /** Let a platform reach one agent. */
  readonly accessTokens: AccessTokens;
}

type Services = ReturnType<typeof composeServices>;

function composeServices(kit: Kit) {
  const { config, platform, log, clock, random, ids, defer, systemKey } = kit;
  const { documents, sharedState, searchIndex: index, fetch } = platform;
  const executionLog = createExecutionLog({ documents, ids, clock });
  const store = createServerStore({ documents, clock });
  const keys = createKeyService({ documents, ids, random, clock, adminApiKey: config.ADMIN_API_KEY, systemKey });
  const search = createSearchService({
    config,
    index,
    sharedCache: sharedState,
    fetch,
    clock,
    ids,
    random,
    logger: log,
    defer,
  });
  const runtime = createRuntimeService({
    documents,
    ids,
    clock,
    log,
    defer,
    executionLog,
    registry: toolRegistry,
    services: {
      documents,
      clock,
      passwords: createPasswords({ random, clock }),
      async signingKey(agentId) {
        return config.ENCRYPTION_KEY === undefined ? null : deriveSigningKey(config.ENCRYPTION_KEY, agentId);
      },
      async search(call, request) {
        const found = await search.search(call, request);
        return found.ok ? ok(found.value.answer) : found;
      },
    },
  });
  const servers = createServerService({
    store,
    ids,
    clock,
    defer,
    executionLog,
    graphs: {
      resolveInputSchema,
      check(graph) {
        const plan = planGraph(graph, toolRegistry);
        return plan.ok ? [] : plan.error;
      },
    },
  });
  const targets = composeTargets(kit);
  const targetOf = (name: string) =>
    isTargetName(name) ? targets[name] : createUnconfiguredTarget(name, "there is no such target");
  const claims = createClaims({ store, clock });
  const ledger = createLedger({ documents, clock });
  const operations = createOperations({ store, claims, ledger, targetOf, executionLog, defer, clock });
  const { DEPLOY_TIMEOUT_MS: timeoutMs } = config;
  const deploys = createDeployService({
    store,
    claims,
    ledger,
    operations,
    definitionOf,
    defaultTarget: config.DEPLOY_TARGET,
    timeoutMs,
    runStats: (agentId) => runtime.stats(agentId),
    ids,
    clock,
  });
  const deleteServer = createServerRemoval({
    store,
    ledger,
    deploys,
    defer,
    forgetLog: (serverId, ownerId) => documents.deleteMany(executionLogs(serverId), { serverId, ownerId }),
  });
  const reconcile = createReconciler({
    store,
    claims,
    ledger,
    operations,
    definitionOf,
    targetOf,
    executionLog,
    fallbackOrigin: config.PUBLIC_URL ?? UNKNOWN_ORIGIN,
    timeoutMs,
    ids,
    clock,
    log,
  });
  const webhooks = createWebhookService({
    documents,
    ids,
    clock,
    defer,
    log,
    deploys,
    executionLog,
    findOwner: (serverId) => store.findOwner(serverId),
    secrets: { standard: config.WEBHOOK_SECRET, github: config.GITHUB_WEBHOOK_SECRET },
  });
  const cleanUp = createCleanUp({ documents, store, idempotencyShards: IDEMPOTENCY_SHARDS, ids, clock, log });
  const mcpEndpoints = createAgentMcpEndpoints({
    runtime,
    agents: createAgentStore({ documents, ids, clock }),
    tokens: kit.accessTokens,
    allowedOrigins: config.CORS_ORIGINS,
    log,
  });
  return {
    executionLog,
    cleanUp,
    mcpEndpoints,
    keys,
    servers,
    deploys,
    webhooks,
    deleteServer,
    reconcile,
    runtime,
    search,
    targetOf,
  };
}

function composeTargets(kit: Kit): Targets {
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

function composeApp({ config, platform, log, clock, ids, defer }: Kit, services: Services, jobs: Jobs): Hono<AppEnv> {
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

/** Reconciling an agent of a record that does not say where it was deployed from: nothing is built on it. */
const UNKNOWN_ORIGIN = "http://localhost";

/** 256 bits: as hard to guess as the keys that it stands above. */
const SYSTEM_KEY_BYTES = 32;

function secretsOf(config: Config): readonly string[] {
  return [
    config.ADMIN_API_KEY,
    config.ENCRYPTION_KEY,
    config.TAVILY_API_KEY,
    config.JINA_API_KEY,
    config.ARCHESTRA_API_KEY,
    config.ARCHESTRA_PLATFORM_API_KEY,
    config.MONGODB_URI,
    config.MONGODB_DATA_API_KEY,
    ...(config.WEBHOOK_SECRET ?? []),
    ...(config.GITHUB_WEBHOOK_SECRET ?? []),
  ].filter((secret) => secret !== undefined);
}
