import { Hono } from "hono";
import { composeApp } from "./composition/http.ts";
import type { Kit, Platform } from "./composition/kit.ts";
import { composeServices } from "./composition/services.ts";
import { type Config, ConfigError, loadConfig } from "./config/config.ts";
import { type Clock, isoTime, systemClock } from "./core/clock.ts";
import { toBase64Url } from "./core/crypto.ts";
import type { Fetch } from "./core/fetch.ts";
import { createIdSource, systemRandom } from "./core/ids.ts";
import type { Logger } from "./core/logger.ts";
import type { AppEnv } from "./http/context.ts";
import { problemResponse } from "./http/problem.ts";
import type { Jobs } from "./jobs.ts";
import { createDefer, createLogger } from "./observability/logger.ts";
import { createMetrics, totalsByLabel } from "./observability/metrics.ts";
import { createDurableMetricsSink } from "./observability/metrics-sink.ts";
import { createAccessTokens } from "./runtime/agents/access-token.ts";
import { createSandbox } from "./runtime/sandbox/sandbox.ts";
import { createDurableSearchIndex } from "./search/index/durable-index.ts";
import { createDurablePopularityStore } from "./search/warming/popularity-durable.ts";
import { createDataApiDocuments } from "./storage/documents/data-api.ts";
import type { Documents } from "./storage/documents/documents.ts";
import { createEmbeddedDocuments } from "./storage/documents/embedded.ts";
import { createMongoDriverDocuments } from "./storage/documents/mongo-driver.ts";
import { createEmbeddedSharedState } from "./storage/shared-state/embedded.ts";
import { createResilientSharedState } from "./storage/shared-state/resilient.ts";
import type { SharedState } from "./storage/shared-state/shared-state.ts";
import { createUpstashSharedState } from "./storage/shared-state/upstash.ts";

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
      sharedState: createSharedState(config, env),
      searchIndex: createDurableSearchIndex(env.SEARCH_INDEX, systemClock),
      metricsSink: createDurableMetricsSink(env.METRICS),
      popularity: createDurablePopularityStore(env.POPULAR),
      clock: systemClock,
      random: systemRandom,
      fetch: (url, init) => fetch(url, init),
      sandbox: createSandbox(env),
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

function createSharedState(config: Config, env: Env): SharedState {
  const { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token } = config;
  if (url === undefined || token === undefined) {
    return createEmbeddedSharedState({ namespace: env.SHARED_STATE, random: systemRandom });
  }
  const fetchUpstash: Fetch = (address, init) => fetch(address, init);
  return createUpstashSharedState({ url, token, fetch: fetchUpstash, clock: systemClock, random: systemRandom });
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
  return {
    app,
    jobs: { "reconcile-deployments": refuse, "resume-webhooks": refuse, "clean-up": refuse, "warm-cache": refuse },
    log,
  };
}

/** Puts the parts together. The only place that knows which part uses which. */
export function compose(config: Config, platform: Platform): Composed {
  const { clock, random } = platform;
  const systemKey = `system_${toBase64Url(random(SYSTEM_KEY_BYTES))}`;
  const credentials = [config.ADMIN_API_KEY, config.METRICS_TOKEN, systemKey].filter((key) => key !== undefined);
  const secrets = [...credentials, ...secretsOf(config)];
  const log = createLogger({ level: config.LOG_LEVEL, clock, secrets, write: platform.writeLog });
  const defer = createDefer(platform.waitUntil, log);
  const isolate = toBase64Url(random(ISOLATE_NAME_BYTES));
  const meter = createMetrics({ sink: platform.metricsSink, clock, defer, isolate });
  const kit: Kit = {
    config,
    platform,
    log,
    clock,
    random,
    ids: createIdSource(clock, random),
    defer,
    metrics: meter.metrics,
    totalsOf: async (metric) => totalsByLabel(await meter.read(), metric),
    sharedState: createResilientSharedState(platform.sharedState, { clock, logger: log, metrics: meter.metrics }),
    systemKey,
    credentials,
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
    "warm-cache": services.warmCache,
  };
  const app = composeApp(kit, services, jobs, meter);
  return { app, jobs, log };
}

/** 256 bits: as hard to guess as the keys that it stands above. */
const SYSTEM_KEY_BYTES = 32;
/** Tells isolates apart in what they count. */
const ISOLATE_NAME_BYTES = 12;

/** What opens other services, and what they open this one with. */
function secretsOf(config: Config): readonly string[] {
  return [
    config.ENCRYPTION_KEY,
    config.TAVILY_API_KEY,
    config.JINA_API_KEY,
    config.ARCHESTRA_API_KEY,
    config.ARCHESTRA_PLATFORM_API_KEY,
    config.UPSTASH_REDIS_REST_TOKEN,
    config.EMAIL_API_KEY,
    ...Object.values(config.OTEL_EXPORTER_OTLP_HEADERS),
    config.MONGODB_URI,
    config.MONGODB_DATA_API_KEY,
    ...(config.WEBHOOK_SECRET ?? []),
    ...(config.GITHUB_WEBHOOK_SECRET ?? []),
  ].filter((secret) => secret !== undefined);
}
