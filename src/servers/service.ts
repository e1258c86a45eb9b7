import { authorize, authorizeOwner, type Call, type Scope } from "../core/actor.ts";
import { type Clock, isoTime } from "../core/clock.ts";
import { type AppError, type FieldError, notFound, validationFailed } from "../core/errors.ts";
import type { IdSource } from "../core/ids.ts";
import { canonicalJson, type JsonObject } from "../core/json.ts";
import type { Defer } from "../core/logger.ts";
import { err, ok, type Result } from "../core/result.ts";
import { NO_CURSOR, toPage } from "../http/schemas.ts";
import type { Policy } from "../runtime/contract.ts";
import type {
  CreateServer,
  DeploymentState,
  PatchServer,
  ReplaceServer,
  ServerRecord,
  ServerVersion,
} from "./contract.ts";
import type { ExecutionLog, LogEvent, LogEventType } from "./execution-log.ts";
import { parseLogCursor } from "./log-cursor.ts";
import type { HeldPlace, Places } from "./places.ts";
import { definitionOf, type ServerKey, type ServerStore } from "./store.ts";

interface PageQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

export interface ServerService {
  /**
   * The owner is the key's, or for admin the one that `ownerId` or the body names. A repeated try of an operation answers
   * with the server that an earlier one made.
   */
  create(call: Call, body: CreateServer, ownerId?: string): Promise<Result<ServerRecord>>;
  get(call: Call, serverId: string, ownerId?: string): Promise<Result<ServerRecord>>;
  /** `VERSION_CONFLICT` unless the caller has read the current version. What is deployed stays as it is. */
  replace(call: Call, serverId: string, body: ReplaceServer, ownerId?: string): Promise<Result<ServerRecord>>;
  patch(call: Call, serverId: string, body: PatchServer, ownerId?: string): Promise<Result<ServerRecord>>;
  /** Newest first, the current one included. */
  versions(
    call: Call,
    serverId: string,
    query: PageQuery & { ownerId?: string | undefined },
  ): Promise<Result<Page<ServerVersion>>>;
  version(call: Call, serverId: string, version: number, ownerId?: string): Promise<Result<ServerVersion>>;
  list(
    call: Call,
    query: PageQuery & { ownerId?: string | undefined; state?: DeploymentState | undefined },
  ): Promise<Result<Page<ServerRecord>>>;
  /** Newest first. */
  logs(
    call: Call,
    serverId: string,
    query: PageQuery & { ownerId?: string | undefined },
  ): Promise<Result<Page<LogEvent>>>;
}

type Definition = Pick<CreateServer, "tools" | "executionOrder"> & {
  readonly policy: Policy;
  readonly inputSchema?: JsonObject | undefined;
};

/** What servers need to know of graphs; the runtime knows it. */
export interface Graphs {
  /** The definition's own schema, else what its `input` step describes. */
  resolveInputSchema(definition: Definition): JsonObject;
  /** Every fault at once, those of the policy included; none when the graph can run. */
  check(definition: Definition & { readonly inputSchema: JsonObject }): Promise<readonly FieldError[]>;
}

