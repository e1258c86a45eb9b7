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
  return new IncomingRequest(request, input, actor);
}

/** A class, since getters in an object literal cost each run more than what they spare. */
class IncomingRequest implements RunRequest {
  readonly input: Json;
  readonly #request: Request;
  readonly #actor: Actor;
  #headers: Texts | undefined;
  #query: Texts | undefined;

  constructor(request: Request, input: Json, actor: Actor) {
    this.input = input;
    this.#request = request;
    this.#actor = actor;
  }

  get method(): string {
    return this.#request.method;
  }

  get headers(): Texts {
    this.#headers ??= readHeaders(this.#request, this.#actor);
    return this.#headers;
  }

  get query(): Texts {
    this.#query ??= readQuery(this.#request.url);
    return this.#query;
  }
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
