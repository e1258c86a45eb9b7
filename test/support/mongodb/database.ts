import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFreePort } from "../../../scripts/server.ts";
import { buildFerretDb, startFerretDb } from "./ferretdb.ts";
import { startServer } from "./processes.ts";

export interface TestDatabase {
  /** For the reader of a table. */
  readonly name: string;
  readonly uri: string;
  /** What the contract suite has to leave out on it. */
  readonly isFerretDb1: boolean;
  stop(): Promise<void>;
}

/** The server of `MONGODB_TEST_URI`, else a `mongod` of this machine, else FerretDB 1 on SQLite, built here. */
export async function startTestDatabase(): Promise<TestDatabase> {
  const given = process.env.MONGODB_TEST_URI;
  if (given !== undefined && given !== "") {
    const isFerretDb1 = process.env.MONGODB_TEST_SERVER === "ferretdb1";
    return { name: "MONGODB_TEST_URI", uri: given, isFerretDb1, stop: async () => {} };
  }
  if (spawnSync("mongod", ["--version"]).status === 0) return startMongod();
  const server = await startFerretDb(await buildFerretDb());
  return {
    name: "FerretDB 1.24.2",
    uri: server.uri,
    isFerretDb1: true,
    async stop() {
      await server.stop();
      await rm(server.dataDir, { recursive: true, force: true });
    },
  };
}

async function startMongod(): Promise<TestDatabase> {
  const port = await findFreePort("127.0.0.1");
  const dataDir = await mkdtemp(join(tmpdir(), "mongod-"));
  const server = await startServer(
    "mongod",
    ["--port", String(port), "--bind_ip", "127.0.0.1", "--dbpath", dataDir],
    port,
  );
  return {
    name: "mongod",
    uri: `mongodb://127.0.0.1:${port}/`,
    isFerretDb1: false,
    async stop() {
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
