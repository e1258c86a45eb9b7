import { createServer } from "node:net";
import { Cron } from "croner";
import { convertV4MiniflareOptions, Miniflare, type WorkerdStructuredLog } from "miniflare";
import { ConfigError } from "../src/config/config.ts";
import { ROOT } from "./build.ts";
import { ownSocketBinding } from "./own-socket.ts";
import { createSandboxProcesses } from "./sandbox.ts";
import { readWorkerOptions } from "./worker-options.ts";

/** The runtime's own address for running cron triggers; reachable over miniflare's socket alone, not over ours. */
const TRIGGER = "http://localhost/cdn-cgi/local/scheduled";

const WORKER = "orchestrix";

/** Holds the static assets. A Worker that has them itself is reached through two others, at a third of the speed. */
const ASSETS_WORKER = "assets";
const ASSETS_SCRIPT = "export default { fetch: (request, env) => env.ASSETS.fetch(request) };";

export interface LocalServer {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Runs the bundled Worker on workerd, listening on a socket that leads straight to it, with the cron triggers of
 * wrangler.toml. State is kept under `stateDir`.
 * @throws Error when the port is taken. ConfigError when the host is none of this machine's.
 */
export async function serveWorker(options: {
  readonly bundle: string;
  readonly host: string;
  readonly port: number;
  readonly stateDir: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly onLog: (entry: WorkerdStructuredLog) => void;
  /** False where no graph runs code: its processes are then started with the first that does. */
  readonly expectsCode?: boolean;
  /** Where the runtime's inspector listens, for a debugger or a profiler; absent: nowhere. */
  readonly inspectorPort?: number;
}): Promise<LocalServer> {
  const { host, port } = options;
  await assertPortFree(host, port);
  const workerOptions = await readWorkerOptions();
  const { modulesRules: _rules, cronTriggers, assets: _assets, ...worker } = workerOptions;
  const { modulesRules: _sameRules, durableObjects: _objects, ...assetsWorker } = workerOptions;
  const sandbox = createSandboxProcesses();
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      cf: false,
      unsafeTriggerHandlers: true,
      ...(options.inspectorPort === undefined ? {} : { inspectorPort: options.inspectorPort }),
      resourcePersistencePath: options.stateDir,
      handleStructuredLogs: options.onLog,
      workers: [
        {
          ...worker,
          name: WORKER,
          rootPath: ROOT,
          scriptPath: options.bundle,
          modules: true,
          bindings: options.variables,
          // Not the loader: an endless loop in an author's code would stop this whole process.
          workerLoaders: {},
          serviceBindings: { ASSETS: ASSETS_WORKER, SANDBOX: { node: sandbox.serve } },
          unsafeBindings: [
            ownSocketBinding({ host, port, worker: WORKER, removedHeaders: forgeable(options.variables) }),
          ],
        },
        { ...assetsWorker, name: ASSETS_WORKER, modules: true, script: ASSETS_SCRIPT },
      ],
    }),
  );
  // Started before anybody asks: what it takes is not to count against a step's time.
  await Promise.all([miniflare.ready, ...(options.expectsCode === false ? [] : [sandbox.warm()])]);
  const crons = (Array.isArray(cronTriggers) ? cronTriggers : []).map(
    (pattern: string) =>
      new Cron(pattern, { timezone: "UTC", protect: true, unref: true }, async () => {
        // By a request: the worker handle's own `scheduled` may block this process while workerd waits for it to read.
        const answer = await miniflare.dispatchFetch(`${TRIGGER}?cron=${encodeURIComponent(pattern)}`);
        await answer.body?.cancel();
      }),
  );
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    async stop() {
      for (const cron of crons) cron.stop();
      await Promise.all([miniflare.dispose(), sandbox.stop()]);
    },
  };
}

/** Headers that anybody could write where no proxy stands in front that does. */
function forgeable(variables: Readonly<Record<string, string>>): readonly string[] {
  return variables.TRUST_CF_CONNECTING_IP === "off" ? ["cf-connecting-ip"] : [];
}

/** A port that was free a moment ago. */
export async function findFreePort(host: string): Promise<number> {
  return listenOnce(host, 0);
}

/** What listening says of a host that is none of this machine's. */
const NO_ADDRESS: ReadonlySet<string> = new Set(["ENOTFOUND", "EAI_AGAIN", "EADDRNOTAVAIL", "EINVAL"]);
const HOST_RULE = "an address of this machine, such as 127.0.0.1, 0.0.0.0 or ::, or a name of one";

async function assertPortFree(host: string, port: number): Promise<void> {
  try {
    await listenOnce(host, port);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EADDRINUSE") throw new Error(`port ${port} is in use; choose another with PORT=…`);
    if (code === "EACCES") throw new Error(`port ${port} is not for this user; choose another with PORT=…`);
    if (NO_ADDRESS.has(String(code))) throw new ConfigError(`HOST: ${HOST_RULE}`);
    throw error;
  }
}

function listenOnce(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, host, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : port));
    });
  });
}
