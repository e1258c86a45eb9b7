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
 * may find the isolate of an earlier call. Rejects where the code cannot be started or was ended, and with the signal;
 * with `PassingFault` where that may not be the code's fault.
 */
export type CallIsolate = (
  name: string,
  code: IsolateCode,
  body: string,
  options: { readonly ownerId: string; readonly signal: AbortSignal },
) => Promise<Response>;

/** What ended a call that may go well when it is made again. */
export class PassingFault extends Error {
  override readonly name = "PassingFault";
}

/** Where nobody is: an isolate answers every address alike. */
const ADDRESS = "http://code.invalid/";

/**
 * Isolates beside this Worker's own. On Cloudflare they are evicted when cold, and paid for by the name, so that a name
 * stays with its code.
 */
export function isolatesOfLoader(loader: WorkerLoader): CallIsolate {
  return async (name, code, body, { signal }) => {
    try {
      return await loader
        .get(name, () => code)
        .getEntrypoint()
        .fetch(ADDRESS, { method: "POST", body, signal });
    } catch (error) {
      if (signal.aborted || !(error instanceof Error) || !PASSING.test(error.message)) throw error;
      throw new PassingFault(error.message, { cause: error });
    }
  };
}

/**
 * The platform's own trouble, and the one limit that a run shares: an isolate that holds too much memory is ended with
 * every run of the same source in it. CPU is counted for each run.
 */
const PASSING = /^(?:internal error|network connection lost|worker exceeded memory limit|worker exceeded resource)/i;

/** What `isolatesOfProcess` is answered when the code could not be run; the body says why. */
const FAULT_STATUS = 500;
/** No process for the code could be had. */
export const UNAVAILABLE_STATUS = 502;
/** The code alone held or ended its process; the body says which. */
export const GUILTY_STATUS = 503;

/** Whose call it is, percent-encoded. */
export const OWNER_HEADER = "x-sandbox-owner";

/**
 * Isolates in processes of their own (`SANDBOX_PROCESS_SCRIPT`), a new one for each call: workerd keeps a named one for
 * good. An endless loop or too much memory costs such a process and not this one. What stands between gives a process
 * one call at a time, so that it knows whose fault its end was.
 */
export function isolatesOfProcess(deps: { readonly fetch: Fetch }): CallIsolate {
  return async (_name, code, body, { ownerId, signal }) => {
    const headers = { [OWNER_HEADER]: encodeURIComponent(ownerId.toWellFormed()) };
    const request = { method: "POST", headers, body: JSON.stringify({ code, body }), signal };
    const response = await deps.fetch(ADDRESS, request);
    if (response.status === UNAVAILABLE_STATUS) throw new PassingFault(await response.text());
    const isFault = response.status === FAULT_STATUS || response.status === GUILTY_STATUS;
    if (isFault) throw new Error(await response.text());
    return response;
  };
}

/** The Worker of such a process. It answers a GET as soon as it gets to it. */
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
