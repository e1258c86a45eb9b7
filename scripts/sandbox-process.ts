import { convertV4MiniflareOptions, fetch, Miniflare } from "miniflare";
import { RUN_OUTPUT_MAX_BYTES } from "../src/config/limits.ts";
import { readBounded } from "../src/core/bounded-body.ts";
import { SANDBOX_PROCESS_SCRIPT } from "../src/runtime/sandbox/isolates.ts";
import { COMPATIBILITY_DATE } from "../src/runtime/sandbox/sandbox.ts";
import { findFreePort } from "./server.ts";

const HOST = "127.0.0.1";

export interface ProcessAnswer {
  readonly status: number;
  readonly body: Uint8Array;
}

/** A workerd for the code of graphs. */
export interface SandboxProcess {
  /** The whole answer. Rejects where the process ends under it, and with the signal. */
  send(body: string, signal: AbortSignal): Promise<ProcessAnswer>;
  /** Whether it gets to a question within `ms`; `gone` where there is nobody to ask. */
  look(ms: number): Promise<"well" | "stuck" | "gone">;
  kill(): Promise<void>;
}

export async function startSandboxProcess(): Promise<SandboxProcess> {
  const port = await findFreePort(HOST);
  const url = `http://${HOST}:${port}/`;
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: HOST,
      port: 0,
      cf: false,
      // What the code's isolates say of themselves is nothing for the operator's log.
      handleStructuredLogs: () => {},
      workers: [
        {
          name: "sandbox",
          modules: true,
          script: SANDBOX_PROCESS_SCRIPT,
          compatibilityDate: COMPATIBILITY_DATE,
          workerLoaders: { LOADER: {} },
          unsafeDirectSockets: [{ host: HOST, port }],
        },
      ],
    }),
  );
  await miniflare.ready;
  return {
    async send(body, signal) {
      const response = await fetch(url, { method: "POST", body, signal });
      const read = await readBounded(response.body as ReadableStream<Uint8Array> | null, RUN_OUTPUT_MAX_BYTES);
      // Whoever reads it finds for himself that it is too large.
      return { status: response.status, body: read ?? new Uint8Array(RUN_OUTPUT_MAX_BYTES + 1) };
    },
    async look(ms) {
      const patience = AbortSignal.timeout(ms);
      try {
        await fetch(url, { signal: patience });
        return "well";
      } catch {
        return patience.aborted ? "stuck" : "gone";
      }
    },
    async kill() {
      await miniflare.dispose().catch(() => {});
    },
  };
}
