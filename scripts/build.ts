import { spawn } from "node:child_process";
import { readFile, rename } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { makeOnce } from "./build-cache.ts";

export const ROOT = join(fileURLToPath(import.meta.url), "../..");
export const OUT_DIR = join(ROOT, "dist");

/** What tells which versions of the packages are there, the bundler's too. */
export const INSTALLED = ["package-lock.json", "node_modules/.package-lock.json"].map((path) => join(ROOT, path));
const SETTINGS = ["wrangler.toml", "tsconfig.json", "package.json"].map((path) => join(ROOT, path));
/** Of the environment, what changes a bundle. */
const VARIABLES = ["CLOUDFLARE_ENV", "WRANGLER_BUILD_CONDITIONS", "WRANGLER_BUILD_PLATFORM"];

const metafileSchema = z.object({ inputs: z.record(z.string(), z.unknown()) });

/**
 * Bundles a Worker, ours unless another entry is named, as a deploy would, and gives the path of the bundle. What was
 * built before is taken again while each file that went into it has the same content, and the settings, the installed
 * versions and the options are the same; else `onBuild` is called. `readable` keeps the names of functions, for a
 * profiler; the source map lies beside the bundle.
 * @throws Error with what the bundler said.
 */
export async function buildWorker(
  entry = "src/index.ts",
  readable = false,
  { outDir = OUT_DIR, onBuild }: { readonly outDir?: string; readonly onBuild?: () => void } = {},
): Promise<string> {
  const made = `${basename(entry, ".ts")}.js`;
  const name = readable ? `readable-${made}` : made;
  const args = ["deploy", entry, "--dry-run", `--minify=${!readable}`];
  await makeOnce({
    folder: outDir,
    outputs: [name, `${name}.map`],
    command: [...args, ...VARIABLES.map((variable) => process.env[variable] ?? null)],
    async make(building) {
      onBuild?.();
      const metafile = join(building, "metafile.json");
      await run("wrangler", [...args, "--outdir", building, "--metafile", metafile]);
      await rename(join(building, `${made}.map`), join(building, `${name}.map`));
      await rename(join(building, made), join(building, name));
      return [...SETTINGS, ...INSTALLED, ...(await readInputs(metafile))];
    },
  });
  return join(outDir, name);
}

/** Paths of what was bundled. Modules that the bundler itself makes have one where no file is. */
async function readInputs(metafile: string): Promise<readonly string[]> {
  const { inputs } = metafileSchema.parse(JSON.parse(await readFile(metafile, "utf8")));
  return Object.keys(inputs).map((path) => resolve(ROOT, path));
}

/** Runs one of the project's own tools; its output comes back only when it fails. */
async function run(tool: string, args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [join(ROOT, "node_modules", tool, "bin", `${tool}.js`), ...args], {
    cwd: ROOT,
    // A deploy from a test's process is a deploy too.
    env: { ...process.env, NODE_ENV: "production", WRANGLER_SEND_METRICS: "false", NO_COLOR: "1" },
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
