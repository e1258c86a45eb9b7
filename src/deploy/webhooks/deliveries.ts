import * as z from "zod";
import { type Clock, isoTime } from "../../core/clock.ts";
import { sha256, toHex } from "../../core/crypto.ts";
import type { IdSource } from "../../core/ids.ts";
import { withoutUndefined } from "../../core/json.ts";
import { webhookDeliveries } from "../../storage/documents/collections.ts";
import type { Document, Documents, Filter } from "../../storage/documents/documents.ts";
import { TARGET_NAMES } from "../contract.ts";
import { WEBHOOK_SOURCES, type WebhookSource } from "./contract.ts";
import { DEPLOY_ACTIONS, type DeployOrder } from "./events.ts";
import { DELIVERIES_KEPT_MS, LEASE_MS, RESUME_BATCH } from "./limits.ts";

/** The first hex digit of the id's SHA-256: senders do not wait for each other, and a job can walk them all. */
export const DELIVERY_SHARDS: readonly string[] = [..."0123456789abcdef"];

const outcomeSchema = z.object({
  /** What was asked for is so now, or was so before. */
  ok: z.boolean(),
  /** `OK`, `OVERTAKEN`, or the code of the error. */
  code: z.string(),
  detail: z.string(),
});
export type Outcome = z.output<typeof outcomeSchema>;

/**
 * `pending` until it is `done`. Whoever holds `claim` works on it; at `dueAt` anybody may take it over, because the
 * holder is gone or a pause is over.
 */
const storedDelivery = z.object({
  _id: z.string(),
  shard: z.string(),
  source: z.enum(WEBHOOK_SOURCES),
  deliveryId: z.string(),
  event: z.string(),
  action: z.enum(DEPLOY_ACTIONS),
  serverId: z.string(),
  ownerId: z.string(),
  target: z.enum(TARGET_NAMES).optional(),
  /** Of the request that brought it: endpoints are built on its origin whenever it is worked off. */
  origin: z.string(),
  requestId: z.string(),
  state: z.enum(["pending", "done"]),
  acceptedAt: z.iso.datetime(),
  /** Begun so far. */
  attempts: z.int().min(1),
  claim: z.string().nullable(),
  dueAt: z.iso.datetime(),
  outcome: outcomeSchema.nullable(),
  doneAt: z.iso.datetime().nullable(),
});
export type Delivery = z.output<typeof storedDelivery>;

/** What is known of a delivery when it arrives. */
export interface NewDelivery {
  readonly source: WebhookSource;
  readonly deliveryId: string;
  readonly order: DeployOrder;
  readonly origin: string;
  readonly requestId: string;
}

/** Webhooks in the documents store. Of any number of claims of one delivery at a time, one holds. */
export interface Deliveries {
  /** Stored and held by the caller when this resolves; null when its id was there before, whatever came with it. */
  accept(delivery: NewDelivery): Promise<Delivery | null>;
  /** Pending ones that nobody holds any more, of all shards, in the order of their arrival; a batch of each shard. */
  listDue(): Promise<readonly Delivery[]>;
  /** The delivery as held by the caller for one more attempt, or null when somebody else was faster. */
  claim(delivery: Delivery): Promise<Delivery | null>;
  /** A later delivery for the same server has done its work. */
  isOvertaken(delivery: Delivery): Promise<boolean>;
  /** False when the claim was lost meanwhile; then nothing is written. */
  finish(held: Delivery, outcome: Outcome): Promise<boolean>;
  postpone(held: Delivery, outcome: Outcome, dueAt: string): Promise<boolean>;
  /** Deletes what was done before then, but never what a sender may still repeat. Answers how many. */
  forget(beforeIso: string): Promise<number>;
}

export function createDeliveries(deps: {
  readonly documents: Documents;
  readonly ids: IdSource;
  readonly clock: Clock;
}): Deliveries {
  const { documents, ids, clock } = deps;
  const now = (plusMs = 0) => isoTime(clock.now() + plusMs);

  async function change(delivery: Delivery, condition: Filter, update: Document): Promise<boolean> {
    const { _id, shard } = delivery;
    const filter = { _id, shard, state: "pending", ...condition };
    const changed = await documents.updateOne(webhookDeliveries(shard), filter, update);
    return changed.ok && changed.value.modifiedCount === 1;
  }

  return {
    async accept({ source, deliveryId, order, origin, requestId }) {
      const id = `${source}:${deliveryId}`;
      const shard = await shardOf(id);
      const { event, action, serverId, ownerId, target } = order;
      const delivery: Delivery = {
        _id: id,
        shard,
        source,
        deliveryId,
        event,
        action,
        serverId,
        ownerId,
        ...(target === undefined ? {} : { target }),
        origin,
        requestId,
        state: "pending",
        acceptedAt: now(),
        attempts: 1,
        claim: ids.next("claim"),
        dueAt: now(LEASE_MS),
        outcome: null,
        doneAt: null,
      };
      const inserted = await documents.insertOne(webhookDeliveries(shard), withoutUndefined(delivery));
      return inserted.ok ? delivery : null;
    },

    async listDue() {
      const due: Delivery[] = [];
      for (const shard of DELIVERY_SHARDS) {
        const found = await documents.find(webhookDeliveries(shard), {
          filter: { shard, state: "pending", dueAt: { $lte: now() } },
          sort: { acceptedAt: 1, _id: 1 },
          limit: RESUME_BATCH,
        });
        due.push(...found.map(readDelivery).filter((delivery) => delivery !== null));
      }
      return due.sort((a, b) => (a.acceptedAt < b.acceptedAt ? -1 : a.acceptedAt > b.acceptedAt ? 1 : 0));
    },

    async claim(delivery) {
      const { claim, attempts } = delivery;
      const held: Delivery = { ...delivery, claim: ids.next("claim"), attempts: attempts + 1, dueAt: now(LEASE_MS) };
      const taken = await change(
        delivery,
        { claim, attempts, dueAt: { $lte: now() } },
        { $set: { claim: held.claim, attempts: held.attempts, dueAt: held.dueAt } },
      );
      return taken ? held : null;
    },

    async isOvertaken({ serverId, ownerId, acceptedAt }) {
      for (const shard of DELIVERY_SHARDS) {
        const filter = { shard, serverId, ownerId, "outcome.ok": true, acceptedAt: { $gt: acceptedAt } };
        if ((await documents.findOne(webhookDeliveries(shard), filter)) !== null) return true;
      }
      return false;
    },

    finish: (held, outcome) =>
      change(
        held,
        { claim: held.claim },
        { $set: { state: "done", claim: null, outcome: { ...outcome }, doneAt: now() } },
      ),

    postpone: (held, outcome, dueAt) =>
      change(held, { claim: held.claim }, { $set: { claim: null, outcome: { ...outcome }, dueAt } }),

    async forget(beforeIso) {
      const newest = now(-DELIVERIES_KEPT_MS);
      const before = beforeIso < newest ? beforeIso : newest;
      let forgotten = 0;
      for (const shard of DELIVERY_SHARDS) {
        const filter = { shard, state: "done", doneAt: { $lt: before } };
        forgotten += (await documents.deleteMany(webhookDeliveries(shard), filter)).deletedCount;
      }
      return forgotten;
    },
  };
}

/** Null where another version of this code wrote what this one does not know: it is left to that one. */
function readDelivery(stored: Document): Delivery | null {
  const parsed = storedDelivery.safeParse(stored);
  return parsed.success ? parsed.data : null;
}

async function shardOf(id: string): Promise<string> {
  return toHex(await sha256(id)).slice(0, 1);
}
