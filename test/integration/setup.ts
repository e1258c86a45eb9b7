import type { TestProject } from "vitest/node";
import { buildWorker } from "../../scripts/build.ts";
import { startAdapterWorker } from "../support/mongodb/adapter-worker.ts";
import { startTestDatabase } from "../support/mongodb/database.ts";
import { startGateway } from "../support/mongodb/gateway.ts";

declare module "vitest" {
  export interface ProvidedContext {
    readonly mongodb: {
      readonly server: string;
      readonly uri: string;
      readonly isFerretDb1: boolean;
      readonly database: string;
      readonly gatewayUrl: string;
      readonly gatewayKey: string;
      /** Of the adapters inside workerd. */
      readonly workerUrl: string;
      /** The bundle that serves them. */
      readonly bundle: string;
    };
  }
}

/** Starts a database, a gateway in front of it, and the adapters inside workerd: once for all integration tests. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stops: (() => Promise<void>)[] = [];
  const stopAll = async () => {
    for (const stop of stops.reverse()) await stop();
  };
  try {
    const [server, bundle] = await Promise.all([startTestDatabase(), buildWorker("test/integration/worker.ts")]);
    stops.push(() => server.stop());
    const gateway = await startGateway(server.uri);
    stops.push(() => gateway.stop());
    const database = `orchestrix_test_${crypto.randomUUID().slice(0, 8)}`;
    const worker = await startAdapterWorker(bundle, {
      MONGODB_URI: server.uri,
      MONGODB_DATABASE: database,
      DATA_API_URL: gateway.url,
      DATA_API_KEY: gateway.apiKey,
    });
    stops.push(() => worker.stop());
    project.provide("mongodb", {
      server: server.name,
      uri: server.uri,
      isFerretDb1: server.isFerretDb1,
      database,
      gatewayUrl: gateway.url,
      gatewayKey: gateway.apiKey,
      workerUrl: worker.url,
      bundle,
    });
    return stopAll;
  } catch (error) {
    await stopAll();
    throw error;
  }
}
