import { authorizeAdmin, type Call } from "../../core/actor.ts";
import { type Clock, isoTime } from "../../core/clock.ts";
import { notFound, StorageUnavailable, validationFailed } from "../../core/errors.ts";
import type { Fetch } from "../../core/fetch.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { Sealing } from "../../core/sealing.ts";
import { type Breakers, breakerNameOf } from "../breakers/breakers.ts";
import { isBuiltIn } from "./chain.ts";
import { checkCustomProvider } from "./custom-check.ts";
import type { CustomDefinition } from "./custom-definition.ts";
import { sealCustom } from "./custom-record.ts";
import { INDEX_PROVIDER } from "./index.ts";
import type { ChangeProvider, ProviderView, RegisterProvider } from "./provider-contract.ts";
import { CUSTOM_PRIORITY, CUSTOM_PROVIDERS_MAX, INDEX_PRIORITY, PRIORITY_MAX } from "./provider-limits.ts";
import type { QuotaOf } from "./provider-quotas.ts";
import { customEntry, type ManagedProviders, type RegisteredProvider } from "./registry.ts";
import type { CustomRecord, ProviderChange, ProviderSettings } from "./settings.ts";

/** For admin. Changes hold in this isolate at once, in the others within PROVIDERS_MAX_AGE_MS. */
export interface ProviderService {
  /** While the store does not answer, what this isolate knows. */
  list(call: Call): Promise<Result<{ providers: readonly ProviderView[] }>>;
  update(call: Call, name: string, change: ChangeProvider): Promise<Result<ProviderView>>;
  /** Asks the provider once for real before it is taken on. Of several of one name at once, one is. */
  register(call: Call, body: RegisterProvider): Promise<Result<ProviderView>>;
  /** Only one that was registered. */
  remove(call: Call, name: string): Promise<Result<null>>;
}

export interface ProviderServiceOptions {
  readonly registry: ManagedProviders;
  readonly settings: ProviderSettings;
  readonly breakers: Breakers;
  readonly quotaOf: QuotaOf;
  readonly sealing: Sealing | null;
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** How long the test query of a registration may take. */
  readonly timeoutMs: number;
}

export function createProviderService(options: ProviderServiceOptions): ProviderService {
  const { registry, settings, breakers, quotaOf, sealing } = options;

  /** The newest copy that can be had. */
  async function refresh(): Promise<void> {
    try {
      await registry.reload();
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error;
    }
  }

  const find = (name: string) => registry.entries().find(({ provider }) => provider.name === name);

  async function view(entry: RegisteredProvider, { signal }: Call): Promise<ProviderView> {
    const { provider, priority, enabled, custom } = entry;
    const { name, configured, degraded } = provider;
    const { state, reason, openUntil } = breakers.stateOf(breakerNameOf(provider));
    return {
      name,
      priority,
      enabled,
      configured,
      degraded,
      custom: custom !== null,
      circuit: { state, reason, openUntil: openUntil === null ? null : isoTime(openUntil) },
      quota: await quotaOf(provider, signal?.()),
      definition: custom === null ? null : shown(custom),
    };
  }

  /** Whether the provider is there to be changed. */
  async function write(name: string, change: ProviderChange): Promise<boolean> {
    if (!isBuiltIn(name)) return settings.setCustom(name, change);
    await settings.setBuiltIn(name, change);
    return true;
  }

  return {
    async list(call) {
      const allowed = authorizeAdmin(call.actor);
      if (!allowed.ok) return allowed;
      await refresh();
      return ok({ providers: await Promise.all(registry.entries().map((entry) => view(entry, call))) });
    },

    async update(call, name, { resetCircuit, ...change }) {
      const allowed = authorizeAdmin(call.actor);
      if (!allowed.ok) return allowed;
      const fault = priorityFault(name, change.priority);
      if (fault !== null) return validationFailed([{ path: "priority", message: fault }]);
      const isWritten = change.priority !== undefined || change.enabled !== undefined;
      if (isWritten && !(await write(name, change))) return notFound("provider");
      // What was written is shown as it now stands; a circuit can be closed while the store is down.
      await (isWritten ? registry.reload() : refresh());
      const entry = find(name);
      if (entry === undefined) return notFound("provider");
      if (resetCircuit) breakers.reset(breakerNameOf(entry.provider));
      return ok(await view(entry, call));
    },

    async register(call, { name, priority = CUSTOM_PRIORITY, checkQuery: query, ...submitted }) {
      const allowed = authorizeAdmin(call.actor);
      if (!allowed.ok) return allowed;
      const { headers = {}, ...request } = submitted.request;
      if (isBuiltIn(name)) return validationFailed([{ path: "name", message: "is the name of a built-in provider" }]);
      if (sealing === null && Object.keys(headers).length > 0) {
        const message = "headers are stored encrypted, and no ENCRYPTION_KEY is set";
        return validationFailed([{ path: "request.headers", message }]);
      }
      await registry.reload();
      if (find(name) !== undefined) return taken(name);
      if (registry.entries().filter(({ custom }) => custom !== null).length >= CUSTOM_PROVIDERS_MAX) {
        return validationFailed([{ path: "", message: `at most ${CUSTOM_PROVIDERS_MAX} providers can be registered` }]);
      }
      const definition: CustomDefinition = { ...submitted, request };
      const check = { name, definition, headers, query, signal: call.signal?.() };
      const works = await checkCustomProvider(check, options);
      if (!works.ok) return works;
      const custom = await sealCustom(name, definition, headers, sealing);
      if (!(await settings.add({ name, priority, custom }))) return taken(name);
      const entry = await customEntry({ name, priority, custom }, options);
      // What the same one did before it was removed is forgotten.
      breakers.reset(breakerNameOf(entry.provider));
      await refresh();
      return ok(await view(entry, call));
    },

    async remove(call, name) {
      const allowed = authorizeAdmin(call.actor);
      if (!allowed.ok) return allowed;
      if (isBuiltIn(name)) {
        const message = `${name} is built in and cannot be removed: disable it instead`;
        return validationFailed([{ path: "name", message }]);
      }
      if (!(await settings.remove(name))) return notFound("provider");
      await refresh();
      return ok(null);
    },
  };
}

/** What speaks against the priority, or null. The index is asked when nobody else has answered, or not at all. */
function priorityFault(name: string, priority: number | undefined): string | null {
  if (priority === undefined) return null;
  if (name === INDEX_PROVIDER) return priority === INDEX_PRIORITY ? null : "the index is always asked last";
  return priority > PRIORITY_MAX ? `at most ${PRIORITY_MAX}: the index is always asked last` : null;
}

function taken(name: string): Result<never> {
  return err({ code: "DUPLICATE", detail: `a provider ${name} is registered already` });
}

function shown({ definition, headerNames }: CustomRecord): ProviderView["definition"] {
  const { request, ...rest } = definition;
  return { ...rest, request: { ...request, headers: [...headerNames] } };
}
