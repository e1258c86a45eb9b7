import { env } from "cloudflare:workers";
import { type Composed, compose } from "../../src/compose.ts";
import { loadConfig } from "../../src/config/config.ts";
import { type Clock, systemClock } from "../../src/core/clock.ts";
import type { Fetch } from "../../src/core/fetch.ts";
import { createIdSource, systemRandom } from "../../src/core/ids.ts";
import { createDurableMetricsSink } from "../../src/observability/metrics-sink.ts";
import { createSandbox } from "../../src/runtime/sandbox/sandbox.ts";
import { createDurableSearchIndex } from "../../src/search/index/durable-index.ts";
import { createDurablePopularityStore } from "../../src/search/warming/popularity-durable.ts";
import type { Documents } from "../../src/storage/documents/documents.ts";
import { createEmbeddedDocuments } from "../../src/storage/documents/embedded.ts";
import { createEmbeddedSharedState } from "../../src/storage/shared-state/embedded.ts";
import { WAITS_FOR_TIME } from "./waits-for-time.ts";

export const ADMIN_KEY = "admin-key-of-the-tests-0123456789";
export const ENCRYPTION_KEY = btoa("0123456789abcdef0123456789abcdef");

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;

  readonly body: any;
}

export interface CallOptions {
  readonly key?: string | null;
  readonly body?: unknown;
  /** Sent as it is, instead of `body` as JSON. */
  readonly raw?: BodyInit;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestApp extends Composed {
  readonly documents: Documents;
  /** Every line written so far. */
  readonly logs: string[];
  /** Calls with the admin key unless `key` says otherwise; null sends none. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** Waits for what goes on after answers have left, but for what only waits until time has passed. */
  settle(): Promise<void>;
}

/** The whole app on the real embedded adapters, inside workerd. Only the network beyond it is missing. */
export function createTestApp(
  options: {
    readonly variables?: Readonly<Record<string, string>>;
    readonly fetch?: Fetch;
    readonly clock?: Clock;
    readonly wrapDocuments?: (documents: Documents) => Documents;
  } = {},
): TestApp {
  const clock = options.clock ?? systemClock;
  const logs: string[] = [];
  let pending: Promise<unknown>[] = [];
  const embedded = createEmbeddedDocuments({
    namespace: env.DOCUMENTS,
    ids: createIdSource(clock, systemRandom),
  });
  const documents = options.wrapDocuments?.(embedded) ?? embedded;
  const composed = compose(
    loadConfig({
      ADMIN_API_KEY: ADMIN_KEY,
      ENCRYPTION_KEY,
      RATE_LIMIT_BURST: "100000",
      RATE_LIMIT_PER_MINUTE: "100000",
      RATE_LIMIT_PER_HOUR: "100000",
      // No provider of the internet.
      SEARCH_KEYLESS: "off",
      ...options.variables,
    }),
    {
      documents,
      sharedState: createEmbeddedSharedState({ namespace: env.SHARED_STATE, random: systemRandom }),
      searchIndex: createDurableSearchIndex(env.SEARCH_INDEX, clock),
      metricsSink: createDurableMetricsSink(env.METRICS),
      popularity: createDurablePopularityStore(env.POPULAR),
      clock,
      random: systemRandom,
      fetch: options.fetch ?? (() => Promise.reject(new TypeError("no network in this test"))),
      sandbox: createSandbox(env),
      fetchAsset: (path) => env.ASSETS.fetch(new URL(path, "http://assets.local")),
      waitUntil(work, what) {
        if (!WAITS_FOR_TIME.has(what)) pending.push(work);
      },
      writeLog: (line) => logs.push(line),
    },
  );
  return {
    ...composed,
    documents,
    logs,
    async call(method, path, { key = ADMIN_KEY, body, raw, headers = {} } = {}) {
      const request = new Request(new URL(path, "http://orchestrix.test"), {
        method,
        headers: {
          ...(key === null ? {} : { Authorization: `Bearer ${key}` }),
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
          ...headers,
        },
        ...(body === undefined && raw === undefined ? {} : { body: raw ?? JSON.stringify(body) }),
      });
      const response = await composed.app.fetch(request);
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, body: parseJson(text) };
    },
    async settle() {
      while (pending.length > 0) {
        const batch = pending;
        pending = [];
        await Promise.allSettled(batch);
      }
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

let owners = 0;

/** An owner that no other test has. */
export function newOwner(): string {
  return `owner-${crypto.randomUUID().slice(0, 8)}-${owners++}`;
}

/** A key of the owner, made through the API. */
export async function createKey(
  app: TestApp,
  ownerId: string,
  scopes: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<{ readonly id: string; readonly key: string }> {
  const { status, body, text } = await app.call("POST", "/keys", {
    body: { ownerId, name: "test", scopes, ...more },
  });
  if (status !== 201) throw new Error(`no key: ${status} ${text}`);
  return body;
}
