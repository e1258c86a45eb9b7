import * as z from "zod";
import { type Clock, isoTime } from "../core/clock.ts";
import type { IdSource } from "../core/ids.ts";
import type { JsonObject } from "../core/json.ts";
import { executionLogs } from "../storage/documents/collections.ts";
import type { Documents, StoredDocument } from "../storage/documents/documents.ts";
import { LOG_BEGIN } from "./log-cursor.ts";

/** A redeploy and a rollback are deployments: `data.operation` tells them apart. */
export const LOG_EVENT_TYPES = [
  "server_created",
  "server_updated",
  "deployment_start",
  "deployment_complete",
  "deployment_failed",
  "undeployment_start",
  "undeployment_complete",
  "undeployment_failed",
  "reconciled",
  "drift_detected",
  "webhook_accepted",
  "webhook_failed",
  "run_complete",
  "run_failed",
] as const;
export type LogEventType = (typeof LOG_EVENT_TYPES)[number];

export const logEventSchema = z
  .object({
    id: z.string(),
    serverId: z.string(),
    ownerId: z.string(),
    type: z.enum(LOG_EVENT_TYPES),
    timestamp: z.iso.datetime(),
    message: z.string(),
    /** Who caused it: a key's id, `admin`, `anonymous`, a job. */
    actor: z.string(),
    requestId: z.string(),
    data: z.record(z.string(), z.json()),
  })
  .meta({ id: "ExecutionLogEvent" });

export type LogEvent = z.output<typeof logEventSchema>;

export interface NewLogEvent {
  readonly serverId: string;
  readonly ownerId: string;
  readonly type: LogEventType;
  readonly message: string;
  readonly actor: string;
  readonly requestId: string;
  /** Facts for people and machines: ids, durations, a target, an error written for the caller. Never a secret. */
  readonly data?: JsonObject;
}

/** Append-only events about a server. */
export interface ExecutionLog {
  append(event: NewLogEvent): Promise<void>;
  /** Newest first; `before` is the id of the last event already seen. */
  list(serverId: string, ownerId: string, limit: number, before?: string): Promise<readonly LogEvent[]>;
  /** Oldest first, of those whose ids are greater than `after`. */
  listAfter(serverId: string, ownerId: string, limit: number, after: string): Promise<readonly LogEvent[]>;
}

export function createExecutionLog(deps: {
  readonly documents: Documents;
  readonly ids: IdSource;
  readonly clock: Clock;
}): ExecutionLog {
  const { documents, ids, clock } = deps;
  return {
    async append({ data = {}, ...event }) {
      const id = ids.next("log");
      await documents.insertOne(executionLogs(event.serverId), {
        _id: id,
        ...event,
        timestamp: isoTime(clock.now()),
        data,
      });
    },
    async list(serverId, ownerId, limit, before) {
      const found = await documents.find(executionLogs(serverId), {
        filter: { serverId, ownerId, _id: { $gt: LOG_BEGIN, ...(before === undefined ? {} : { $lt: before }) } },
        sort: { _id: -1 },
        limit,
      });
      return found.map(toEvent);
    },
    async listAfter(serverId, ownerId, limit, after) {
      const filter = { serverId, ownerId, _id: { $gt: after < LOG_BEGIN ? LOG_BEGIN : after } };
      return (await documents.find(executionLogs(serverId), { filter, sort: { _id: 1 }, limit })).map(toEvent);
    },
  };
}

function toEvent({ _id, ...event }: StoredDocument): LogEvent {
  return logEventSchema.parse({ id: _id, ...event });
}
