import {
  CREDENTIAL_MAX_CHARS,
  DIGEST_MEMO_MAX_ENTRIES,
  KEY_CACHE_MAX_ENTRIES,
  KEY_CACHE_MS,
  UNKNOWN_KEY_CACHE_MS,
} from "../config/limits.ts";
import {
  type Actor,
  authorize,
  authorizeAdmin,
  authorizeOwner,
  type Call,
  mayAccess,
  UNKNOWN_KEY,
} from "../core/actor.ts";
import { type Clock, isoTime } from "../core/clock.ts";
import { digestsEqual, sha256, toHex } from "../core/crypto.ts";
import { notFound, validationFailed } from "../core/errors.ts";
import type { IdSource, RandomBytes } from "../core/ids.ts";
import { withoutUndefined } from "../core/json.ts";
import { createRecent } from "../core/recent.ts";
import { err, ok, type Result } from "../core/result.ts";
import { toPage } from "../http/schemas.ts";
import { keys } from "../storage/documents/collections.ts";
import type { Document, Documents } from "../storage/documents/documents.ts";
import { type CreateKey, type KeyLimits, type KeyRecord, keyRecord } from "./contract.ts";
import { createKeyText, shardOfKey, shardOfKeyId, shardOfOwner } from "./key-text.ts";

export interface Identity {
  readonly actor: Actor;
  readonly limits: KeyLimits;
}

export interface KeyService {
  create(call: Call, body: CreateKey): Promise<Result<KeyRecord & { readonly key: string }>>;
  list(
    call: Call,
    query: { ownerId?: string | undefined; limit: number; cursor?: string | undefined },
  ): Promise<Result<{ items: readonly KeyRecord[]; nextCursor: string | null }>>;
  /** Revoking twice is no fault. This isolate forgets the key at once, the others when their copy has aged. */
  revoke(call: Call, id: string, ownerId?: string): Promise<Result<null>>;
  /** Who a credential belongs to. Unknown, expired and revoked ones are one and the same answer. */
  authenticate(credential: string): Promise<Result<Identity>>;
}

export function createKeyService(deps: {
  readonly documents: Documents;
  readonly ids: IdSource;
  readonly random: RandomBytes;
  readonly clock: Clock;
  readonly adminApiKey: string | undefined;
  /** Lets this isolate call itself; never leaves it. */
  readonly systemKey: string;
}): KeyService {
  const { documents, ids, random, clock } = deps;
  const cache = createIdentityCache(clock);
  const digests = createDigestMemo();
  const systemDigest = sha256(deps.systemKey);
  const adminDigest = deps.adminApiKey === undefined ? null : sha256(deps.adminApiKey);

  async function find(hash: string, shard: string): Promise<KeyRecord | null> {
    const cached = cache.get(hash);
    if (cached !== undefined) return cached;
    const readAt = clock.now();
    const stored = await documents.findOne(keys(shard), { _id: hash });
    const record = stored === null ? null : toRecord(stored);
    cache.set(hash, record, readAt);
    return record;
  }

  return {
    async create(call, body) {
      const allowed = authorizeAdmin(call.actor);
      if (!allowed.ok) return allowed;
      const expiresAt = body.expiresAt ?? null;
      if (expiresAt !== null && Date.parse(expiresAt) <= clock.now()) {
        return validationFailed([{ path: "expiresAt", message: "must lie in the future" }]);
      }
      const shard = await shardOfOwner(body.ownerId);
      const key = createKeyText(shard, random);
      const record: KeyRecord = {
        id: ids.next(`key_${shard}`),
        ownerId: body.ownerId,
        name: body.name,
        scopes: body.scopes,
        limits: body.limits ?? {},
        createdAt: isoTime(clock.now()),
        expiresAt,
        revokedAt: null,
      };
      await documents.insertOne(keys(shard), { _id: toHex(await sha256(key)), ...toDocument(record) });
      return ok({ ...record, key });
    },

    async list(call, query) {
      const owner = authorizeOwner(call.actor, "servers:read", query.ownerId);
      if (!owner.ok) return owner;
      const read = await documents.find(keys(await shardOfOwner(owner.value)), {
        filter: { ownerId: owner.value, ...(query.cursor === undefined ? {} : { id: { $gt: query.cursor } }) },
        sort: { id: 1 },
        limit: query.limit + 1,
      });
      return ok(toPage(read.map(toRecord), query.limit, (record) => record.id));
    },

    async revoke(call, id, ownerId) {
      const access = authorize(call.actor, "servers:write", ownerId);
      if (!access.ok) return access;
      const shard = shardOfKeyId(id);
      const stored = shard === null ? null : await documents.findOne(keys(shard), { id });
      if (shard === null || stored === null || !mayAccess(access.value, toRecord(stored).ownerId)) {
        return notFound("key");
      }
      await documents.updateOne(
        keys(shard),
        { _id: stored._id, revokedAt: null },
        { $set: { revokedAt: isoTime(clock.now()) } },
      );
      cache.forget(stored._id);
      return ok(null);
    },

    async authenticate(credential) {
      if (credential.length > CREDENTIAL_MAX_CHARS) return err(UNKNOWN_KEY);
      const { digest, hash } = digests.get(credential) ?? (await digests.make(credential));
      if (digestsEqual(digest, await systemDigest)) return ok(identity({ kind: "system", id: "system" }));
      if (adminDigest !== null && digestsEqual(digest, await adminDigest)) {
        return ok(identity({ kind: "admin", id: "admin" }));
      }
      const shard = shardOfKey(credential);
      const record = shard === null ? null : await find(hash, shard);
      if (record === null || record.revokedAt !== null) return err(UNKNOWN_KEY);
      if (record.expiresAt !== null && Date.parse(record.expiresAt) <= clock.now()) return err(UNKNOWN_KEY);
      return ok(identity(actorOf(record), record.limits));
    },
  };
}

