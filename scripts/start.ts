import { access, constants, mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { adaptersInUse } from "../src/config/adapters.ts";
import { CONFIG_VARIABLES, ConfigError, loadConfig } from "../src/config/config.ts";
import { buildWorker, ROOT } from "./build.ts";
import { ensureSecrets } from "./dev-vars.ts";
import { serveWorker } from "./server.ts";

const HELP = `Runs Orchestrix on this machine, on the same runtime as in production.

Usage: npm start [-- options]

Options
  --json         print what was started as one line of JSON
  --vars <file>  read variables from this file, and keep made secrets there (.dev.vars)
  --help         print this

Environment
  PORT       where to listen (8787)
  HOST       the address to listen on (127.0.0.1)
  STATE_DIR  where state is kept (.wrangler/state)
  …          every variable of .dev.vars.example; the environment wins over .dev.vars

A first start writes a random ADMIN_API_KEY and ENCRYPTION_KEY to .dev.vars.`;

const PORT_DEFAULT = 8787;

/** Unless the operator says that a proxy is: the address of a caller is then that of the connection. */
const NOTHING_IN_FRONT = { TRUST_CF_CONNECTING_IP: "off" };

async function main(): Promise<void> {
  const { values: flags } = parseArgs({
    options: { json: { type: "boolean" }, vars: { type: "string" }, help: { type: "boolean" } },
  });
  if (flags.help) {
    console.log(HELP);
    return;
  }
  const variables = workerVariables({
    ...NOTHING_IN_FRONT,
    ...(await ensureSecrets(flags.vars ?? join(ROOT, ".dev.vars"), process.env)),
    ...definedIn(process.env),
  });
  const config = loadConfig(variables);
  const host = process.env.HOST || "127.0.0.1";
  const port = readPort(process.env.PORT);
  const stateDir = await makeStateDir(process.env.STATE_DIR || ".wrangler/state");
  const sayBuilding = () => {
    if (!flags.json) console.log("Building the Worker …");
  };
  const server = await serveWorker({
    bundle: await buildWorker("src/index.ts", false, { onBuild: sayBuilding }),
    host,
    port,
    stateDir,
    variables,
    onLog: ({ message }) => console.log(message),
  });
  const started = {
    url: server.url,
    dashboard: `${server.url}/dashboard`,
    docs: `${server.url}/docs`,
    adminApiKey: config.ADMIN_API_KEY,
    stateDir,
    adapters: adaptersInUse(config),
  };
  console.log(flags.json ? JSON.stringify(started) : describe(started));
  await stopOnSignal(() => server.stop());
}

function describe(started: {
  readonly url: string;
  readonly dashboard: string;
  readonly docs: string;
  readonly adminApiKey: string | undefined;
  readonly stateDir: string;
  readonly adapters: Readonly<Record<string, string>>;
}): string {
  const rows = [
    ["address", started.url],
    ["dashboard", started.dashboard],
    ["API", started.docs],
    ["admin key", started.adminApiKey ?? "none: only the open routes answer"],
    ["state", started.stateDir],
    ...Object.entries(started.adapters),
  ];
  return `\nOrchestrix is running. Stop it with Ctrl+C.\n\n${rows.map(([name = "", value = ""]) => `  ${name.padEnd(13)} ${value}`).join("\n")}\n`;
}

/** Only the Worker's own variables, and only those that are set. */
function workerVariables(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    CONFIG_VARIABLES.map((name) => [name, env[name]] as const).filter(
      (entry): entry is [(typeof CONFIG_VARIABLES)[number], string] => Boolean(entry[1]),
    ),
  );
}

function definedIn(env: NodeJS.ProcessEnv): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value));
}

function readPort(text: string | undefined): number {
  if (!text) return PORT_DEFAULT;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new ConfigError("PORT: a whole number from 1 to 65535");
  return port;
}

async function makeStateDir(path: string): Promise<string> {
  const folder = resolve(ROOT, path);
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK | constants.X_OK);
    return folder;
  } catch {
    throw new ConfigError("STATE_DIR: a folder to write in; it is made where it is missing");
  }
}

function stopOnSignal(stop: () => Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const onSignal = () => void stop().finally(resolve);
    process.once("SIGINT", onSignal);
    process.once("SIGTERM", onSignal);
  });
}

try {
  await main();
  process.exit(0);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
