import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = join(fileURLToPath(import.meta.url), "../..");
const OUT_DIR = join(ROOT, "dist");

/**
 * Bundles a Worker, ours unless another entry is named, as a deploy would, and gives the path of the bundle. Builds
 * into a folder of its own first, so that two starts at once never read half a file. `readable` keeps the names of
 * functions, for a profiler; the source map lies beside the bundle.
 * @throws Error with what the bundler said.
 */
export async function buildWorker(entry = "src/index.ts", readable = false): Promise<string> {
  await mkdir(OUT_DIR, { recursive: true });
  const building = await mkdtemp(join(OUT_DIR, "build-"));
  try {
    await run("wrangler", ["deploy", entry, "--dry-run", "--outdir", building, `--minify=${!readable}`]);
    const name = `${basename(entry, ".ts")}.js`;
    const bundle = join(OUT_DIR, readable ? `readable-${name}` : name);
    await rename(join(building, `${name}.map`), `${bundle}.map`);
    await rename(join(building, name), bundle);
    return bundle;
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

/** Runs one of the project's own tools; its output comes back only when it fails. */
async function run(tool: string, args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [join(ROOT, "node_modules", tool, "bin", `${tool}.js`), ...args], {
    cwd: ROOT,
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  // A build that nobody waits for any more does not go on.
  const end = () => child.kill();
  process.once("exit", end);
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output += chunk;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  process.off("exit", end);
  if (code !== 0) throw new Error(`${tool} ${args[0]} failed:\n${output.trim()}`);
}
