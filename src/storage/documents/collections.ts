import type { Collection } from "./documents.ts";

/** Every system collection, and how its documents are spread: one place, so that no two features share a name. */

/** `_id` is the serverId. By owner: a list is one read, and owners do not wait for each other. */
export const servers = (ownerId: string): Collection => system("servers", `owner:${ownerId}`);

/**
 * Definitions that a server had before its current one. `_id` is `<owner, URI-encoded>:<serverId>:<version, eight
 * digits>`; what older versions of Orchestrix wrote has no owner in it.
 */
export const serverVersions = (ownerId: string): Collection => system("server_versions", `owner:${ownerId}`);

/**
 * Which targets may hold an agent of an owner's servers; `_id` is `<owner, URI-encoded>:<serverId>:<target>`, without the
 * owner where an older version of Orchestrix wrote it. Outlives the records: what stands here and not there any more is
 * removed from its target.
 */
export const deployments = (ownerId: string): Collection => system("deployments", `owner:${ownerId}`);

/** Who owns a serverId: `_id` is the serverId. Makes ids unique over all owners, and finds a server by its id alone. */
export const serverOwners = (serverId: string): Collection => system("server_owners", `server:${serverId}`);

/** How many servers an owner has, and which are being made or removed; `_id` is the ownerId. Beside the records. */
export const serverPlaces = (ownerId: string): Collection => system("server_places", `owner:${ownerId}`);

/** Servers that were deleted of late; `_id` is `<owner, URI-encoded>:<serverId>`. What they left goes with the entry. */
export const removedServers = (ownerId: string): Collection => system("removed_servers", `owner:${ownerId}`);

/** Every owner that has ever made a server; `_id` is the ownerId. What scheduled jobs walk. */
export const owners = (): Collection => system("owners", "owners");

/** Append-only events of one server; `_id` sorts by time. Apart from the record: a busy log does not slow a status. */
export const executionLogs = (serverId: string): Collection => system("execution_logs", `logs:${serverId}`);

/** `_id` is the agentId. Spread, and yet many together: an isolate asks for news of all that it runs at once. */
export const agents = (agentId: string): Collection => system("agents", `agents:${agentShard(agentId)}`);

/** One of 32: ids end in a digit of base 32, and each of them is as frequent. */
export const agentShard = (agentId: string): string => agentId.slice(-1);

/** Which agent serves an owner's server. The insert decides which of several creates makes the agent. */
export const agentBindings = (serverId: string): Collection => system("agent_bindings", `server:${serverId}`);

/** Every agent, for scheduled jobs; `_id` is `<shard>:<agentId>`. `shard` is the last character of the agentId. */
export const agentIndex = (shard: string): Collection => system("agent_index", `agent_index:${shard}`);

/** Sums of runs, one for each agent. Apart from the runs and spread like agents: those of busy agents are at hand. */
export const runSums = (agentId: string): Collection => system("run_sums", `run_sums:${agentShard(agentId)}`);

/** Traces; `_id` is the runId and sorts by time. */
export const runs = (agentId: string): Collection => system("runs", `runs:${agentId}`);

/** API keys; `_id` is the SHA-256 of the key. `shard` is two hex digits made from the owner, and part of each key. */
export const keys = (shard: string): Collection => system("keys", `keys:${shard}`);

/** Webhooks that were taken on; `_id` is `<source>:<id>`. `shard` is a hex digit made from it, and part of each one. */
export const webhookDeliveries = (shard: string): Collection => system("webhook_deliveries", `webhooks:${shard}`);

/**
 * Answers by `Idempotency-Key`; `_id` is a SHA-256 in hex, `shard` its first digit: spread, yet few enough to walk.
 */
export const idempotencyKeys = (shard: string): Collection => system("idempotency_keys", `idempotency:${shard}`);

/** Where scheduled jobs note how far they came; `_id` is the job's name. */
export const jobStates = (): Collection => system("job_states", "jobs");

/** What an operator set for a search provider, and the providers that were registered; `_id` is the name. */
export const searchProviders = (): Collection => system("search_providers", "search_providers");

/** Sealed secrets; `_id` is `<owner, URI-encoded>:<name>`. Apart from servers: runs read these, and wait for nobody. */
export const secrets = (ownerId: string): Collection => system("secrets", `secrets:${ownerId}`);

/** What an owner's graphs store, by the name that their author gave. */
export const ownedData = (ownerId: string, name: string): Collection => ({ kind: "owned", name, ownerId });

/** An `_id` that begins with its owner: on a store without partitions no owner's stands in another's way. */
export function ownedId(ownerId: string, rest: string): string {
  return `${encodeURIComponent(ownerId)}:${rest}`;
}

function system(name: string, partition: string): Collection {
  return { kind: "system", name, partition };
}
