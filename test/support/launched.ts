import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type LaunchedServer, launch } from "../../scripts/launch.ts";

export const UNLIMITED = {
  RATE_LIMIT_BURST: "100000",
  RATE_LIMIT_PER_MINUTE: "100000",
  RATE_LIMIT_PER_HOUR: "100000",
};

/** No provider of the internet. */
export const OFFLINE = { SEARCH_KEYLESS: "off" };

/** A state folder that goes with the test. */
export async function makeStateDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "orchestrix-e2e-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** The product as `npm start` starts it, ended with the test at the latest. */
export async function start(
  stateDir: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<LaunchedServer> {
  const server = await launch({ stateDir, variables: { ...OFFLINE, ...variables } });
  onTestFinished(() => server.kill());
  return server;
}

/** A call with the admin key. */
export async function call(
  server: Pick<LaunchedServer, "url" | "adminApiKey">,
  method: string,
  path: string,
  body?: unknown,
) {
  const response = await fetch(new URL(path, server.url), {
    method,
    headers: { Authorization: `Bearer ${server.adminApiKey}`, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? null : (JSON.parse(text) as any) };
}

export interface TestLaunch {
  readonly server: LaunchedServer;
  stop(): Promise<void>;
}

/** The same for all tests of a file, which end it themselves. */
export async function launchForTests(variables: Readonly<Record<string, string>> = {}): Promise<TestLaunch> {
  const stateDir = await mkdtemp(join(tmpdir(), "orchestrix-e2e-"));
  const server = await launch({ stateDir, variables: { ...OFFLINE, ...UNLIMITED, ...variables } });
  return {
    server,
    async stop() {
      await server.kill();
      await rm(stateDir, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}
