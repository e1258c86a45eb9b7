import type { Actor } from "../../../src/core/actor.ts";
import type { SearchAnswer } from "../../../src/search/contract.ts";
import { createSearchEndpoints } from "../../../src/search/routes.ts";
import type { SearchService } from "../../../src/search/service.ts";
import { createRoutesClient } from "../routes-client.ts";
import { keyOf } from "./harness.ts";

/** A problem's members stand beside those of an answer: a test asserts on the ones that it expects. */
export interface HttpReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: SearchAnswer & Record<string, unknown>;
}

export interface SearchHttp {
  as(actor: Actor): SearchHttp;
  get(path: string): Promise<HttpReply>;
  post(path: string, body: unknown): Promise<HttpReply>;
  put(path: string, body: unknown): Promise<HttpReply>;
  delete(path: string): Promise<HttpReply>;
}

/** The search routes over HTTP, for whoever `as` names; who that is has been settled already. */
export function createSearchHttp(service: SearchService, actor: Actor = keyOf("owner-1")): SearchHttp {
  const send = createRoutesClient(createSearchEndpoints(service), actor);
  return {
    as: (other) => createSearchHttp(service, other),
    get: (path) => send("GET", path),
    post: (path, body) => send("POST", path, body),
    put: (path, body) => send("PUT", path, body),
    delete: (path) => send("DELETE", path),
  };
}
