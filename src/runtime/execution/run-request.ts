import type { Actor } from "../../core/actor.ts";
import type { Json } from "../../core/json.ts";
import type { HoldsCredential } from "../../core/own-credentials.ts";
import type { RunRequest } from "./executor.ts";

type Texts = Readonly<Record<string, string>>;

/** Never a graph's business: cookies belong to the whole origin, the other is the header of our own keys. */
const LEFT_OUT: ReadonlySet<string> = new Set(["cookie", "x-api-key"]);

export type ToRunRequest = (request: Request, input: Json, actor: Actor) => RunRequest;

/**
 * What a graph may see of the request: no header and no query parameter that holds a credential of this Worker, whoever
 * sent it and in whatever scheme. `Authorization` is the graph's own, for tokens that it made, unless this Worker knew
 * the caller by it. Of a repeated query parameter the first value counts. Headers and query are read from the request
 * when they are asked for: while it is being answered.
 */
export function createToRunRequest(holdsCredential: HoldsCredential): ToRunRequest {
  const isOurs = (name: string, value: string) => holdsCredential(value) || holdsCredential(name);

  function readHeaders(request: Request, actor: Actor): Texts {
    const headers = new Map<string, string>();
    const knownByBearer = actor.kind !== "anonymous" && !request.headers.get("x-api-key")?.trim();
    for (const [name, value] of request.headers) {
      const isLeftOut = LEFT_OUT.has(name) || (knownByBearer && name === "authorization");
      if (!isLeftOut && !isOurs(name, value)) headers.set(name, value);
    }
    return Object.fromEntries(headers);
  }

  function readQuery(url: string): Texts {
    const query = new Map<string, string>();
    for (const [name, value] of new URL(url).searchParams) {
      if (!query.has(name) && !isOurs(name, value)) query.set(name, value);
    }
    return Object.fromEntries(query);
  }

  return function toRunRequest(request, input, actor) {
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
  };
}
