import { authorize, authorizeOwner, type Call, type Scope } from "../core/actor.ts";
import { type Clock, isoTime } from "../core/clock.ts";
import { type FieldError, validationFailed } from "../core/errors.ts";
import type { IdSource } from "../core/ids.ts";
import type { JsonObject } from "../core/json.ts";
import type { Defer } from "../core/logger.ts";
import { err, ok, type Result } from "../core/result.ts";
import { toPage } from "../http/schemas.ts";
import type { CreateServer, DeploymentState, ServerRecord } from "./contract.ts";
import type { ExecutionLog, LogEvent } from "./execution-log.ts";
import type { ServerStore } from "./store.ts";

interface PageQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

export interface ServerService {
  /** The owner is the key's, or for admin the one that `ownerId` or the body names. */
  create(call: Call, body: CreateServer, ownerId?: string): Promise<Result<ServerRecord>>;
  get(call: Call, serverId: string, ownerId?: string): Promise<Result<ServerRecord>>;
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

type Definition = Pick<CreateServer, "tools" | "executionOrder"> & { readonly inputSchema?: JsonObject | undefined };

/** What servers need to know of graphs; the runtime knows it. */
export interface Graphs {
  /** The definition's own schema, else what its `input` step describes. */
  resolveInputSchema(definition: Definition): JsonObject;
  /** Every fault at once; none when the graph can run. */
  check(definition: Definition & { readonly inputSchema: JsonObject }): readonly FieldError[];
}

export function createServerService(deps: {
  readonly store: ServerStore;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly defer: Defer;
  readonly executionLog: ExecutionLog;
  readonly graphs: Graphs;
}): ServerService {
  const { store, ids, clock, executionLog } = deps;

  async function getAs(call: Call, scope: Scope, serverId: string, ownerId?: string): Promise<Result<ServerRecord>> {
    const access = authorize(call.actor, scope, ownerId);
    if (!access.ok) return access;
    const loaded = await store.load(access.value, serverId);
    return loaded.ok ? ok(loaded.value.record) : loaded;
  }

  return {
    async create(call, body, ownerId = body.ownerId) {
      if (body.ownerId !== undefined && body.ownerId !== ownerId) {
        return validationFailed([{ path: "ownerId", message: "body and query name different owners" }]);
      }
      const owner = authorizeOwner(call.actor, "servers:write", ownerId);
      if (!owner.ok) return owner;
      const inputSchema = deps.graphs.resolveInputSchema(body);
      const faults = deps.graphs.check({ ...body, inputSchema });
      if (faults.length > 0) return validationFailed(faults);

      const serverId = body.serverId ?? ids.next("mcp");
      const duplicate = err({ code: "DUPLICATE", detail: `serverId ${serverId} is taken` });
      if (!(await store.takeId({ serverId, ownerId: owner.value }))) return duplicate;
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
        policy: {},
        version: 1,
        createdAt: now,
        updatedAt: now,
        deployment: { state: "draft", target: null, version: null, error: null },
        archestraAgentId: null,
        archestraEndpoint: null,
        archestraDashboardUrl: null,
        archestraDeployedAt: null,
      };
      if (!(await store.insert(record))) return duplicate;
      deps.defer(
        "log server_created",
        executionLog.append({
          serverId,
          ownerId: owner.value,
          type: "server_created",
          message: `Server "${record.name}" created`,
          actor: call.actor.id,
          requestId: call.requestId,
          data: { version: 1, tools: record.tools.length },
        }),
      );
      return ok(record);
    },

    get: (call, serverId, ownerId) => getAs(call, "servers:read", serverId, ownerId),

    async list(call, query) {
      const owner = authorizeOwner(call.actor, "servers:read", query.ownerId);
      if (!owner.ok) return owner;
      const read = await store.list(owner.value, { state: query.state, after: query.cursor, limit: query.limit + 1 });
      return ok(toPage(read, query.limit, (record) => record.serverId));
    },

    async logs(call, serverId, query) {
      const record = await getAs(call, "servers:read", serverId, query.ownerId);
      if (!record.ok) return record;
      const events = await executionLog.list(serverId, record.value.ownerId, query.limit + 1, query.cursor);
      return ok(toPage(events, query.limit, (event) => event.id));
    },
  };
}
