import { join } from "node:path";
import { ROOT } from "../../../scripts/build.ts";
import { findFreePort } from "../../../scripts/server.ts";
import { type ServerProcess, startServer } from "./processes.ts";

export interface Gateway extends ServerProcess {
  readonly url: string;
  readonly apiKey: string;
}

/** Starts `mongodb-local-data-api`, a Data API gateway, in front of a database. */
export async function startGateway(databaseUri: string): Promise<Gateway> {
  const port = await findFreePort("127.0.0.1");
  const apiKey = crypto.randomUUID();
  const url = new URL(databaseUri);
  url.searchParams.set("serverSelectionTimeoutMS", "1000");
  // Its command reads its own package.json from the folder it runs in.
  const cwd = join(ROOT, "node_modules/mongodb-local-data-api");
  const args = ["bin.js", `--apiPort=${port}`, `--url=${url.href}`, `--key=${apiKey}`, "--retryCount=1"];
  const server = await startServer(process.execPath, args, port, { cwd });
  return { ...server, apiKey, url: `http://127.0.0.1:${port}` };
}