export function createServerService(deps: {
  readonly store: ServerStore;
  readonly places: Places;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly defer: Defer;
  readonly executionLog: ExecutionLog;
  readonly graphs: Graphs;
  /** The quota of each owner. */
  readonly maxServersOfOwner: number;
}): ServerService {
  const { store, places, ids, clock, executionLog } = deps;

  /** One owner out of body and query: both may name one, and then the same. */
  function claimedOwner(inBody: string | undefined, inQuery: string | undefined): Result<string | undefined> {
    return inBody !== undefined && inQuery !== undefined && inBody !== inQuery
      ? validationFailed([{ path: "ownerId", message: "body and query name different owners" }])
      : ok(inBody ?? inQuery);
  }

  async function update(
    call: Call,
    serverId: string,
    body: { readonly ownerId?: string | undefined; readonly version: number },
    ownerId: string | undefined,
    change: (current: ServerRecord) => ServerRecord,
  ): Promise<Result<ServerRecord>> {
    const claimed = claimedOwner(body.ownerId, ownerId);
    if (!claimed.ok) return claimed;
    const access = authorize(call.actor, "servers:write", claimed.value);
    if (!access.ok) return access;
    const loaded = await store.load(access.value, serverId);
    if (!loaded.ok) return loaded;
    const current = loaded.value.record;
    const conflict = err({
      code: "VERSION_CONFLICT",
      detail: `version ${body.version} of ${serverId} is not its current one; read it again`,
    } as const);
    if (current.version !== body.version) return conflict;
    const next = { ...change(current), version: body.version + 1, updatedAt: isoTime(clock.now()) };
    const faults = await deps.graphs.check(next);
    if (faults.length > 0) return validationFailed(faults);
    if (!(await store.replaceDefinition(loaded.value, next))) return conflict;
    deps.defer("log server_updated", logEvent(call, next, "server_updated", `Version ${next.version} written`));
    return ok(next);
  }

  /** False where the id is taken. What was taken for a record that is not written goes back, where that is known. */
  async function insert(record: ServerRecord, place: HeldPlace, operation?: string): Promise<boolean> {
    try {
      const isOwn = await store.takeId(record, place.name);
      places.assertHeld(place);
      if (isOwn && (await store.insert(record, place.name, operation))) return true;
      if (isOwn) await store.freeId(record, place.name);
    } catch (error) {
      // Where this fails too, the place is settled like one of a create that broke off.
      if (isRefusal(error)) await Promise.allSettled([store.freeId(record, place.name), places.free(place)]);
      throw error;
    }
    await places.free(place);
    return false;
  }

  /** The server that another try of the same operation has made, as it is now. */
  async function findOwn({ operation }: Call, { serverId, ownerId }: ServerKey): Promise<ServerRecord | null> {
    if (operation === undefined) return null;
    const loaded = await store.load({ kind: "owner", ownerId }, serverId);
    return loaded.ok && loaded.value.operation === operation.id ? loaded.value.record : null;
  }

  function logEvent(call: Call, record: ServerRecord, type: LogEventType, message: string): Promise<void> {
    const { serverId, ownerId, version, tools } = record;
    const data = { version, tools: tools.length };
    return executionLog.append({
      serverId,
      ownerId,
      type,
      message,
      actor: call.actor.id,
      requestId: call.requestId,
      data,
    });
  }

  async function getAs(call: Call, scope: Scope, serverId: string, ownerId?: string): Promise<Result<ServerRecord>> {
    const access = authorize(call.actor, scope, ownerId);
    if (!access.ok) return access;
    const loaded = await store.load(access.value, serverId);
    return loaded.ok ? ok(loaded.value.record) : loaded;
  }

  return {
    async create(call, body, ownerId) {
      const claimed = claimedOwner(body.ownerId, ownerId);
      if (!claimed.ok) return claimed;
      const owner = authorizeOwner(call.actor, "servers:write", claimed.value);
      if (!owner.ok) return owner;
      const inputSchema = deps.graphs.resolveInputSchema(body);
      const faults = await deps.graphs.check({ ...body, inputSchema });
      if (faults.length > 0) return validationFailed(faults);

      const serverId = body.serverId ?? nameServer(call, ids);
      // First: it has its place already.
      const own = call.operation?.isRepeated ? await findOwn(call, { serverId, ownerId: owner.value }) : null;
      if (own !== null) return ok(own);
      const place = await places.take({ ownerId: owner.value, serverId }, deps.maxServersOfOwner);
      if (place === null) return err(tooMany(deps.maxServersOfOwner));
      const now = isoTime(clock.now());
      const record: ServerRecord = {
        serverId,
        ownerId: owner.value,
        name: body.name,
        description: body.description,
        tools: body.tools,
        executionOrder: body.executionOrder,
        inputSchema,
        access: body.access,
        policy: body.policy,
        version: 1,
        createdAt: now,
        updatedAt: now,
        deployment: { state: "draft", target: null, version: null, error: null },
        archestraAgentId: null,
        archestraEndpoint: null,
        archestraDashboardUrl: null,
        archestraDeployedAt: null,
      };
      if (!(await insert(record, place, call.operation?.id))) {
        const late = await findOwn(call, record);
        return late === null ? err({ code: "DUPLICATE", detail: `serverId ${serverId} is taken` }) : ok(late);
      }
      deps.defer("keep place", places.keep(place));
      deps.defer("log server_created", logEvent(call, record, "server_created", `Server "${record.name}" created`));
      return ok(record);
    },

    get: (call, serverId, ownerId) => getAs(call, "servers:read", serverId, ownerId),

    replace(call, serverId, body, ownerId) {
      const { version: _, ownerId: __, ...definition } = body;
      const inputSchema = deps.graphs.resolveInputSchema(body);
      return update(call, serverId, body, ownerId, (current) => ({ ...current, ...definition, inputSchema }));
    },

    patch: (call, serverId, body, ownerId) =>
      update(call, serverId, body, ownerId, (current) => mergePatch(current, body, deps.graphs)),

    async versions(call, serverId, query) {
      const record = await getAs(call, "servers:read", serverId, query.ownerId);
      if (!record.ok) return record;
      const before = query.cursor === undefined ? undefined : Number(query.cursor);
      if (before !== undefined && !Number.isInteger(before)) return refuseCursor();
      const earlier = await store.listVersions(record.value, { before, limit: query.limit + 1 });
      const known = before === undefined ? [definitionOf(record.value), ...earlier] : earlier;
      // An update that stopped half-way has kept what is still current.
      const distinct = known.filter(({ version }, i) => i === 0 || version !== known[i - 1]?.version);
      return ok(toPage(distinct, query.limit, ({ version }) => String(version)));
    },

    async version(call, serverId, version, ownerId) {
      const record = await getAs(call, "servers:read", serverId, ownerId);
      if (!record.ok) return record;
      const found = await store.definitionAt(record.value, version);
      return found === null ? notFound(`version ${version}`) : ok(found);
    },

    async list(call, query) {
      const owner = authorizeOwner(call.actor, "servers:read", query.ownerId);
      if (!owner.ok) return owner;
      const read = await store.list(owner.value, { state: query.state, after: query.cursor, limit: query.limit + 1 });
      return ok(
        toPage(
          read.map(({ record }) => record),
          query.limit,
          (record) => record.serverId,
        ),
      );
    },

    async logs(call, serverId, query) {
      const record = await getAs(call, "servers:read", serverId, query.ownerId);
      if (!record.ok) return record;
      if (query.cursor !== undefined && parseLogCursor(query.cursor) === null) return refuseCursor();
      const events = await executionLog.list(serverId, record.value.ownerId, query.limit + 1, query.cursor);
      return ok(toPage(events, query.limit, (event) => event.id));
    },
  };
}

