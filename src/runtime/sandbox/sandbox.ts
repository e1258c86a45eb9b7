import { sha256, toHex } from "../../core/crypto.ts";
import { describeFault, failed, readAnswer } from "./answer.ts";
import type { Sandbox } from "./contract.ts";
import { type CallIsolate, type IsolateCode, isolatesOfLoader, isolatesOfProcess, PassingFault } from "./isolates.ts";
import { CODE_MAX_BYTES, SANDBOX_CPU_MS, SANDBOX_SUBREQUESTS } from "./limits.ts";
import { modulesOf, WRAPPER_MODULE } from "./wrapper.ts";

export interface SandboxBindings {
  /** The platform's Worker Loader. */
  readonly LOADER?: WorkerLoader;
  /** Processes of their own for the code: what stands in for the limits that a workerd of one's own lacks. */
  readonly SANDBOX?: Fetcher;
}

/**
 * The sandbox that the bindings allow; null where they allow none.
 *
 * Cloudflare holds the code to `SANDBOX_CPU_MS` and 128 MB. workerd itself counts neither: there an endless loop stops
 * its whole process and too much memory ends it, so that code has processes of its own, each for one call at a time, which
 * are killed when they no longer answer. A loader in the Worker's own workerd, as under `wrangler dev`, is for code that one trusts.
 */
export function createSandbox({ LOADER: loader, SANDBOX: process }: SandboxBindings): Sandbox | null {
  if (process !== undefined) {
    return createSandboxOf(isolatesOfProcess({ fetch: (url, init) => process.fetch(url, init) }));
  }
  return loader === undefined ? null : createSandboxOf(isolatesOfLoader(loader));
}

/** Fixed, so that what an author's code may use changes only with a version of ours. */
export const COMPATIBILITY_DATE = "2026-10-20";
/** Without Node's modules, and without a module or context through which code could reach itself or an `env`. */
const COMPATIBILITY_FLAGS = [
  "no_nodejs_compat",
  "no_nodejs_compat_v2",
  "disallow_importable_env",
  "disable_ctx_exports",
];

const encoder = new TextEncoder();

/**
 * Runs code in isolates of its own: no network, no bindings, no modules, JSON in and out. An isolate is named by what it
 * runs and for whom, so that only a later run of the same source for the same owner may find it warm, its module scope
 * included. The signal ends the waiting, and the code where it is not inside a loop.
 */
export function createSandboxOf(call: CallIsolate): Sandbox {
  return {
    async run(source, given, { ownerId, signal }) {
      if (encoder.encode(source).length > CODE_MAX_BYTES) {
        return failed(`the code is longer than ${CODE_MAX_BYTES} bytes`);
      }
      const code = isolateCode(source);
      const name = toHex(await sha256(JSON.stringify([ownerId, code])));
      try {
        signal.throwIfAborted();
        return await readAnswer(await call(name, code, JSON.stringify(given), { ownerId, signal }));
      } catch (error) {
        if (signal.aborted) return failed("the code was stopped: its time was up");
        const told = failed(describeFault(error));
        return error instanceof PassingFault ? { ...told, isPassing: true } : told;
      }
    },
  };
}

function isolateCode(source: string): IsolateCode {
  return {
    compatibilityDate: COMPATIBILITY_DATE,
    compatibilityFlags: COMPATIBILITY_FLAGS,
    mainModule: WRAPPER_MODULE,
    modules: modulesOf(source),
    env: {},
    globalOutbound: null,
    limits: { cpuMs: SANDBOX_CPU_MS, subRequests: SANDBOX_SUBREQUESTS },
  };
}
