import type { Actor } from "../../core/actor.ts";
import type { Json } from "../../core/json.ts";
import type { RunRequest } from "./executor.ts";

type Texts = Readonly<Record<string, string>>;

/** Never a graph's business: cookies belong to the whole origin, the other is the header of our own keys. */
const LEFT_OUT: ReadonlySet<string> = new Set(["cookie", "x-api-key"]);

const OUR_KEY = /^Bearer\s+orxa?_/i;

/**
 * What a graph may see of the request. `Authorization` is the graph's own, for tokens that it made, unless it carries
 * the key by which this Worker knew the caller. Of a repeated query parameter the first value counts. Headers and query
 * are read from the request when they are asked for: while it is being answered.
 */
export function toRunRequest(request: Request, input: Json, actor: Actor): RunRequest {
  let headers: Texts | null = null;
  let query: Texts | null = null;
  return {
    input,
    method: request.method,
    get headers() {
      headers ??= readHeaders(request, actor);
      return headers;
    },
    get query() {
      query ??= readQuery(request.url);
      return query;
    },
  };
}

function readHeaders(request: Request, actor: Actor): Texts {
  const headers = new Map<string, string>();
  for (const [name, value] of request.headers) if (!LEFT_OUT.has(name)) headers.set(name, value);
  const authorization = headers.get("authorization");
  const knownByIt = actor.kind !== "anonymous" && !request.headers.get("x-api-key")?.trim();
  if (authorization !== undefined && (knownByIt || OUR_KEY.test(authorization))) headers.delete("authorization");
  return Object.fromEntries(headers);
}

function readQuery(url: string): Texts {
  const query = new Map<string, string>();
  for (const [name, value] of new URL(url).searchParams) if (!query.has(name)) query.set(name, value);
  return Object.fromEntries(query);
}
