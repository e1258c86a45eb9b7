import { convertV4MiniflareOptions, fetch, Miniflare, type Request, Response } from "miniflare";
import { SANDBOX_PROCESS_SCRIPT } from "../src/runtime/sandbox/isolates.ts";
import { SANDBOX_STALL_MS } from "../src/runtime/sandbox/limits.ts";
import { COMPATIBILITY_DATE } from "../src/runtime/sandbox/sandbox.ts";
import { findFreePort } from "./server.ts";

const HOST = "127.0.0.1";
/** Between two looks at a process that has been given code. */
const LOOK_EVERY_MS = 250;

export interface SandboxProcess {
  /** For a service binding. Starts the process where there is none. */
  fetch(request: Request): Promise<Response>;
  stop(): Promise<void>;
}

interface Running {
  readonly url: string;
  readonly miniflare: Miniflare;
}

/**
 * Keeps a workerd of its own for the code of graphs, started at its first use. One that answers nothing for
 * `SANDBOX_STALL_MS`, because code in it never ends or took all memory, is killed; the next call starts another.
 */
export function createSandboxProcess(): SandboxProcess {
  let running: Promise<Running> | null = null;
  let begun = 0;
  let underWay = 0;
  let watched: Promise<Running> | null = null;

  async function kill(lost: Promise<Running>): Promise<void> {
    if (running === lost) running = null;
    await lost.then(({ miniflare }) => miniflare.dispose()).catch(() => {});
  }

  /** Until a look that finds it well, with no call under way before it and none begun since. */
  async function watch(current: Promise<Running>): Promise<void> {
    watched = current;
    for (let isNeeded = true; isNeeded; ) {
      const before = { begun, underWay };
      if (!(await answers(await current))) {
        await kill(current);
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      isNeeded = before.underWay > 0 || begun > before.begun;
    }
    if (watched === current) watched = null;
  }

  return {
    async fetch(request) {
      running ??= start();
      const current = running;
      begun++;
      underWay++;
      try {
        const { url } = await current.catch((error: unknown) => {
          if (running === current) running = null;
          throw error;
        });
        if (watched !== current) void watch(current);
        return await fetch(url, { method: "POST", body: await request.text(), signal: request.signal });
      } catch {
        return new Response(null, { status: 503 });
      } finally {
        underWay--;
      }
    },
    async stop() {
      if (running !== null) await kill(running);
    },
  };
}

async function start(): Promise<Running> {
  const port = await findFreePort(HOST);
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
  return { url: `http://${HOST}:${port}/`, miniflare };
}

async function answers({ url }: Running): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(SANDBOX_STALL_MS) })).ok;
  } catch {
    return false;
  }
}
