import type { Json, JsonObject } from "../core/json.ts";
import type { Document } from "../storage/documents/documents.ts";
import { escapeFieldNames, unescapeFieldNames } from "../storage/documents/field-names.ts";
import { type ServerRecord, type ServerVersion, serverRecord, serverVersion } from "./contract.ts";

/** Parts of a record whose names may hold `$` or `.`, see `field-names.ts`. */
const FREE_FORM = ["tools", "inputSchema", "policy"] as const;

/** `place`: what the owner's places call it. `operation`: what made it, where a repeated try has to know its own. */
export function toStoredServer(record: ServerRecord, place: string, operation?: string): Document {
  return { _id: record.serverId, ...toStoredFields(record), place, ...(operation === undefined ? {} : { operation }) };
}

const PLACE_NAME = /^place_[0-9a-z]{26}$/;

/** What the owner's places call a record: never another one's name, also where this one was made without a place. */
export function nameOfPlace({ place, serverId }: Document): string {
  return typeof place === "string" && isPlaceName(place) ? place : `server_${String(serverId)}`;
}

/** What is stored of it beside what belongs to the record, which tells it from later ones of the same id. */
export function placeFields(name: string): { readonly place?: string } {
  return isPlaceName(name) ? { place: name } : {};
}

/** False for the name of a record that was made without a place. */
function isPlaceName(name: string): boolean {
  return PLACE_NAME.test(name);
}

/** A record or a part of it, as it is stored. */
export function toStoredFields(fields: object): Document {
  return Object.fromEntries(
    Object.entries(fields as JsonObject).map(([name, value]) => [
      name,
      isFreeForm(name) ? escapeFieldNames(value) : value,
    ]),
  );
}

function isFreeForm(name: string): boolean {
  return (FREE_FORM as readonly string[]).includes(name);
}

/**
 * Reads a stored record, also one that another program wrote with only the fields of the original design: what is
 * missing takes the value that such a record means. Throws for one that is no server at all.
 */
export function fromStoredServer(stored: Document): ServerRecord {
  const plain = fromStoredFields(stored);
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

export function fromStoredVersion(stored: Document): ServerVersion {
  return serverVersion.parse(fromStoredFields(stored));
}

function fromStoredFields(stored: Document): Record<string, Json> {
  const plain: Record<string, Json> = { ...stored };
  for (const name of FREE_FORM) plain[name] = unescapeFieldNames(plain[name] ?? (name === "tools" ? [] : {}));
  return plain;
}
