import { Hono } from "hono";
import packageJson from "../package.json" with { type: "json" };
import { createApp } from "./app.ts";
import { type Config, ConfigError, loadConfig } from "./config/config.ts";
import { type Clock, systemClock } from "./core/clock.ts";
import { toBase64Url } from "./core/crypto.ts";
import type { Fetch } from "./core/fetch.ts";
import { createIdSource, type IdSource, type RandomBytes, systemRandom } from "./core/ids.ts";
import type { Defer, Logger } from "./core/logger.ts";
import { ok } from "./core/result.ts";
import { reconcileDeployments } from "./deploy/reconcile.ts";
import { createDeployEndpoints } from "./deploy/routes.ts";
import { createDeployService } from "./deploy/service.ts";
import { createAgentsContractTarget } from "./deploy/targets/agents-contract.ts";
import { createAdmission } from "./http/admission.ts";
import type { AppEnv } from "./http/context.ts";
import { createGuard } from "./http/guard.ts";
import { problemResponse } from "./http/problem.ts";
import type { Jobs } from "./jobs.ts";
import { createJobEndpoints } from "./jobs-routes.ts";
import { createKeyEndpoints } from "./keys/routes.ts";
import { createKeyService } from "./keys/service.ts";
import { checkReadiness, type Probe } from "./observability/health.ts";
import { createDefer, createLogger } from "./observability/logger.ts";
import { createHealthEndpoints } from "./observability/routes.ts";
import { planGraph, resolveInputSchema } from "./runtime/graph.ts";
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
import { createServerEndpoints } from "./servers/routes.ts";
import { createServerService } from "./servers/service.ts";
import { createServerStore } from "./servers/store.ts";
import type { Documents } from "./storage/documents/documents.ts";
import { createEmbeddedDocuments } from "./storage/documents/embedded.ts";
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
    return compose(loadConfig(env), {
      documents: createEmbeddedDocuments({ namespace: env.DOCUMENTS, ids: createIdSource(systemClock, systemRandom) }),
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

/** What runs under a configuration that is refused: it answers nothing, and the log says which variables are at fault. */
export function composeRefusal(error: ConfigError, clock: Clock, writeLog: Platform["writeLog"]): Composed {
  const log = createLogger({ level: "error", clock, secrets: [], write: writeLog });
  const app = new Hono<AppEnv>();
  app.all("*", function refuseEverything(c) {
    log.error("configuration_refused", { path: c.req.path, message: error.message });
    const requestId = createIdSource(clock, systemRandom).next("req");
    return problemResponse({ code: "INTERNAL", detail: "internal error" }, requestId, c.req.path);
  });
  return { app, jobs: { "reconcile-deployments": () => Promise.reject(error) }, log };
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
    callSelf: async (url, init) => app.fetch(new Request(url, init)),
  };
  const services = composeServices(kit);
  const jobs: Jobs = {
    "reconcile-deployments": async () => ({ ...(await reconcileDeployments({ store: services.store, clock })) }),
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
  const edge = createAgentsContractTarget({
    name: "edge",
    fetch: kit.callSelf,
    collectionUrl: (call) => `${call.origin}/mcp/agents`,
    authorization: `Bearer ${systemKey}`,
    clock,
    timeoutMs: config.DEPLOY_TIMEOUT_MS,
  });
  const deploys = createDeployService({
    store,
    targets: { edge },
    defaultTarget: config.DEPLOY_TARGET,
    timeoutMs: config.DEPLOY_TIMEOUT_MS,
    runStats: (agentId) => runtime.stats(agentId),
    executionLog,
    defer,
    ids,
    clock,
  });
  return { keys, store, servers, deploys, runtime, search };
}

function composeApp({ config, platform, log, clock, ids }: Kit, services: Services, jobs: Jobs): Hono<AppEnv> {
  const { keys, servers, deploys, runtime, search } = services;
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
    endpoints: [
      ...createServerEndpoints(servers),
      ...createDeployEndpoints(deploys),
      ...createRuntimeEndpoints(runtime),
      ...createSearchEndpoints(search),
      ...createKeyEndpoints(keys),
      ...createJobEndpoints(jobs),
      ...createHealthEndpoints({ version, ready: () => checkReadiness(probes, clock) }),
    ],
  });
}

/** 256 bits: as hard to guess as the keys that it stands above. */
const SYSTEM_KEY_BYTES = 32;

function secretsOf(config: Config): readonly string[] {
  return [config.ADMIN_API_KEY, config.ENCRYPTION_KEY, config.TAVILY_API_KEY, config.JINA_API_KEY].filter(
    (secret) => secret !== undefined,
  );
}
