import { spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { ROOT } from "../../scripts/build.ts";
import { signalGroup } from "../../scripts/launch.ts";
import { findFreePort } from "../../scripts/server.ts";
import { ECHO_API } from "../support/graphs.ts";
import { call, makeStateDir, OFFLINE } from "../support/launched.ts";

const HOST = "127.0.0.1";
const ADMIN_API_KEY = "admin_of_the_test_of_npm_start_0123456789";
const ENCRYPTION_KEY = Buffer.alloc(32, 7).toString("base64");

/** The command of the README. Only what would touch the reader's own files is set. */
async function npmStart(stateDir: string) {
  const port = String(await findFreePort(HOST));
  const own = { PORT: port, STATE_DIR: stateDir, ADMIN_API_KEY, ENCRYPTION_KEY, ...OFFLINE };
  const child = spawn("npm", ["start"], { cwd: ROOT, env: { ...process.env, ...own }, detached: true });
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  onTestFinished(() => signalGroup(child, "SIGKILL"));
  const lines: string[] = [];
  await new Promise<void>((resolve, reject) => {
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input }).on("line", (line) => {
        lines.push(line);
        if (line.includes("admin key")) resolve();
      });
    }
    void exited.then(() => reject(new Error(`npm start ended:\n${lines.join("\n")}`)));
  });
  return {
    url: `http://${HOST}:${port}`,
    output: () => lines.join("\n"),
    /** As Ctrl+C does: to all processes of the terminal. */
    async interrupt() {
      signalGroup(child, "SIGINT");
      await exited;
    },
  };
}

test("npm start builds the Worker where no build is, runs it until Ctrl+C, and takes that build the next time", async () => {
  const stateDir = await makeStateDir();
  await rm(join(ROOT, "dist/index.js"), { force: true });
  await rm(join(ROOT, "dist/worker-options.json"), { force: true });
  const said: boolean[] = [];
  for (const create of [true, false]) {
    const started = await npmStart(stateDir);
    said.push(started.output().includes("Building the Worker"));
    const server = { url: started.url, adminApiKey: ADMIN_API_KEY };
    if (create) {
      const body = { ...ECHO_API, serverId: "kept", ownerId: "user-123" };
      expect((await call(server, "POST", "/mcp/servers", body)).status).toBe(201);
    }
    expect((await call(server, "GET", "/mcp/servers/kept/status")).body).toMatchObject({ state: "draft" });
    expect((await fetch(`${started.url}/dashboard`)).status).toBe(200);
    await started.interrupt();
    await expect(fetch(started.url)).rejects.toThrow("fetch failed");
  }
  expect(said).toEqual([true, false]);
});