function actorOf(record: KeyRecord): Actor {
  return record.scopes.includes("admin")
    ? { kind: "admin", id: record.id }
    : { kind: "key", id: record.id, ownerId: record.ownerId, scopes: new Set(record.scopes) };
}

function identity(actor: Actor, limits: KeyLimits = {}): Identity {
  return { actor, limits };
}

function toDocument(record: KeyRecord): Document {
  return { ...record, limits: withoutUndefined(record.limits) };
}

function toRecord({ _id, ...stored }: Document): KeyRecord {
  return keyRecord.parse(stored);
}

interface CredentialDigest {
  readonly digest: Uint8Array;
  readonly hash: string;
}

/** Digests of the credentials seen last: a busy caller's is made once. Decides nothing about them. */
function createDigestMemo() {
  const memo = createRecent<CredentialDigest>(DIGEST_MEMO_MAX_ENTRIES);
  return {
    get: memo.get,
    async make(credential: string): Promise<CredentialDigest> {
      const digest = await sha256(credential);
      const made = { digest, hash: toHex(digest) };
      memo.set(credential, made);
      return made;
    },
  };
}

/** What this isolate has lately read of keys, absence included. Bounded; the entry longest unread goes first. */
function createIdentityCache(clock: Clock) {
  const entries = new Map<string, { readonly record: KeyRecord | null; readonly until: number }>();
  return {
    get(hash: string): KeyRecord | null | undefined {
      const entry = entries.get(hash);
      if (entry === undefined) return undefined;
      entries.delete(hash);
      if (entry.until <= clock.now()) return undefined;
      entries.set(hash, entry);
      return entry.record;
    },
    /** `readAt`: before it was asked for, since what it says may be as old. */
    set(hash: string, record: KeyRecord | null, readAt: number): void {
      const lifetimeMs = record === null ? UNKNOWN_KEY_CACHE_MS : KEY_CACHE_MS;
      entries.set(hash, { record, until: readAt + lifetimeMs });
      if (entries.size <= KEY_CACHE_MAX_ENTRIES) return;
      const oldest = entries.keys().next();
      if (!oldest.done) entries.delete(oldest.value);
    },
    forget(hash: string): void {
      entries.delete(hash);
    },
  };
}
