import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { buildWorker, ROOT } from "../../../scripts/build.ts";
import { findFreePort } from "../../../scripts/server.ts";

export interface AdapterWorker {
  readonly url: string;
  stop(): Promise<void>;
}

/** Runs `test/integration/upstash-worker.ts` on workerd, with the product's compatibility date. */
export async function startUpstashWorker(upstash: {
  readonly url: string;
  readonly token: string;
}): Promise<AdapterWorker> {
  const scriptPath = await buildWorker("test/integration/upstash-worker.ts");
  const { compatibilityDate } = unstable_getMiniflareWorkerOptions(join(ROOT, "wrangler.toml")).workerOptions;
  const [host, port] = ["127.0.0.1", await findFreePort("127.0.0.1")];
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host,
      port: 0,
      cf: false,
      handleStructuredLogs: () => {},
      workers: [
        {
          name: "upstash",
          rootPath: ROOT,
          scriptPath,
          modules: true,
          compatibilityDate: String(compatibilityDate),
          bindings: { UPSTASH_REDIS_REST_URL: upstash.url, UPSTASH_REDIS_REST_TOKEN: upstash.token },
          unsafeDirectSockets: [{ host, port }],
        },
      ],
    }),
  );
  await miniflare.ready;
  return { url: `http://${host}:${port}`, stop: () => miniflare.dispose() };
}
