import type { Actor, Call, Scope } from "../../../src/core/actor.ts";
import { systemRandom } from "../../../src/core/ids.ts";
import { createLogger } from "../../../src/observability/logger.ts";
import { createSecretEndpoints } from "../../../src/secrets/routes.ts";
import { createSecretService, type SecretService } from "../../../src/secrets/service.ts";
import type { Documents } from "../../../src/storage/documents/documents.ts";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.ts";
import { createMemoryDocuments } from "../../support/memory-documents.ts";
import { createRoutesClient } from "../../support/routes-client.ts";

export const KEY = btoa("0123456789abcdef0123456789abcdef");
export const OTHER_KEY = btoa("fedcba9876543210fedcba9876543210");

export interface SecretScene {
  readonly service: SecretService;
  readonly clock: FakeClock;
  /** Every line logged so far, whatever its level. */
  readonly logs: string[];
  /** Stores as the owner would, and fails the test where that is refused. */
  store(ownerId: string, name: string, value: string): Promise<void>;
  read(ownerId: string, ...names: string[]): Promise<Record<string, string>>;
}

/** One isolate. Several over the same documents are several isolates. */
export function createScene(
  options: {
    readonly documents?: Documents;
    readonly encryptionKey?: string | null;
    readonly quota?: number;
    readonly clock?: FakeClock;
  } = {},
): SecretScene {
  const clock = options.clock ?? createFakeClock();
  const logs: string[] = [];
  const log = createLogger({ level: "debug", clock, secrets: [], write: (line) => logs.push(line) });
  const service = createSecretService({
    documents: options.documents ?? createMemoryDocuments(),
    encryptionKey: options.encryptionKey === null ? undefined : (options.encryptionKey ?? KEY),
    random: systemRandom,
    clock,
    log,
    quota: options.quota ?? 100,
  });
  return {
    service,
    clock,
    logs,
    async store(ownerId, name, value) {
      const put = await service.put(callOf(ownerId), name, { value });
      if (!put.ok) throw new Error(`not stored: ${put.error.detail}`);
    },
    async read(ownerId, ...names) {
      return Object.fromEntries(await service.readValues(ownerId, names));
    },
  };
}

export function keyOf(ownerId: string, scopes: readonly Scope[] = ["servers:read", "servers:write"]): Actor {
  return { kind: "key", id: `key of ${ownerId}`, ownerId, scopes: new Set(scopes) };
}

export function callOf(ownerId: string): Call {
  return { actor: keyOf(ownerId), requestId: "req-test", origin: "http://localhost" };
}

/** The routes over HTTP, for whoever `actor` is: that has been settled already. */
export function createSecretHttp(service: SecretService, actor: Actor) {
  const send = createRoutesClient(createSecretEndpoints(service), actor);
  return {
    get: (path: string) => send("GET", path),
    /** A text is sent as it is, anything else as JSON. */
    put: (path: string, body: unknown) => send("PUT", path, body),
    delete: (path: string) => send("DELETE", path),
  };
}

/** The same store, whose operations begin and answer in an order that the seed decides. */
export function shuffled(documents: Documents, seed: number): Documents {
  let state = seed;
  const turns = () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return (state >> 8) % 4;
  };
  const wrap =
    <Args extends unknown[], T>(method: (...args: Args) => Promise<T>) =>
    async (...args: Args): Promise<T> => {
      for (let left = turns(); left > 0; left--) await nextTurn();
      const answer = await method(...args);
      for (let left = turns(); left > 0; left--) await nextTurn();
      return answer;
    };
  return {
    insertOne: wrap(documents.insertOne),
    findOne: wrap(documents.findOne),
    find: wrap(documents.find),
    updateOne: wrap(documents.updateOne),
    updateMany: wrap(documents.updateMany),
    replaceOne: wrap(documents.replaceOne),
    deleteOne: wrap(documents.deleteOne),
    deleteMany: wrap(documents.deleteMany),
    uniqueFields: wrap(documents.uniqueFields),
    ping: documents.ping,
  };
}

/** A turn of the event loop: in it everything that waits runs on, sealing and opening too. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
