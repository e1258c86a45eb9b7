import type { Ratelimit } from "@upstash/ratelimit";
import type { Redis } from "@upstash/redis/cloudflare";
import { decodeUtf8, readBodyBounded } from "../../core/bounded-body.ts";
import { StorageUnavailable } from "../../core/errors.ts";
import type { Fetch } from "../../core/fetch.ts";
import { isJsonObject, ownProperty, parseUntrustedJson } from "../../core/json.ts";
import {
  UPSTASH_ANSWER_MAX_BYTES,
  UPSTASH_ANSWER_MAX_DEPTH,
  UPSTASH_LARGE_ANSWER_CHARS,
  UPSTASH_OPERATOR_REQUEST_TIMEOUT_MS,
  UPSTASH_REQUEST_TIMEOUT_MS,
} from "./limits.ts";
import { misfit } from "./upstash-answers.ts";

export interface UpstashAccess {
  readonly url: string;
  readonly token: string;
  readonly fetch: Fetch;
}

/** Who waits: a request, for moments, or an operator, for seconds. */
export type Patience = "request" | "operator";

/** The libraries, and a client for each patience. Holds nothing of a request. */
export interface UpstashKit {
  readonly Ratelimit: typeof Ratelimit;
  readonly redis: Readonly<Record<Patience, Redis>>;
  /** Of one of our scripts. */
  hashOf(script: string): string;
}

export async function loadUpstashKit(access: UpstashAccess): Promise<UpstashKit> {
  const [redis, ratelimit, crypto] = await Promise.all([
    import("@upstash/redis/cloudflare"),
    import("@upstash/ratelimit"),
    import("node:crypto"),
  ]);
  const hashes = new Map<string, string>();
  return {
    Ratelimit: ratelimit.Ratelimit,
    redis: {
      request: createClient(redis.Redis, access, UPSTASH_REQUEST_TIMEOUT_MS),
      operator: createClient(redis.Redis, access, UPSTASH_OPERATOR_REQUEST_TIMEOUT_MS),
    },
    hashOf(script) {
      const hash = hashes.get(script) ?? crypto.createHash("sha1").update(script).digest("hex");
      hashes.set(script, hash);
      return hash;
    },
  };
}

/**
 * The library writes the commands; we send them. Its own way reads an answer of any size, retries with whatever it
 * takes, and quotes whole commands in its errors.
 */
function createClient(Client: typeof Redis, access: UpstashAccess, timeoutMs: number): Redis {
  const client = new Client({
    // Where the requests go is ours to say; the library refuses some addresses that work.
    url: "https://unused.invalid",
    token: "unused",
    automaticDeserialization: false,
    enableAutoPipelining: false,
    enableTelemetry: false,
    readYourWrites: false,
    responseEncoding: false,
    latencyLogging: false,
  });
  client.use(async ({ path = [], body }) => {
    const commands = Array.isArray(body) ? body.length : 0;
    const text = await send(access, path.join("/"), JSON.stringify(body), timeoutMs);
    // A pipeline's answer is a list, for which the library's types have no word.
    return readAnswers(text, commands) as object;
  });
  return client;
}

/** The body of the answer. Nothing of the address, the token or the commands is in an error. */
async function send(access: UpstashAccess, path: string, body: string, timeoutMs: number): Promise<string> {
  let response: Response;
  let bytes: Uint8Array | null;
  try {
    // A redirect would take the credentials along to another host.
    response = await access.fetch(`${access.url}/${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${access.token}`, "content-type": "application/json" },
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    bytes = await readBodyBounded(response, UPSTASH_ANSWER_MAX_BYTES);
  } catch (error) {
    throw new StorageUnavailable(`the shared state does not answer (${nameFault(error)})`);
  }
  if (response.status === 401 || response.status === 403) {
    throw new StorageUnavailable("the shared state refused the credentials");
  }
  if (response.status !== 200) throw new StorageUnavailable(`the shared state answered ${response.status}`);
  const text = bytes === null ? null : decodeUtf8(bytes);
  if (text === null) throw new StorageUnavailable("the shared state gave an answer that cannot be read");
  return text;
}

/** One object for each command, and nothing else. */
function readAnswers(text: string, commands: number): readonly object[] {
  const answers = parseAnswers(text);
  if (!Array.isArray(answers) || answers.length !== commands || !answers.every(isJsonObject)) throw misfit();
  return answers;
}

/** Null for what is no JSON. A large text that nests deeply would hold up the isolate for longer than any answer is worth. */
function parseAnswers(text: string): unknown {
  if (text.length > UPSTASH_LARGE_ANSWER_CHARS) {
    const parsed = parseUntrustedJson(text, UPSTASH_ANSWER_MAX_DEPTH);
    return parsed.ok ? parsed.value : null;
  }
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A word such as `ECONNREFUSED` or `TimeoutError`: messages may quote the address. */
function nameFault(error: unknown): string {
  const code = ownProperty(ownProperty(error, "cause"), "code") ?? ownProperty(error, "code");
  if (typeof code === "string" && /^[A-Z_]{1,40}$/.test(code)) return code;
  return error instanceof Error && /^\w{1,40}$/.test(error.name) ? error.name : "unknown";
}