/** After the operation, so that a repeated try makes no second server. */
function nameServer({ operation }: Call, ids: IdSource): string {
  return operation === undefined ? ids.next("mcp") : operation.id.replace(/^op_/, "mcp_");
}

/** What the documents store throws of a document that it has not written; after any other error it may have. */
function isRefusal(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RangeError;
}

function refuseCursor(): Result<never> {
  return validationFailed([{ path: "cursor", message: NO_CURSOR }]);
}

function tooMany(max: number): AppError {
  return { code: "FORBIDDEN", detail: `this owner has ${max} servers, and may have no more: delete one first` };
}

/** RFC 7396 for the fields of a definition. An input schema that came from the `input` step goes on coming from it. */
function mergePatch(current: ServerRecord, patch: PatchServer, graphs: Graphs): ServerRecord {
  const { name, description, tools, executionOrder, access, policy, inputSchema } = patch;
  const next = {
    ...current,
    name: name ?? current.name,
    description: description === null ? "" : (description ?? current.description),
    tools: tools ?? current.tools,
    executionOrder: executionOrder ?? current.executionOrder,
    access: access === null ? "public" : (access ?? current.access),
    policy: policy === null ? {} : (policy ?? current.policy),
  };
  const derived = graphs.resolveInputSchema({ ...current, inputSchema: undefined });
  const wasDerived = canonicalJson(derived) === canonicalJson(current.inputSchema);
  const own = inputSchema === undefined && !wasDerived ? current.inputSchema : (inputSchema ?? undefined);
  return { ...next, inputSchema: graphs.resolveInputSchema({ ...next, inputSchema: own }) };
}
