import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { RUN_TIMEOUT_MS } from "../src/config/limits.ts";
import { GUILTY_STATUS, OWNER_HEADER, UNAVAILABLE_STATUS } from "../src/runtime/sandbox/isolates.ts";
import { createSandboxPool, type PoolAnswer } from "./sandbox-pool.ts";
import { startSandboxProcess } from "./sandbox-process.ts";

/** What stands behind the Worker's binding SANDBOX. */
export interface SandboxProcesses {
  /** Starts the processes; resolves when code can run without waiting for one, or when none can be started. */
  warm(): Promise<void>;
  /** Runs the code that is posted. A caller who hangs up ends its call. */
  serve(request: IncomingMessage, response: ServerResponse): Promise<void>;
  stop(): Promise<void>;
}

const REASONS = { stuck: "it used too much time", gone: "it used too much memory, or ended its process" } as const;

export function createSandboxProcesses(): SandboxProcesses {
  const pool = createSandboxPool({ start: startSandboxProcess });
  return {
    warm: pool.warm,
    stop: pool.stop,
    async serve(request, response) {
      const hangUp = new AbortController();
      response.once("close", () => hangUp.abort());
      const abandoned = AbortSignal.any([hangUp.signal, AbortSignal.timeout(RUN_TIMEOUT_MS)]);
      const answer = await pool.run(String(request.headers[OWNER_HEADER]), await text(request), abandoned);
      const { status, body } = toResponse(answer);
      response.writeHead(status).end(body);
    },
  };
}

function toResponse(answer: PoolAnswer): { readonly status: number; readonly body: string | Uint8Array } {
  switch (answer.kind) {
    case "answer":
      return answer;
    case "guilty":
      return { status: GUILTY_STATUS, body: REASONS[answer.how] };
    case "abandoned":
      return { status: UNAVAILABLE_STATUS, body: "it took longer than any run may" };
    case "unavailable":
      return { status: UNAVAILABLE_STATUS, body: "its process could not be started" };
  }
}
