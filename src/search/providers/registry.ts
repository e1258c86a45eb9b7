import type { Clock } from "../../core/clock.ts";
import { waitAtMost } from "../../core/deadline.ts";
import { toError } from "../../core/errors.ts";
import type { Defer, Logger } from "../../core/logger.ts";
import type { Sealing } from "../../core/sealing.ts";
import { builtInPriority } from "./chain.ts";
import { openCustom } from "./custom-record.ts";
import { INDEX_PROVIDER } from "./index.ts";
import type { SearchProvider } from "./provider.ts";
import {
  CUSTOM_PRIORITY,
  INDEX_PRIORITY,
  PROVIDERS_MAX_AGE_MS,
  PROVIDERS_REFRESH_MS,
  PROVIDERS_RETRY_MS,
  PROVIDERS_WAIT_MS,
} from "./provider-limits.ts";
import type { CustomRecord, ProviderRecord, ProviderRecords, ProviderSettings } from "./settings.ts";

/** Who is asked, in order. Disabled providers are not in it; those without a key are, to be skipped by name. */
export interface ProviderChain {
  readonly providers: readonly SearchProvider[];
  /**
   * What of the chain changes answers, and so belongs into the cache key: names of those that would be asked, in order;
   * for a registered one with a digest of its definition.
   */
  readonly policy: readonly string[];
}

export interface ProviderRegistry {
  /**
   * The chain as an operator has it; the same object until a setting changes. A change holds here within
   * PROVIDERS_MAX_AGE_MS: settings are read after an answer while questions keep coming, before it after a pause. While
   * the store does not answer, the last known ones hold, or the defaults.
   */
  chain(): Promise<ProviderChain>;
}

/** A provider as it stands in this isolate's copy of the settings. */
export interface RegisteredProvider {
  readonly provider: SearchProvider;
  readonly priority: number;
  readonly enabled: boolean;
  /** Null for a built-in one. */
  readonly custom: CustomRecord | null;
}

export interface ManagedProviders extends ProviderRegistry {
  /** Every provider by this isolate's copy, in the order in which they are asked. */
  entries(): readonly RegisteredProvider[];
  /** Reads the settings now, for this isolate. Throws `StorageUnavailable` where the store does not answer. */
  reload(): Promise<void>;
}

export interface ProviderRegistryOptions {
  readonly builtIns: readonly SearchProvider[];
  readonly settings: ProviderSettings;
  /** Null where there is no ENCRYPTION_KEY: registered providers with headers are then not configured. */
  readonly sealing: Sealing | null;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly defer: Defer;
}

/** This isolate's copy of the settings. */
interface Copy {
  readonly entries: readonly RegisteredProvider[];
  readonly chain: ProviderChain;
  /** Of the records that it was made of: equal ones make an equal copy. */
  readonly signature: string;
}

export function createProviderRegistry(options: ProviderRegistryOptions): ManagedProviders {
  const { builtIns, settings, clock, logger, defer } = options;
  const defaults = builtIns.map((provider) => builtInEntry(provider, undefined));
  let copy = arrange(defaults, signatureOf({ records: [], unreadable: [] }));
  let readAt = Number.NEGATIVE_INFINITY;
  let nextReadAt = Number.NEGATIVE_INFINITY;
  let waitEndsAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> = Promise.resolve();
  let failing = false;
  let begun = 0;
  let applied = 0;

  /** Reads overtake each other: what an earlier one saw never replaces what a later one has. */
  async function read(): Promise<void> {
    const turn = ++begun;
    const startedAt = clock.now();
    const stored = await settings.read();
    const { records, unreadable } = stored;
    const signature = signatureOf(stored);
    const next = signature === copy.signature ? copy : arrange(await assemble(records, options), signature);
    if (turn < applied) return;
    if (next !== copy && unreadable.length > 0) logger.error("search_provider_records_unreadable", { unreadable });
    applied = turn;
    copy = next;
    readAt = startedAt;
    nextReadAt = startedAt + PROVIDERS_REFRESH_MS;
    noteSuccess();
  }

  function noteSuccess(): void {
    if (failing) logger.info("search_provider_settings_read_again");
    failing = false;
  }

  function noteFailure(error: Error): void {
    if (!failing) logger.warn("search_provider_settings_unread", { error });
    failing = true;
  }

  function readInBackground(): void {
    const now = clock.now();
    // Also the time after which a read counts as lost, should its request end under it.
    nextReadAt = now + PROVIDERS_REFRESH_MS;
    waitEndsAt = now + PROVIDERS_WAIT_MS;
    reading = read().catch((error: unknown) => {
      noteFailure(toError(error));
      nextReadAt = clock.now() + PROVIDERS_RETRY_MS;
    });
    defer("search_provider_settings", reading);
  }

  return {
    async chain() {
      const now = clock.now();
      if (now >= nextReadAt) readInBackground();
      if (now < readAt + PROVIDERS_MAX_AGE_MS || failing) return copy.chain;
      const waited = await waitAtMost(clock, waitEndsAt - now, reading);
      if (waited === null) noteFailure(new Error(`no answer within ${PROVIDERS_WAIT_MS} ms`));
      return copy.chain;
    },
    entries: () => copy.entries,
    reload: read,
  };
}

function signatureOf({ records, unreadable }: ProviderRecords): string {
  return JSON.stringify([records, unreadable]);
}

async function assemble(
  records: readonly ProviderRecord[],
  { builtIns, sealing, clock }: ProviderRegistryOptions,
): Promise<readonly RegisteredProvider[]> {
  const fixed = builtIns.map((provider) => {
    const set = records.find(({ name, custom }) => name === provider.name && custom === null);
    return builtInEntry(provider, set);
  });
  const registered = records.flatMap(({ custom, ...record }) => {
    const isTaken = builtIns.some(({ name }) => name === record.name);
    return custom === null || isTaken ? [] : [customEntry({ ...record, custom }, { sealing, clock })];
  });
  return [...fixed, ...(await Promise.all(registered))];
}

function builtInEntry(provider: SearchProvider, set: ProviderRecord | undefined): RegisteredProvider {
  const fallback = builtInPriority(provider.name);
  const priority = provider.name === INDEX_PROVIDER ? INDEX_PRIORITY : (set?.priority ?? fallback);
  return { provider, priority, enabled: set?.enabled ?? true, custom: null };
}

/** What a record of a registered provider becomes. */
export async function customEntry(
  { name, priority, enabled, custom }: ProviderRecord & { readonly custom: CustomRecord },
  deps: Pick<ProviderRegistryOptions, "sealing" | "clock">,
): Promise<RegisteredProvider> {
  const provider = await openCustom(name, custom, deps);
  return { provider, custom, priority: priority ?? CUSTOM_PRIORITY, enabled: enabled ?? true };
}

/** In order of priority, then of name. */
function arrange(unordered: readonly RegisteredProvider[], signature: string): Copy {
  const entries = [...unordered].sort(
    (a, b) => a.priority - b.priority || (a.provider.name < b.provider.name ? -1 : 1),
  );
  const enabled = entries.filter((entry) => entry.enabled);
  const policy = enabled
    .filter(({ provider }) => provider.configured)
    .map(({ provider: { name, identity }, custom }) => (custom === null ? name : `${name}@${identity}`));
  return { entries, chain: { providers: enabled.map(({ provider }) => provider), policy }, signature };
}
