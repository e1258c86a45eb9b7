import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, vi } from "vitest";
import { type LaunchedServer, launch } from "../../scripts/launch.ts";
import { call, OFFLINE, UNLIMITED } from "./launched.ts";
import { startTavily, TAVILY_KEY } from "./providers/tavily.ts";
import { startTurnstile } from "./providers/turnstile.ts";
import { countClaims, sortRoundTrips } from "./upstash/round-trips.ts";
import { startUpstash } from "./upstash/upstash.ts";

/** For what takes moments, on a busy machine too. */
export const SOON = { timeout: 5_000, interval: 5 };
/** So long without a request to Redis: no caller has tokens that would be given back. */
const QUIET_MS = 1_500;
const FIRST_ANSWER = { timeout: 20_000, interval: 200 };

export interface Caller {
  readonly id: string;
  readonly key: string;
}

export interface Trips {
  /** To Redis so far, for the callers or for a question. */
  count(): number;
  /** How many processes wished to be the one who asks. */
  claims(): number;
  /** Those for the bulletins alone. */
  bulletins(): number;
}

export type SearchProcesses = Awaited<ReturnType<typeof startSearchProcesses>>;

/** Two processes that search by one Tavily and share one Redis. Nobody else uses either. */
export async function startSearchProcesses() {
  const [upstash, tavily] = await Promise.all([startUpstash(), startTavily()]);
  const turnstile = await startTurnstile(tavily.url);
  const variables = {
    ...OFFLINE,
    ...UNLIMITED,
    LOG_LEVEL: "warn",
    WARM_TOP_QUERIES: "0",
    UPSTASH_REDIS_REST_URL: upstash.url,
    UPSTASH_REDIS_REST_TOKEN: upstash.token,
    TAVILY_API_KEY: TAVILY_KEY,
    TAVILY_BASE_URL: turnstile.url,
  };
  const startOne = async () => {
    const stateDir = await mkdtemp(join(tmpdir(), "orchestrix-e2e-"));
    return { stateDir, server: await launch({ stateDir, variables }) };
  };
  const [one, other] = await Promise.all([startOne(), startOne()]);
  /** What each process said the caches did, or the code of its problem. */
  const outcomes = new Map<string, string[]>();

  function note({ url }: LaunchedServer, outcome: string): void {
    const known = outcomes.get(url) ?? [];
    known.push(outcome);
    outcomes.set(url, known);
  }

  async function search(server: LaunchedServer, query: string, key = server.adminApiKey) {
    const answer = await call({ ...server, adminApiKey: key }, "POST", "/search", { query });
    const cache: string = answer.status === 200 ? answer.body.cache.status : answer.body.code;
    note(server, cache);
    return { ...answer, cache, isLocal: isLocal(answer.headers) };
  }

  /** Known to this process alone. */
  async function newCaller(server: LaunchedServer, limits: Record<string, number> = {}): Promise<Caller> {
    const key = { ownerId: "owner-1", name: "a caller", scopes: ["search"], limits };
    const { status, body } = await call(server, "POST", "/keys", key);
    expect(status).toBe(201);
    return body;
  }

  const newCallers = (server: LaunchedServer, count: number) =>
    Promise.all(Array.from({ length: count }, () => newCaller(server)));

  /** Counts what goes to Redis from now on. What is for neither these callers nor a question must have a known reason. */
  function watch(...callers: readonly Caller[]): Trips {
    const from = upstash.requests.length;
    const ids = callers.map(({ id }) => id);
    const look = () => {
      const sorted = sortRoundTrips(upstash.requests.slice(from), ids);
      expect(sorted.unknown).toEqual([]);
      return sorted;
    };
    return {
      count: () => look().own.length,
      claims: () => countClaims(look().own),
      bulletins: () => look().bulletins.length,
    };
  }

  /** Answers that Redis keeps, or questions that somebody is asking. */
  async function countKeys(kind: "entry" | "claim"): Promise<number> {
    const keys = await upstash.redis("KEYS", `orchestrix:${kind}:v*`);
    return Array.isArray(keys) ? keys.length : 0;
  }

  async function untilQuiet(): Promise<void> {
    for (let seen = -1; seen !== upstash.requests.length; ) {
      seen = upstash.requests.length;
      await sleep(QUIET_MS);
    }
  }

  async function close(): Promise<void> {
    await Promise.all([one, other].map(({ server }) => server.kill()));
    await Promise.all([upstash.close(), turnstile.close(), tavily.close()]);
    await Promise.all([one, other].map(({ stateDir }) => rm(stateDir, { recursive: true, force: true })));
  }

  await Promise.all([untilShared(one.server), untilShared(other.server)]);
  return {
    ...{ first: one.server, second: other.server, upstash, turnstile, outcomes },
    ...{ search, note, newCaller, newCallers, watch, countKeys, untilQuiet, close },
  };
}

/** A process that has just begun may take longer than it gives Redis, and then leaves it alone for a while. */
async function untilShared(server: LaunchedServer): Promise<void> {
  const ask = async () => isLocal((await call(server, "GET", "/keys")).headers);
  await vi.waitFor(async () => expect(await ask()).toBe(false), FIRST_ANSWER);
}

/** Whether the process decided about the caller's limits by itself. */
function isLocal(headers: Headers): boolean {
  return headers.get("Server-Timing")?.includes("local") ?? false;
}
