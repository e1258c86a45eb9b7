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
  return (request, input, actor) => new IncomingRequest(request, { input, actor, holdsCredential });
}

/** A class, since getters in an object literal cost each run more than what they spare. */
class IncomingRequest implements RunRequest {
  readonly input: Json;
  readonly #request: Request;
  readonly #actor: Actor;
  readonly #holdsCredential: HoldsCredential;
  #headers: Texts | undefined;
  #query: Texts | undefined;

  constructor(
    request: Request,
    given: { readonly input: Json; readonly actor: Actor; readonly holdsCredential: HoldsCredential },
  ) {
    this.input = given.input;
    this.#request = request;
    this.#actor = given.actor;
    this.#holdsCredential = given.holdsCredential;
  }

  get method(): string {
    return this.#request.method;
  }

  get headers(): Texts {
    this.#headers ??= this.#readHeaders();
    return this.#headers;
  }

  get query(): Texts {
    this.#query ??= this.#readQuery();
    return this.#query;
  }

  #readHeaders(): Texts {
    const given = this.#request.headers;
    const headers = new Map<string, string>();
    const knownByBearer = this.#actor.kind !== "anonymous" && !given.get("x-api-key")?.trim();
    for (const [name, value] of given) {
      const isLeftOut = LEFT_OUT.has(name) || (knownByBearer && name === "authorization");
      if (!isLeftOut && !this.#isOurs(name, value)) headers.set(name, value);
    }
    return Object.fromEntries(headers);
  }

  #readQuery(): Texts {
    const query = new Map<string, string>();
    for (const [name, value] of new URL(this.#request.url).searchParams) {
      if (!query.has(name) && !this.#isOurs(name, value)) query.set(name, value);
    }
    return Object.fromEntries(query);
  }

  #isOurs(name: string, value: string): boolean {
    return this.#holdsCredential(value) || this.#holdsCredential(name);
  }
}
