import { systemClock } from "../../src/core/clock.ts";
import { StorageUnavailable } from "../../src/core/errors.ts";
import { createIdSource, systemRandom } from "../../src/core/ids.ts";
import { createDataApiDocuments } from "../../src/storage/documents/data-api.ts";
import type { Documents } from "../../src/storage/documents/documents.ts";
import { createMongoDriverDocuments } from "../../src/storage/documents/mongo-driver.ts";
import { parseRemoteCall, type RemoteCall, type RemoteReply } from "../support/mongodb/remote-documents.ts";

export {
  DocumentsObject,
  MetricsObject,
  MongoDriverObject,
  PopularityObject,
  SearchIndexObject,
  SharedStateObject,
} from "../../src/index.ts";

interface TestEnv extends Env {
  readonly DATA_API_URL?: string;
  readonly DATA_API_KEY?: string;
  readonly MONGODB_DATABASE: string;
}

const ids = createIdSource(systemClock, systemRandom);
let dataApi: Documents | undefined;

/** Hands the adapters, inside workerd, to a test outside: `POST /driver` or `/data-api`. */
export default {
  async fetch(request, env) {
    const documents = new URL(request.url).pathname === "/driver" ? driverOf(env) : dataApiOf(env);
    return Response.json(await perform(documents, parseRemoteCall(await request.text())));
  },
} satisfies ExportedHandler<TestEnv>;

function driverOf(env: TestEnv): Documents {
  return createMongoDriverDocuments({ namespace: env.MONGODB, ids });
}

/** Kept over requests, as the product keeps it. */
function dataApiOf(env: TestEnv): Documents {
  dataApi ??= createDataApiDocuments({
    baseUrl: env.DATA_API_URL ?? "",
    apiKey: env.DATA_API_KEY,
    auth: "api-key",
    database: env.MONGODB_DATABASE,
    fetch: (url, init) => fetch(url, init),
    ids,
    clock: systemClock,
  });
  return dataApi;
}

async function perform(documents: Documents, { method, args }: RemoteCall): Promise<RemoteReply> {
  try {
    const call = documents[method] as (...args: readonly unknown[]) => Promise<unknown>;
    return { value: (await call(...args)) ?? null };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const name = error instanceof StorageUnavailable ? "StorageUnavailable" : error.name;
    return { error: { name, message: error.message } };
  }
}
