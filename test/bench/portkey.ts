import { spawn } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT } from "../../scripts/build.ts";
import { findFreePort } from "../../scripts/server.ts";
import { startChild } from "./child.ts";
import { COUNTER, type LoadTarget } from "./load.ts";
import type { Subject } from "./subjects.ts";

const PACKAGE = "@portkey-ai/gateway";
const VERSION = "1.15.2";
const INSTALL_TIMEOUT_MS = 120_000;
const START_TIMEOUT_MS = 20_000;
const POLL_MS = 100;
/** npm's first lines name the error; the rest is for npm's developers. */
const LINES_TOLD = 3;

/**
 * Installs the peer into a cache folder, from the registry that the user's npm is set to, unless it is there; gives
 * the path of its server.
 * @throws Error with what npm said.
 */
export async function installPortkey(): Promise<string> {
  const cache = process.env.XDG_CACHE_HOME || join(ROOT, "node_modules/.cache");
  const folder = join(cache, "orchestrix-bench", `portkey-${VERSION}`);
  const home = join(folder, "node_modules", PACKAGE);
  if ((await versionIn(home)) !== VERSION) {
    await mkdir(folder, { recursive: true });
    await runNpm([
      "install",
      "--prefix",
      folder,
      "--no-audit",
      "--no-fund",
      "--ignore-scripts",
      `${PACKAGE}@${VERSION}`,
    ]);
  }
  return join(home, "build/start-server.js");
}

async function versionIn(home: string): Promise<string | null> {
  try {
    return (JSON.parse(await readFile(join(home, "package.json"), "utf8")) as { version: string }).version;
  } catch {
    return null;
  }
}

async function runNpm(args: readonly string[]): Promise<void> {
  const child = spawn("npm", args, { stdio: ["ignore", "pipe", "pipe"], timeout: INSTALL_TIMEOUT_MS });
  process.once("exit", () => child.kill());
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += chunk;
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code === 0) return;
  const said = output.split("\n").filter((line) => line.startsWith("npm error"));
  throw new Error(`npm could not install ${PACKAGE}@${VERSION}: ${said.slice(0, LINES_TOLD).join(", ") || output}`);
}

/** Starts the gateway as its package does, with no logs page. */
export async function startPortkey(server: string): Promise<Subject> {
  const port = await findFreePort("127.0.0.1");
  const { pid, stop } = startChild(server, ["--headless", `--port=${port}`], { NODE_ENV: "production" });
  const url = `http://127.0.0.1:${port}`;
  for (const endAt = Date.now() + START_TIMEOUT_MS; ; await sleep(POLL_MS)) {
    if (
      await fetch(url).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      return { url, pid, stop };
    if (Date.now() > endAt) {
      await stop();
      throw new Error(`${PACKAGE} did not start`);
    }
  }
}

/** What it is made for: a chat completion, handed to a host that speaks OpenAI's protocol. */
export function portkeyTarget(url: string, upstreamUrl: string, query: string): LoadTarget {
  return {
    url: `${url}/v1/chat/completions`,
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Authorization: "Bearer sk-stand-in",
      "x-portkey-provider": "openai",
      "x-portkey-custom-host": `${upstreamUrl}/v1`,
    },
    body: JSON.stringify({ model: "gpt-4o-mini", messages: [{ role: "user", content: query }] }),
  };
}

/** @throws Error when an answer is not the upstream's. */
export async function checkPortkey({ url, headers = {}, body = "" }: LoadTarget): Promise<void> {
  const answer = await fetch(url, { method: "POST", headers, body });
  const text = await answer.text();
  if (answer.status !== 200 || !text.includes(COUNTER)) throw new Error(`${PACKAGE} answers ${answer.status} ${text}`);
}
