import { authorizeOwner, type Call } from "../core/actor.ts";
import type { Clock } from "../core/clock.ts";
import { type AppError, notFound, validationFailed } from "../core/errors.ts";
import type { RandomBytes } from "../core/ids.ts";
import type { Logger } from "../core/logger.ts";
import { err, ok, type Result } from "../core/result.ts";
import { toPage } from "../http/schemas.ts";
import type { Documents } from "../storage/documents/documents.ts";
import { isSecretName, type PutSecret, type SecretRecord } from "./contract.ts";
import { SECRET_NAMES_PER_QUERY } from "./limits.ts";
import { createSealedCache } from "./sealed-cache.ts";
import { createSecretStore } from "./store.ts";
import { createVault, type SealedSecret } from "./vault.ts";

/**
 * Values that an owner's graphs use as `{{secrets.NAME}}`: stored sealed, and never shown again. What is changed or
 * deleted holds in this isolate at once, in the others within SEALED_CACHE_MS.
 */
export interface SecretService {
  /** The owner is the key's, or for admin the one that `ownerId` or the body names; so for all of these. */
  put(
    call: Call,
    name: string,
    body: PutSecret,
    ownerId?: string,
  ): Promise<Result<{ readonly secret: SecretRecord; readonly created: boolean }>>;
  list(
    call: Call,
    query: { ownerId?: string | undefined; limit: number; cursor?: string | undefined },
  ): Promise<Result<{ items: readonly SecretRecord[]; nextCursor: string | null }>>;
  get(call: Call, name: string, ownerId?: string): Promise<Result<SecretRecord>>;
  remove(call: Call, name: string, ownerId?: string): Promise<Result<null>>;
  /**
   * The values of an owner's secrets by name, for a run: the caller has made sure that it acts for the owner, and keeps
   * them no longer than the run. Names that do not exist or do not open are left out; why is logged, by name.
   */
  readValues(ownerId: string, names: readonly string[]): Promise<ReadonlyMap<string, string>>;
}

export function createSecretService(deps: {
  readonly documents: Documents;
  /** Base64 of 32 bytes. Without one nothing can be stored or read; what is there can be listed and deleted. */
  readonly encryptionKey: string | undefined;
  readonly random: RandomBytes;
  readonly clock: Clock;
  readonly log: Logger;
  /** Secrets that one owner may have. */
  readonly quota: number;
}): SecretService {
  const { encryptionKey, clock, log, quota } = deps;
  const store = createSecretStore(deps);
  const vault = encryptionKey === undefined ? null : createVault(encryptionKey, deps.random);
  const cache = createSealedCache(clock);

  const warn = (name: string, reason: string) => log.warn("secret_unreadable", { name, reason });

  /** What is stored under the names, remembered or read; names without a row are missing. */
  async function sealedValues(ownerId: string, names: readonly string[]): Promise<Map<string, SealedSecret>> {
    const found = new Map<string, SealedSecret>();
    for (const name of names) {
      const known = cache.get({ ownerId, name });
      if (known !== undefined) found.set(name, known);
    }
    const unknown = names.filter((name) => !found.has(name));
    for (let i = 0; i < unknown.length; i += SECRET_NAMES_PER_QUERY) {
      const keep = cache.begin();
      const read = await store.readSealed(ownerId, unknown.slice(i, i + SECRET_NAMES_PER_QUERY));
      for (const [name, stored] of read) {
        if (stored === null) {
          warn(name, DAMAGED);
          continue;
        }
        keep({ ownerId, name }, stored);
        found.set(name, stored);
      }
    }
    return found;
  }

  return {
    async put(call, name, body, ownerId) {
      if (ownerId !== undefined && body.ownerId !== undefined && ownerId !== body.ownerId) {
        return validationFailed([{ path: "ownerId", message: "body and query name different owners" }]);
      }
      const owner = authorizeOwner(call.actor, "servers:write", body.ownerId ?? ownerId);
      if (!owner.ok) return owner;
      if (vault === null) return notConfigured();
      const key = { ownerId: owner.value, name };
      const sealed = await vault.seal(key, body.value);
      try {
        const outcome = await store.put(key, sealed);
        if (outcome.kind === "quota_reached") return quotaReached(quota);
        if (outcome.kind === "contended") return contended();
        return ok({ secret: outcome.record, created: outcome.kind === "created" });
      } finally {
        // Also where the store did not answer: it may have written all the same.
        cache.forget(key);
      }
    },

    async list(call, query) {
      const owner = authorizeOwner(call.actor, "servers:read", query.ownerId);
      if (!owner.ok) return owner;
      const records: SecretRecord[] = [];
      for await (const { name, record } of store.walk(owner.value, query.cursor)) {
        if (record === null) warn(name, DAMAGED);
        else records.push(record);
        if (records.length > query.limit) break;
      }
      return ok(toPage(records, query.limit, (record) => record.name));
    },

    async get(call, name, ownerId) {
      const owner = authorizeOwner(call.actor, "servers:read", ownerId);
      if (!owner.ok) return owner;
      const record = await store.find({ ownerId: owner.value, name });
      return record === null ? notFound("secret") : ok(record);
    },

    async remove(call, name, ownerId) {
      const owner = authorizeOwner(call.actor, "servers:write", ownerId);
      if (!owner.ok) return owner;
      const key = { ownerId: owner.value, name };
      try {
        return (await store.remove(key)) ? ok(null) : notFound("secret");
      } finally {
        cache.forget(key);
      }
    },

    async readValues(ownerId, names) {
      const wanted = [...new Set(names)].filter(isSecretName);
      const values = new Map<string, string>();
      if (vault === null) {
        for (const name of wanted) warn(name, "no ENCRYPTION_KEY is set");
        return values;
      }
      const stored = await sealedValues(ownerId, wanted);
      const opened = await Promise.all(
        Array.from(stored, async ([name, sealed]) => [name, await vault.open({ ownerId, name }, sealed)] as const),
      );
      for (const [name, outcome] of opened) {
        if (outcome.kind === "opened") values.set(name, outcome.value);
        else warn(name, outcome.kind === "other_key" ? OTHER_KEY : DAMAGED);
      }
      return values;
    },
  };
}

const DAMAGED = "is damaged, or was copied from another row";
const OTHER_KEY = "was stored under another ENCRYPTION_KEY";

function notConfigured(): Result<never, AppError> {
  const detail = "secrets are stored encrypted: set ENCRYPTION_KEY, for example to what openssl rand -base64 32 prints";
  return err({ code: "TARGET_NOT_CONFIGURED", detail });
}

function quotaReached(quota: number): Result<never, AppError> {
  const detail = `this owner has ${quota} secrets, and may have no more: delete one first`;
  return err({ code: "FORBIDDEN", detail });
}

function contended(): Result<never, AppError> {
  return err({ code: "VERSION_CONFLICT", detail: "too many changes of this owner's secrets at once: try again" });
}
