import * as z from "zod";
import type { Clock } from "../../core/clock.ts";
import { sha256, toHex } from "../../core/crypto.ts";
import { canonicalJson } from "../../core/json.ts";
import type { Sealing } from "../../core/sealing.ts";
import { createCustomProvider } from "./custom.ts";
import type { CustomDefinition, CustomHeaders } from "./custom-definition.ts";
import type { SearchProvider } from "./provider.ts";
import type { CustomRecord } from "./settings.ts";

/** Enough that two definitions of one name never share a digest. */
const DIGEST_CHARS = 16;

/** `sealing` is needed where there are headers. */
export async function sealCustom(
  name: string,
  definition: CustomDefinition,
  headers: CustomHeaders,
  sealing: Sealing | null,
): Promise<CustomRecord> {
  const text = canonicalJson(definition);
  const headerNames = Object.keys(headers);
  if (headerNames.length === 0) return { text, definition, headerNames, sealedHeaders: null };
  if (sealing === null) throw new TypeError("headers of a provider need a sealing");
  const sealedHeaders = await sealing.seal(JSON.stringify(headers), contextOf(name, text));
  return { text, definition, headerNames, sealedHeaders };
}

/** The provider of a record. One whose headers do not open is there and not configured. */
export async function openCustom(
  name: string,
  record: CustomRecord,
  { sealing, clock }: { readonly sealing: Sealing | null; readonly clock: Clock },
): Promise<SearchProvider> {
  const { text, definition, sealedHeaders } = record;
  const headers = sealedHeaders === null ? {} : await openHeaders(sealedHeaders, contextOf(name, text), sealing);
  const identity = toHex(await sha256(JSON.stringify([text, sealedHeaders]))).slice(0, DIGEST_CHARS);
  return createCustomProvider({ name, identity, definition, headers, clock });
}

const storedHeaders = z.record(z.string(), z.string());

async function openHeaders(sealed: string, context: string, sealing: Sealing | null): Promise<CustomHeaders | null> {
  const text = sealing === null ? null : await sealing.open(sealed, context);
  const parsed = text === null ? null : storedHeaders.safeParse(JSON.parse(text));
  return parsed?.success ? parsed.data : null;
}

/** The whole definition: with another address in it, the headers do not open. */
function contextOf(name: string, text: string): string {
  return `search-provider:${name}:${text}`;
}
