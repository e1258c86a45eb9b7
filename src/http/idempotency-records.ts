import * as z from "zod";
import type { Operation } from "../core/actor.ts";
import { type Clock, isoTime } from "../core/clock.ts";
import type { IdSource } from "../core/ids.ts";
import { idempotencyKeys } from "../storage/documents/collections.ts";
import type { Collection, Documents } from "../storage/documents/documents.ts";
import { IDEMPOTENCY_KEPT_MS, IDEMPOTENCY_LEASE_MS } from "./limits.ts";

const keptAnswer = z.object({
  status: z.int(),
  headers: z.record(z.string(), z.string()),
  /** Null where the answer had no body, or one that is not kept. */
  body: z.string().nullable(),
  /** False where the body was too large to keep. */
  complete: z.boolean(),
});

type KeyRecord = z.output<typeof keyRecord>;

/** An answer as it is given again. */
export type KeptAnswer = z.output<typeof keptAnswer>;

const keyRecord = z.object({
  fingerprint: z.string(),
  /** Who runs the request, or ran it: new with every attempt. */
  claim: z.string(),
  /** What is done: the same with every attempt. Missing where an older version of Orchestrix wrote the record. */
  operation: z.string().optional(),
  state: z.enum(["running", "done"]),
  leaseUntil: z.iso.datetime(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  answer: keptAnswer.nullable(),
});

export type Claimed =
  /** This request is the one that runs. */
  | { readonly kind: "won"; readonly claim: string; readonly takenOver: boolean; readonly operation: Operation }
  | { readonly kind: "running" }
  | { readonly kind: "mismatch" }
  | { readonly kind: "done"; readonly answer: KeptAnswer };

/** What is known of requests by their key's digest. Every change is one conditional write, so it holds over isolates. */
export interface IdempotencyRecords {
  /** Of any number of claims at once, one is won. */
  claim(id: string, fingerprint: string): Promise<Claimed>;
  /** False when another request has taken the claim over meanwhile; then nothing is kept. */
  keep(id: string, claim: string, answer: KeptAnswer): Promise<boolean>;
  /** Lets go of the claim: the next request with this key does the work, whatever it asks for. */
  release(id: string, claim: string): Promise<void>;
}

/** The end of a lease that was given back: the record stays, and says which operation the next request repeats. */
const RELEASED = isoTime(0);

/** Every shard, for what walks them. */
export const IDEMPOTENCY_SHARDS: readonly string[] = [..."0123456789abcdef"];

export function createIdempotencyRecords(deps: {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly ids: IdSource;
}): IdempotencyRecords {
  const { documents, clock, ids } = deps;

  return {
    async claim(id, fingerprint) {
      const now = clock.now();
      const claim = ids.next("claim");
      const begun = { id: ids.next("op"), isRepeated: false };
      const fresh = {
        fingerprint,
        claim,
        operation: begun.id,
        state: "running",
        leaseUntil: isoTime(now + IDEMPOTENCY_LEASE_MS),
        createdAt: isoTime(now),
        expiresAt: isoTime(now + IDEMPOTENCY_KEPT_MS),
        answer: null,
      } as const;
      const inserted = await documents.insertOne(collectionOf(id), { _id: id, ...fresh });
      if (inserted.ok) return { kind: "won", claim, takenOver: false, operation: begun };

      const found = await documents.findOne(collectionOf(id), { _id: id });
      // Removed between the two: whoever asks again finds the way free.
      if (found === null) return { kind: "running" };
      const held = keyRecord.parse(found);
      const free = isFree(held, now);
      if (!free) {
        const refused = refusalOf(held, fingerprint, now);
        if (refused !== null) return refused;
      }
      const operation = operationAfter(held, fingerprint, now) ?? begun;
      const was = { _id: id, claim: held.claim, state: held.state, leaseUntil: held.leaseUntil };
      const taken = await documents.updateOne(collectionOf(id), was, { $set: { ...fresh, operation: operation.id } });
      const won = taken.ok && taken.value.modifiedCount === 1;
      return won ? { kind: "won", claim, takenOver: !free, operation } : { kind: "running" };
    },

    async keep(id, claim, answer) {
      const update = { $set: { state: "done", answer: { ...answer, headers: { ...answer.headers } } } };
      const kept = await documents.updateOne(collectionOf(id), { _id: id, claim }, update);
      return kept.ok && kept.value.modifiedCount === 1;
    },

    async release(id, claim) {
      await documents.updateOne(collectionOf(id), { _id: id, claim }, { $set: { leaseUntil: RELEASED } });
    },
  };
}

function isFree({ leaseUntil, expiresAt }: KeyRecord, now: number): boolean {
  return leaseUntil === RELEASED || Date.parse(expiresAt) <= now;
}

/** Why a key that is not free cannot be had; null where whoever had it has died. */
function refusalOf(held: KeyRecord, fingerprint: string, now: number): Claimed | null {
  if (held.fingerprint !== fingerprint) return { kind: "mismatch" };
  if (held.answer !== null) return { kind: "done", answer: held.answer };
  return Date.parse(held.leaseUntil) > now ? { kind: "running" } : null;
}

/** Null where the request is not the one that the record is of. */
function operationAfter(held: KeyRecord, fingerprint: string, now: number): Operation | null {
  if (held.fingerprint !== fingerprint || Date.parse(held.expiresAt) <= now) return null;
  return held.operation === undefined ? null : { id: held.operation, isRepeated: true };
}

function collectionOf(id: string): Collection {
  return idempotencyKeys(id.slice(0, 1));
}
