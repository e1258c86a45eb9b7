import { type Composed, compose } from "../../src/compose.ts";
import { loadConfig } from "../../src/config/config.ts";
import { StorageUnavailable } from "../../src/core/errors.ts";
import { systemRandom } from "../../src/core/ids.ts";
import type { MetricsSink } from "../../src/observability/metrics-sink.ts";
import type { SearchIndex } from "../../src/search/index/search-index.ts";
import type { PopularityStore } from "../../src/search/warming/popularity-store.ts";
import type { Documents } from "../../src/storage/documents/documents.ts";
import type { SharedState } from "../../src/storage/shared-state/shared-state.ts";
import { createMemoryHost, type MemoryHost } from "./agents-host.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { createMemoryDocuments, type MemoryDocuments } from "./memory-documents.ts";
import { WAITS_FOR_TIME } from "./waits-for-time.ts";

export const ADMIN_KEY = "admin-key-of-the-tests-0123456789";
export const OWNER = "user-123";

/** Nothing shared but the records: each part of it is down, and what uses it goes on without. */
const DOWN = new Proxy({}, { get: () => () => Promise.reject(new StorageUnavailable("down")) });

export interface Process extends Composed {
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ readonly status: number; readonly body: any }>;
  /** Waits for what goes on after answers have left. */
  settle(): Promise<void>;
  readonly logs: string[];
}

export interface DeployScene {
  readonly clock: FakeClock;
  readonly documents: MemoryDocuments;
  readonly host: MemoryHost;
  /** A Worker on the scene's database and host; `wrap` comes between it and the database. */
  startProcess(wrap?: (documents: Documents) => Documents, env?: Readonly<Record<string, string>>): Process;
}

/** Worker processes that share one database and one host of agents, under a clock that the test moves. */
export function createDeployScene(): DeployScene {
  const clock = createFakeClock();
  const documents = createMemoryDocuments();
  const host = createMemoryHost();
  return {
    clock,
    documents,
    host,
    startProcess(wrap = (inner) => inner, env = {}) {
      const logs: string[] = [];
      let pending: Promise<unknown>[] = [];
      const composed = compose(
        loadConfig({
          ADMIN_API_KEY: ADMIN_KEY,
          DEPLOY_TARGET: "archestra",
          ARCHESTRA_API_KEY: "key-of-the-host",
          ARCHESTRA_DEPLOYMENT_ENDPOINT: "https://host.test/mcp/agents",
          PUBLIC_URL: "https://orchestrix.test",
          DEPLOY_TIMEOUT_MS: "1000",
          RATE_LIMIT_BURST: "100000",
          RATE_LIMIT_PER_MINUTE: "100000",
          ...env,
        }),
        {
          documents: wrap(documents),
          sharedState: DOWN as SharedState,
          searchIndex: DOWN as SearchIndex,
          metricsSink: DOWN as MetricsSink,
          popularity: DOWN as PopularityStore,
          clock,
          random: systemRandom,
          fetch: host.fetch,
          sandbox: null,
          fetchAsset: () => Promise.reject(new Error("no assets")),
          waitUntil(work, what) {
            if (!WAITS_FOR_TIME.has(what)) pending.push(work);
          },
          writeLog: (line) => logs.push(line),
        },
      );
      return {
        ...composed,
        logs,
        async call(method, path, body, headers = {}) {
          const response = await composed.app.fetch(
            new Request(new URL(path, "https://orchestrix.test"), {
              method,
              headers: { Authorization: `Bearer ${ADMIN_KEY}`, "Content-Type": "application/json", ...headers },
              ...(body === undefined ? {} : { body: JSON.stringify(body) }),
            }),
          );
          const text = await response.text();
          return { status: response.status, body: text === "" ? null : JSON.parse(text) };
        },
        async settle() {
          while (pending.length > 0) {
            const batch = pending;
            pending = [];
            await Promise.allSettled(batch);
          }
        },
      };
    },
  };
}
