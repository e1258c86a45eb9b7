import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { buildWorker, ROOT } from "../../scripts/build.ts";
import { findFreePort } from "../../scripts/server.ts";

export interface FixtureServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Runs the conformance suite's fixtures on workerd, bundled as the product is. */
export async function serveFixtures(): Promise<FixtureServer> {
  const scriptPath = await buildWorker("test/conformance/conformance-worker.ts");
  const { compatibilityDate } = unstable_getMiniflareWorkerOptions(join(ROOT, "wrangler.toml")).workerOptions;
  const host = "127.0.0.1";
  const port = await findFreePort(host);
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host,
      port: 0,
      cf: false,
      handleStructuredLogs: () => {},
      workers: [
        {
          name: "fixtures",
          rootPath: ROOT,
          scriptPath,
          modules: true,
          compatibilityDate: String(compatibilityDate),
          unsafeDirectSockets: [{ host, port }],
        },
      ],
    }),
  );
  await miniflare.ready;
  return { url: `http://localhost:${port}/mcp`, stop: () => miniflare.dispose() };
}
