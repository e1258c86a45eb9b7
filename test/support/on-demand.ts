import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ROOT } from "../../scripts/build.ts";

const INSTALL_TIMEOUT_MS = 90_000;
/** Out of npm's own cache where it has it, and without its minutes of waiting where there is no network. */
const QUICKLY = ["--prefer-offline", "--fetch-retries=1", "--no-audit", "--no-fund"];
/** npm's first lines name the error; the rest is for npm's developers. */
const LINES_TOLD = 3;

export interface OnDemandPackage {
  readonly name: string;
  readonly version: string;
  /** The folder of the cache that it goes to; its version is added. */
  readonly into: string;
}

/**
 * Installs a package that is too big for the lock file into a cache folder, from the registry that the user's npm is
 * set to, unless it is there; gives the package's own folder. What is there is whole: it is moved there when npm is
 * done, and of several that install at once the first wins.
 * @throws Error with what npm said.
 */
export async function installOnDemand({ name, version, into }: OnDemandPackage): Promise<string> {
  const cache = process.env.XDG_CACHE_HOME || join(ROOT, "node_modules/.cache");
  const folder = join(cache, `${into}-${version}`);
  const homeIn = (prefix: string) => join(prefix, "node_modules", name);
  if ((await versionIn(homeIn(folder))) === version) return homeIn(folder);
  await mkdir(dirname(folder), { recursive: true });
  const draft = await mkdtemp(`${folder}.`);
  try {
    await runNpm(draft, `${name}@${version}`);
    await rename(draft, folder).catch(async (error: unknown) => {
      if ((await versionIn(homeIn(folder))) !== version) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return homeIn(folder);
}

/**
 * The same for tests: null where it can't be installed, which is said, and what needs it is skipped.
 * @throws Error with what npm said, under CI, where nothing is skipped.
 */
export async function installForTests(wanted: OnDemandPackage, what: string): Promise<string | null> {
  try {
    return await installOnDemand(wanted);
  } catch (error) {
    if (process.env.CI) throw error;
    console.warn(`${what} NOT tested: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

async function versionIn(home: string): Promise<string | null> {
  try {
    return (JSON.parse(await readFile(join(home, "package.json"), "utf8")) as { version: string }).version;
  } catch {
    return null;
  }
}

async function runNpm(prefix: string, wanted: string): Promise<void> {
  const args = ["install", "--prefix", prefix, ...QUICKLY, "--ignore-scripts", wanted];
  const child = spawn("npm", args, { stdio: ["ignore", "pipe", "pipe"], timeout: INSTALL_TIMEOUT_MS });
  const end = () => child.kill();
  process.once("exit", end);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += chunk;
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  }).finally(() => process.off("exit", end));
  if (code === 0) return;
  const said = output.split("\n").filter((line) => line.startsWith("npm error"));
  const why = said.slice(0, LINES_TOLD).join(", ") || output.trim() || `it was ended after ${INSTALL_TIMEOUT_MS} ms`;
  throw new Error(`npm could not install ${wanted}: ${why}`);
}
