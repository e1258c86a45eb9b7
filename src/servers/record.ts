import type { Json, JsonObject } from "../core/json.ts";
import type { Document } from "../storage/documents/documents.ts";
import { escapeFieldNames, unescapeFieldNames } from "../storage/documents/field-names.ts";
import { type ServerRecord, serverRecord } from "./contract.ts";

/** Parts of a record whose names may hold `$` or `.`, see `field-names.ts`. */
const FREE_FORM = ["tools", "inputSchema", "policy"] as const;

export function toStoredServer(record: ServerRecord): Document {
  const stored: Record<string, Json> = { _id: record.serverId, ...(record as unknown as JsonObject) };
  for (const name of FREE_FORM) stored[name] = escapeFieldNames(stored[name] ?? null);
  return stored;
}

/**
 * Reads a stored record, also one that another program wrote with only the fields of the original design: what is
 * missing takes the value that such a record means. Throws for one that is no server at all.
 */
export function fromStoredServer(stored: Document): ServerRecord {
  const plain: Record<string, Json> = { ...stored };
  for (const name of FREE_FORM) plain[name] = unescapeFieldNames(plain[name] ?? (name === "tools" ? [] : {}));
  const agentId = plain.archestraAgentId ?? null;
  const createdAt = plain.createdAt ?? plain.archestraDeployedAt ?? new Date(0).toISOString();
  return serverRecord.parse({
    description: "",
    access: "public",
    version: 1,
    updatedAt: createdAt,
    archestraAgentId: null,
    archestraEndpoint: null,
    archestraDashboardUrl: null,
    archestraDeployedAt: null,
    deployment: { state: agentId === null ? "draft" : "deployed", target: null, version: null, error: null },
    ...plain,
    createdAt,
  });
}
