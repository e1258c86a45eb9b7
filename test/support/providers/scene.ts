import { type Config, loadConfig } from "../../../src/config/config.ts";
import type { Actor } from "../../../src/core/actor.ts";
import { type Clock, systemClock } from "../../../src/core/clock.ts";
import type { Fetch } from "../../../src/core/fetch.ts";
import { systemRandom } from "../../../src/core/ids.ts";
import type { Logger } from "../../../src/core/logger.ts";
import { createSealing } from "../../../src/core/sealing.ts";
import type { Breakers } from "../../../src/search/breakers/breakers.ts";
import type { SearchIndex } from "../../../src/search/index/search-index.ts";
import { createProviderChain } from "../../../src/search/providers/chain.ts";
import { createQuotas } from "../../../src/search/providers/provider-quotas.ts";
import { createProviderEndpoints } from "../../../src/search/providers/provider-routes.ts";
import { createProviderService } from "../../../src/search/providers/provider-service.ts";
import { createProviderRegistry, type ManagedProviders } from "../../../src/search/providers/registry.ts";
import { createProviderSettings } from "../../../src/search/providers/settings.ts";
import type { Documents } from "../../../src/storage/documents/documents.ts";
import { createMemoryDocuments } from "../memory-documents.ts";
import { createRoutesClient } from "../routes-client.ts";

export const SCENE_ENCRYPTION_KEY = btoa("0123456789abcdef0123456789abcdef");

export interface ProviderScene {
  readonly registry: ManagedProviders;
  readonly documents: Documents;
  /** Names of circuits that were closed by hand, in order. */
  readonly resets: readonly string[];
  /** Everything that was logged, as text. */
  readonly logged: readonly string[];
  /** What was left for after the answers. */
  readonly deferred: readonly Promise<unknown>[];
  send(method: string, path: string, body?: unknown, actor?: Actor): Promise<SceneReply>;
}

export interface SceneReply {
  readonly status: number;
  readonly text: string;
  readonly body: any;
}

export interface SceneOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Shared with another scene, as another isolate would. */
  readonly documents?: Documents;
  readonly clock?: Clock;
  readonly fetch?: Fetch;
  readonly breakers?: Partial<Breakers>;
}

const ADMIN: Actor = { kind: "admin", id: "admin" };
/** An isolate's registry of providers with its routes, on documents in memory. `ENCRYPTION_KEY` is set unless emptied. */
export function createProviderScene(options: SceneOptions = {}): ProviderScene {
  const { clock = systemClock, documents = createMemoryDocuments() } = options;
  const config = loadConfig({ ENCRYPTION_KEY: SCENE_ENCRYPTION_KEY, ...options.env });
  const fetchOverNet: Fetch = options.fetch ?? ((url, init) => fetch(url, init));
  const logged: string[] = [];
  const resets: string[] = [];
  const deferred: Promise<unknown>[] = [];
  const log = (event: string, fields?: object) => void logged.push(`${event} ${JSON.stringify(fields ?? {})}`);
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  const breakers: Breakers = { ...closedBreakers(resets), ...options.breakers };
  const sealing = sealingOf(config);
  const settings = createProviderSettings(documents, clock);
  const registry = createProviderRegistry({
    builtIns: createProviderChain(config, noIndex, clock),
    settings,
    sealing,
    clock,
    logger,
    defer: (_what, work) => void deferred.push(work),
  });
  const service = createProviderService({
    registry,
    settings,
    breakers,
    quotaOf: createQuotas({ fetch: fetchOverNet, clock }),
    sealing,
    fetch: fetchOverNet,
    clock,
    timeoutMs: config.PROVIDER_TIMEOUT_MS,
  });

  return {
    registry,
    documents,
    resets,
    logged,
    deferred,
    send: (method, path, body, actor = ADMIN) =>
      createRoutesClient(createProviderEndpoints(service), actor)(method, path, body),
  };
}

function sealingOf({ ENCRYPTION_KEY: key }: Config) {
  return key === undefined ? null : createSealing(key, systemRandom);
}

function closedBreakers(resets: string[]): Breakers {
  return {
    mayAsk: () => true,
    noteSuccess() {},
    noteFailure() {},
    stateOf: () => ({ state: "closed", reason: null, openUntil: null, failures: 0 }),
    reset: (provider) => void resets.push(provider),
    syncKey: () => null,
    absorb() {},
  };
}

const unused = () => Promise.reject(new TypeError("no index in this scene"));
export const noIndex: SearchIndex = { put: unused, remove: unused, query: unused };
