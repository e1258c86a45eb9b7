import { ownProperty } from "../../core/json.ts";
import { persist } from "./attempts.ts";
import type { Budget } from "./budget.ts";
import { FLAVOUR_KEPT_MS, LIST_MAX_BYTES, OPENAPI_MAX_DEPTH } from "./limits.ts";
import type { Platform } from "./platform-api.ts";

/** The two APIs: 1.4 shares a gateway by `initialGrants`, and has other addresses in its pages. */
export type Flavour = "1.3" | "1.4";

/** What an isolate has learnt of a platform. Plain data, shared by all its requests. */
export interface FlavourMemory {
  known: { readonly flavour: Flavour; readonly until: number } | null;
}

export function createFlavourMemory(): FlavourMemory {
  return { known: null };
}

/** Reads the platform's own description, or its version, at most every few minutes; 1.3 where it shows neither. */
export async function findFlavour(platform: Platform, memory: FlavourMemory, budget: Budget): Promise<Flavour> {
  if (memory.known !== null && platform.clock.now() < memory.known.until) return memory.known.flavour;
  const openapi = await readPublic(platform, "/openapi.json", budget);
  const newer =
    openapi === undefined ? isNewer(await readPublic(platform, "/health", budget)) : takesInitialGrants(openapi);
  if (newer === null) return memory.known?.flavour ?? "1.3";
  const flavour = newer ? "1.4" : "1.3";
  learnFlavour(platform, memory, flavour);
  return flavour;
}

async function readPublic(platform: Platform, path: string, budget: Budget): Promise<unknown> {
  const tried = await persist(
    platform,
    {
      method: "GET",
      url: `${platform.baseUrl}${path}`,
      headers: { Accept: "application/json" },
      maxBytes: LIST_MAX_BYTES,
      maxDepth: OPENAPI_MAX_DEPTH,
    },
    budget,
  );
  return tried.ok ? tried.answer.body : undefined;
}

/** Null where the platform does not say its version. */
function isNewer(health: unknown): boolean | null {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(String(ownProperty(health, "version"))) ?? [];
  if (major === undefined || minor === undefined) return null;
  return Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 4);
}

export function learnFlavour(platform: Platform, memory: FlavourMemory, flavour: Flavour): void {
  memory.known = { flavour, until: platform.clock.now() + FLAVOUR_KEPT_MS };
}

/** Whether `POST /api/agents` speaks of `initialGrants`, itself or in a schema that it refers to. */
function takesInitialGrants(openapi: unknown): boolean {
  const operation = ownProperty(ownProperty(ownProperty(openapi, "paths"), "/api/agents"), "post");
  const text = JSON.stringify(operation ?? null);
  if (text.includes('"initialGrants"')) return true;
  const schemas = ownProperty(ownProperty(openapi, "components"), "schemas");
  const names = [...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name ?? "");
  return names.some((name) => JSON.stringify(ownProperty(schemas, name) ?? null).includes('"initialGrants"'));
}
