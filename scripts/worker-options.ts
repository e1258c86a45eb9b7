import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { unstable_getMiniflareWorkerOptions } from "wrangler";
import { INSTALLED, OUT_DIR, ROOT } from "./build.ts";
import { makeOnce } from "./build-cache.ts";

type WorkerOptions = Omit<ReturnType<typeof unstable_getMiniflareWorkerOptions>["workerOptions"], "bindings">;

const NAME = "worker-options.json";
const CONFIG = join(ROOT, "wrangler.toml");

/**
 * What wrangler.toml says of the Worker, in miniflare's words, without variables. Wrangler is asked again only after a
 * change of that file or of the installed versions: to load it costs more than all else that a start loads.
 */
export async function readWorkerOptions(): Promise<WorkerOptions> {
  await makeOnce({
    folder: OUT_DIR,
    outputs: [NAME],
    command: ["worker options", process.env.CLOUDFLARE_ENV ?? null],
    async make(building) {
      const { unstable_getMiniflareWorkerOptions } = await import("wrangler");
      // Its bindings hold the secrets of .dev.vars, which are kept nowhere else.
      const { bindings: _secrets, ...options } = unstable_getMiniflareWorkerOptions(CONFIG).workerOptions;
      await writeFile(join(building, NAME), JSON.stringify(options));
      return [CONFIG, ...INSTALLED];
    },
  });
  return JSON.parse(await readFile(join(OUT_DIR, NAME), "utf8"));
}
