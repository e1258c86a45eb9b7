import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFreePort, serveWorker } from "../../../scripts/server.ts";
import type { Documents } from "../../../src/storage/documents/documents.ts";
import { createRemoteDocuments } from "./remote-documents.ts";

export interface AdapterWorker {
  readonly url: string;
  readonly driver: Documents;
  readonly dataApi: Documents;
  stop(): Promise<void>;
}

/** Runs the bundle of `test/integration/worker.ts` on workerd. */
export async function startAdapterWorker(
  bundle: string,
  variables: Readonly<Record<string, string>>,
): Promise<AdapterWorker> {
  const stateDir = await mkdtemp(join(tmpdir(), "orchestrix-integration-"));
  const port = await findFreePort("127.0.0.1");
  const worker = await serveWorker({
    bundle,
    host: "127.0.0.1",
    port,
    stateDir,
    variables,
    expectsCode: false,
    onLog: () => {},
  });
  return {
    url: worker.url,
    driver: createRemoteDocuments(`${worker.url}/driver`),
    dataApi: createRemoteDocuments(`${worker.url}/data-api`),
    async stop() {
      await worker.stop();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}
