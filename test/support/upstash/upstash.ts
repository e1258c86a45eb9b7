import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { findFreePort } from "../../../scripts/server.ts";
import type { Fault } from "./faults.ts";
import { connectResp, RespError, type RespValue } from "./resp.ts";
import { type RestRequest, startRestProxy } from "./rest.ts";

/** A real Redis behind Upstash's REST interface, on this host. */
export interface LocalUpstash {
  readonly url: string;
  readonly token: string;
  /** Every HTTP request so far, in order. Emptied by `requests.length = 0`. */
  readonly requests: RestRequest[];
  /** From now on; null ends it. */
  fault(fault: Fault | null): void;
  /** Straight to Redis, past the proxy. An error answer rejects. */
  redis(...command: readonly string[]): Promise<RespValue>;
  /** Lets time pass in the store: what lives no longer than `ms` is gone, and every bucket is that much older. */
  passTime(ms: number): Promise<void>;
  close(): Promise<void>;
}

const MISSING = "no redis-server: install it (apt-get install redis-server)";

/** False only where somebody tests on a machine without one: then it is said, and what needs it is skipped. */
export function hasRedis(): boolean {
  if (spawnSync("redis-server", ["--version"]).status === 0) return true;
  if (process.env.CI) throw new Error(MISSING);
  console.warn(`The Upstash adapter is NOT tested: ${MISSING}`);
  return false;
}

export async function startUpstash(): Promise<LocalUpstash> {
  const server = await startRedis();
  const token = randomBytes(24).toString("base64url");
  const client = await connectResp(server.port);
  const proxy = await startRestProxy({ redisPort: server.port, token });
  const redis: LocalUpstash["redis"] = async (...command) => {
    const [answer = null] = await client.send([command]);
    if (answer instanceof RespError) throw answer;
    return answer;
  };
  return {
    url: proxy.url,
    token,
    requests: proxy.requests,
    fault: proxy.fault,
    redis,
    async passTime(ms) {
      await redis("EVAL", PASS_TIME, "0", String(ms));
    },
    async close() {
      await proxy.close();
      client.close();
      await server.stop();
    },
  };
}

/** Every key dies that much sooner; and buckets, which go by their callers' clocks, were filled that much earlier. */
const PASS_TIME = `
for _, key in ipairs(redis.call("KEYS", "*")) do
  local left = redis.call("PTTL", key)
  if left >= 0 and left <= tonumber(ARGV[1]) then
    redis.call("DEL", key)
  else
    if left >= 0 then redis.call("PEXPIRE", key, left - ARGV[1]) end
    if redis.call("TYPE", key).ok == "hash" then redis.call("HINCRBY", key, "refilledAt", -ARGV[1]) end
  end
end`;

interface RedisServer {
  readonly port: number;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 10_000;
const START_POLL_MS = 20;

/** Its input ends when this process does, however that comes about: then Redis goes too. */
const WHILE_INPUT_LASTS = 'redis-server "$@" & cat > /dev/null; kill -9 $!';

/** In memory alone. */
async function startRedis(): Promise<RedisServer> {
  const port = await findFreePort("127.0.0.1");
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  const child = spawn("sh", ["-c", WHILE_INPUT_LASTS, "sh", ...args]);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output = (output + String(chunk)).slice(-OUTPUT_CHARS_KEPT);
    });
  }
  const exited = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.once("error", () => resolve());
  });
  const stop = async () => {
    child.stdin.end();
    await exited;
  };
  if (await answers(child, port)) return { port, stop };
  await stop();
  throw new Error(`redis-server does not answer on port ${port}. ${MISSING}\n${output}`);
}

const OUTPUT_CHARS_KEPT = 4_000;

async function answers(child: ChildProcess, port: number): Promise<boolean> {
  const until = Date.now() + START_TIMEOUT_MS;
  while (child.pid !== undefined && child.exitCode === null && Date.now() < until) {
    const client = await connectResp(port).catch(() => null);
    const [pong] = (await client?.send([["PING"]]).catch(() => [])) ?? [];
    client?.close();
    if (pong === "PONG") return true;
    await sleep(START_POLL_MS);
  }
  return false;
}
