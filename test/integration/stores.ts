import { inject } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { createIdSource, systemRandom } from "../../src/core/ids.ts";
import { createDataApiDocuments, type DataApiOptions } from "../../src/storage/documents/data-api.ts";
import type { Documents } from "../../src/storage/documents/documents.ts";
import type { ServerLacks } from "../contract/documents/harness.ts";
import { createRemoteDocuments } from "../support/mongodb/remote-documents.ts";

export function driverInWorkerd(): Documents {
  return createRemoteDocuments(`${inject("mongodb").workerUrl}/driver`);
}

export function dataApiInWorkerd(): Documents {
  return createRemoteDocuments(`${inject("mongodb").workerUrl}/data-api`);
}

export function dataApiInNode(options: Partial<DataApiOptions> = {}): Documents {
  const { gatewayUrl, gatewayKey, database } = inject("mongodb");
  return createDataApiDocuments({
    baseUrl: gatewayUrl,
    apiKey: gatewayKey,
    auth: "api-key",
    database,
    fetch: (url, init) => fetch(url, init),
    ids: createIdSource(systemClock, systemRandom),
    clock: systemClock,
    ...options,
  });
}

/** What the server in use cannot do. */
export function serverLacks(): ServerLacks {
  return inject("mongodb").isFerretDb1 ? { nestedLists: true, sameReplacement: true, quotedNames: true } : {};
}
