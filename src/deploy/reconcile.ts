import { type Clock, isoTime } from "../core/clock.ts";
import type { ServerStore } from "../servers/store.ts";

/** Owners and servers read at a time. */
const BATCH = 100;

export interface ReconcileReport {
  readonly owners: number;
  /** Servers whose deploy had stopped half-way; each can be deployed again now. */
  readonly released: readonly string[];
}

/**
 * Frees the servers that a crash left `deploying`: once its claim has expired nobody works on such a server any more.
 * Deploying it again finds the agent that the crashed deploy may have made, since a target keeps one per server.
 */
export async function reconcileDeployments(deps: {
  readonly store: ServerStore;
  readonly clock: Clock;
}): Promise<ReconcileReport> {
  const { store, clock } = deps;
  const released: string[] = [];
  let owners = 0;
  for await (const ownerId of pages(
    (after) => store.listOwners({ after, limit: BATCH }),
    (owner) => owner,
  )) {
    owners++;
    const deploying = pages(
      (after) => store.list(ownerId, { state: "deploying", after, limit: BATCH }),
      (record) => record.serverId,
    );
    for await (const { serverId } of deploying) {
      const loaded = await store.load({ kind: "owner", ownerId }, serverId);
      const claim = loaded.ok ? loaded.value.claim : null;
      if (claim === null || claim.expiresAt >= isoTime(clock.now())) continue;
      const message = "the deploy was interrupted; deploy again";
      if (await store.failDeploy({ serverId, ownerId }, claim.id, message)) released.push(serverId);
    }
  }
  return { owners, released };
}

async function* pages<T>(
  read: (after: string | undefined) => Promise<readonly T[]>,
  cursorOf: (item: T) => string,
): AsyncGenerator<T> {
  let after: string | undefined;
  for (;;) {
    const batch = await read(after);
    yield* batch;
    const last = batch.at(-1);
    if (last === undefined || batch.length < BATCH) return;
    after = cursorOf(last);
  }
}
