import type { Hono } from "hono";
import packageJson from "../package.json" with { type: "json" };
import { createApp } from "./app.ts";
import { type Config, loadConfig } from "./config/config.ts";
import { systemClock } from "./core/clock.ts";
import { toBase64Url } from "./core/crypto.ts";
import type { Fetch } from "./core/fetch.ts";
import { createIdSource, systemRandom } from "./core/ids.ts";
import type { Logger } from "./core/logger.ts";
import { reconcileDeployments } from "./deploy/reconcile.ts";
import { createDeployEndpoints } from "./deploy/routes.ts";
import { createDeployService } from "./deploy/service.ts";
import { createAgentsContractTarget } from "./deploy/targets/agents-contract.ts";
import { createAdmission } from "./http/admission.ts";
import type { AppEnv } from "./http/context.ts";
import { createGuard } from "./http/guard.ts";
import type { Jobs } from "./jobs.ts";
import { createJobEndpoints } from "./jobs-routes.ts";
import { createKeyEndpoints } from "./keys/routes.ts";
import { createKeyService } from "./keys/service.ts";
import { checkReadiness } from "./observability/health.ts";
import { createDefer, createLogger } from "./observability/logger.ts";
import { createHealthEndpoints } from "./observability/routes.ts";
import { planGraph, resolveInputSchema } from "./runtime/graph.ts";
import { createPasswords } from "./runtime/passwords.ts";
import { toolRegistry } from "./runtime/registry.ts";
import { createRuntimeEndpoints } from "./runtime/routes.ts";
import { createRuntimeService } from "./runtime/service.ts";
import { deriveSigningKey } from "./runtime/signing-key.ts";
import { createDurableSearchIndex } from "./search/durable-index.ts";
import type { SearchIndexObject } from "./search/index-object.ts";
import { createSearchEndpoints } from "./search/routes.ts";
import type { SearchIndex } from "./search/search-index.ts";
import { createSearchService } from "./search/service.ts";
import { createExecutionLog } from "./servers/execution-log.ts";
import { createServerEndpoints } from "./servers/routes.ts";
import { createServerService } from "./servers/service.ts";
import { createServerStore } from "./servers/store.ts";
import type { Documents } from "./storage/documents/documents.ts";
import { createEmbeddedDocuments } from "./storage/documents/embedded.ts";
import type { DocumentsObject } from "./storage/documents/embedded-object.ts";
import { createEmbeddedSharedState } from "./storage/shared-state/embedded.ts";
import type { SharedStateObject } from "./storage/shared-state/embedded-object.ts";
import type { SharedState } from "./storage/shared-state/shared-state.ts";

export interface Bindings {
  readonly DOCUMENTS: DurableObjectNamespace<DocumentsObject>;
  readonly SHARED_STATE: DurableObjectNamespace<SharedStateObject>;
  readonly SEARCH_INDEX: DurableObjectNamespace<SearchIndexObject>;
  readonly ASSETS: Fetcher;
}

/** What reaches out of the isolate. Tests hand in their own; a Worker has one set, see `composeOnce`. */
export interface Platform {
  readonly documents: Documents;
  readonly sharedState: SharedState;
  readonly searchIndex: SearchIndex;
  readonly clock: typeof systemClock;
  readonly random: typeof systemRandom;
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
 * @throws ConfigError while the configuration is refused.
 */
export function composeOnce(env: Bindings, waitUntil: Platform["waitUntil"]): Composed {
  composed ??= compose(loadConfig(env), {
    documents: createEmbeddedDocuments({
      namespace: env.DOCUMENTS,
      ids: createIdSource(systemClock, systemRandom),
    }),
    sharedState: createEmbeddedSharedState({ namespace: env.SHARED_STATE, random: systemRandom }),
    searchIndex: createDurableSearchIndex(env.SEARCH_INDEX, systemClock),
    clock: systemClock,
    random: systemRandom,
    fetch: (url, init) => fetch(url, init),
    fetchAsset: (path) => env.ASSETS.fetch(new URL(path, "http://assets.local")),
    waitUntil,
    // biome-ignore lint/suspicious/noConsole: the platform's log is the console
    writeLog: (line) => console.log(line),
  });
  return composed;
}

/** Puts the services together. The only place that knows which part uses which. */
export function compose(config: Config, platform: Platform): Composed {
  const { documents, sharedState, clock, random } = platform;
  const ids = createIdSource(clock, random);
  const log = createLogger({ level: config.LOG_LEVEL, clock, secrets: secretsOf(config), write: platform.writeLog });
  const defer = createDefer(platform.waitUntil, log);
  const systemKey = `system_${toBase64Url(random(32))}`;

  const keys = createKeyService({ documents, ids, random, clock, adminApiKey: config.ADMIN_API_KEY, systemKey });
  const executionLog = createExecutionLog({ documents, ids, clock });
  const search = createSearchService({
    config,
    index: platform.searchIndex,
    sharedCache: sharedState,
    fetch: platform.fetch,
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
      passwords: createPasswords({ random, clock }),
      clock,
      async signingKey(agentId) {
        return config.ENCRYPTION_KEY === undefined ? null : deriveSigningKey(config.ENCRYPTION_KEY, agentId);
      },
      async search(call, request) {
        const found = await search.search(call, request);
        return found.ok ? { ok: true, value: found.value.answer } : found;
      },
    },
  });
  const store = createServerStore({ documents, clock });
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
  const deploys = createDeployService({
    store,
    targets: {
      edge: createAgentsContractTarget({
        name: "edge",
        fetch: async (url, init) => app.fetch(new Request(url, init)),
        collectionUrl: (call) => `${call.origin}/mcp/agents`,
        authorization: `Bearer ${systemKey}`,
        clock,
        timeoutMs: config.DEPLOY_TIMEOUT_MS,
      }),
    },
    defaultTarget: config.DEPLOY_TARGET,
    timeoutMs: config.DEPLOY_TIMEOUT_MS,
    runStats: (agentId) => runtime.stats(agentId),
    executionLog,
    defer,
    ids,
    clock,
  });
  const jobs: Jobs = {
    "reconcile-deployments": async () => ({ ...(await reconcileDeployments({ store, clock })) }),
  };
  const ready = () =>
    checkReadiness(
      [
        { name: "documents", required: true, probe: () => documents.ping() },
        { name: "cache", required: false, probe: () => sharedState.ping() },
        { name: "rateLimit", required: false, probe: () => sharedState.ping() },
        { name: "target", required: true, probe: () => documents.ping() },
        { name: "tavily", required: false, probe: config.TAVILY_API_KEY === undefined ? null : "not_asked" },
        { name: "jina", required: false, probe: config.JINA_API_KEY === undefined ? null : "not_asked" },
      ],
      clock,
    );
  const app = createApp({
    config,
    clock,
    ids,
    log,
    version: packageJson.version,
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
      ...createHealthEndpoints({ version: packageJson.version, ready }),
    ],
  });
  return { app, jobs, log };
}

function secretsOf(config: Config): readonly string[] {
  return [config.ADMIN_API_KEY, config.ENCRYPTION_KEY, config.TAVILY_API_KEY, config.JINA_API_KEY].filter(
    (secret) => secret !== undefined,
  );
}
