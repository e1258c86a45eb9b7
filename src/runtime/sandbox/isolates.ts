import type { Fetch } from "../../core/fetch.ts";

/** What an isolate is made of; all of it is data. */
export interface IsolateCode {
  readonly compatibilityDate: string;
  readonly compatibilityFlags: string[];
  readonly mainModule: string;
  readonly modules: Record<string, { readonly js: string }>;
  readonly env: Record<string, never>;
  readonly globalOutbound: null;
  readonly limits: { readonly cpuMs: number; readonly subRequests: number };
}

/**
 * Sends `body` to an isolate that runs `code`, and gives its answer. The same `name` always comes with the same code, and
 * may find the isolate of an earlier call. Rejects where the code cannot be started or was ended, and with the signal.
 */
export type CallIsolate = (
  name: string,
  code: IsolateCode,
  body: string,
  options: { readonly signal: AbortSignal },
) => Promise<Response>;

/** Where nobody is: an isolate answers every address alike. */
const ADDRESS = "http://code.invalid/";

/**
 * Isolates beside this Worker's own. On Cloudflare they are evicted when cold, and paid for by the name, so that a name
 * stays with its code.
 */
export function isolatesOfLoader(loader: WorkerLoader): CallIsolate {
  return (name, code, body, { signal }) =>
    loader
      .get(name, () => code)
      .getEntrypoint()
      .fetch(ADDRESS, { method: "POST", body, signal });
}

/** What `isolatesOfProcess` is answered when the code could not be run; the body says why. */
const FAULT_STATUS = 500;
/** The process ended under the code, or was ended because it no longer answered. */
const LOST_STATUS = 503;

const LOST = "it used too much time or memory, or ran beside code that did";

/**
 * Isolates in a process of their own (`SANDBOX_PROCESS_SCRIPT`), a new one for each call: workerd keeps a named one for
 * good. An endless loop or too much memory costs that process and not this one.
 */
export function isolatesOfProcess(deps: { readonly fetch: Fetch }): CallIsolate {
  return async (_name, code, body, { signal }) => {
    const response = await deps.fetch(ADDRESS, { method: "POST", body: JSON.stringify({ code, body }), signal });
    if (response.status === LOST_STATUS) throw new Error(LOST);
    if (response.status === FAULT_STATUS) throw new Error(await response.text());
    return response;
  };
}

/** The Worker of that process. It answers a GET as soon as it gets to it. */
export const SANDBOX_PROCESS_SCRIPT = `
export default {
  async fetch(request, env) {
    if (request.method !== "POST") return new Response(null, { status: 204 });
    try {
      const { code, body } = await request.json();
      const { signal } = request;
      return await env.LOADER.load(code).getEntrypoint().fetch("${ADDRESS}", { method: "POST", body, signal });
    } catch (error) {
      return new Response(String(error?.message), { status: ${FAULT_STATUS} });
    }
  },
};
`;
