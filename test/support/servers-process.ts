import type { Clock } from "../../src/core/clock.ts";
import { createIdSource, systemRandom } from "../../src/core/ids.ts";
import { ok } from "../../src/core/result.ts";
import { createLedger } from "../../src/deploy/ledger.ts";
import { createServerRemoval } from "../../src/deploy/removal.ts";
import { createServerBody } from "../../src/servers/contract.ts";
import { createPlaces } from "../../src/servers/places.ts";
import { createRemovedServers } from "../../src/servers/removed-servers.ts";
import { createServerService } from "../../src/servers/service.ts";
import { createServerStore } from "../../src/servers/store.ts";
import { serverPlaces, servers } from "../../src/storage/documents/collections.ts";
import type { Documents } from "../../src/storage/documents/documents.ts";
import { ECHO_API } from "./graphs.ts";
import { callBy, keyOf } from "./runtime/runtime.ts";

/** One process that makes and deletes servers of an owner who may have `quota` of them. */
export function createServersProcess(deps: {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly quota: number;
  readonly ownerId: string;
}) {
  const { documents, clock, quota, ownerId } = deps;
  const ids = createIdSource(clock, systemRandom);
  const places = createPlaces({ documents, ids, clock });
  const store = createServerStore({ documents, places, clock });
  let pending: Promise<unknown>[] = [];
  const defer = (_what: string, work: Promise<unknown>) => void pending.push(work);
  const service = createServerService({
    store,
    places,
    ids,
    clock,
    defer,
    executionLog: { append: async () => {}, list: async () => [], listAfter: async () => [] },
    graphs: { resolveInputSchema: () => ({}), check: async () => [] },
    maxServersOfOwner: quota,
  });
  const removeServer = createServerRemoval({
    store,
    ledger: createLedger({ documents, clock }),
    deploys: { undeploy: async () => ok({}) as never },
    removed: createRemovedServers({ documents, clock, forget: async () => {} }),
    forget: async () => {},
    ids,
    defer,
  });
  const call = callBy(keyOf(ownerId, "servers:write", "servers:read"));
  return {
    places,
    create: (serverId?: string) =>
      service.create(call, createServerBody.parse({ ...ECHO_API, ...(serverId === undefined ? {} : { serverId }) })),
    remove: (serverId: string) => removeServer(call, serverId, { undeploy: false }),
    /** Waits for what goes on behind the answers. */
    async settle() {
      const batch = pending;
      pending = [];
      await Promise.allSettled(batch);
    },
  };
}

/** What is counted, what is there, and what is under way, as the store has it. */
export async function lookAtPlaces(documents: Documents, ownerId: string) {
  const stored = await documents.findOne(serverPlaces(ownerId), { _id: ownerId });
  const records = await documents.find(servers(ownerId), { filter: { ownerId }, limit: 1_000 });
  return {
    counted: stored?.places ?? null,
    records: records.length,
    underWay: Object.keys((stored?.underWay ?? {}) as object).length,
  };
}
