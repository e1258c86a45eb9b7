import { StorageUnavailable } from "../../../src/core/errors.ts";
import type { Logger } from "../../../src/core/logger.ts";
import type { Metrics } from "../../../src/core/metrics.ts";
import type { AdmissionControl, Admitted, Alongside } from "../../../src/http/admission/contract.ts";
import { createAdmissionControl } from "../../../src/http/admission/control.ts";
import { createLogger } from "../../../src/observability/logger.ts";
import type { Consultation, Consulted, SharedState, Tier } from "../../../src/storage/shared-state/shared-state.ts";
import { type Buckets, returnTokens, takeTokens } from "../../../src/storage/shared-state/token-buckets.ts";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.ts";

/** How one call goes: how long it travels, and where it is lost. */
export interface Journey {
  readonly thereMs: number;
  readonly backMs: number;
  readonly lost?: "there" | "back";
}

export interface Store {
  readonly buckets: Map<string, Buckets>;
  /** When a subject's windows began. */
  readonly firstAtMs: Map<string, number>;
  /** Of every consultation that arrived, by subject: how many tokens it asked for. */
  readonly asked: { readonly subject: string; readonly tokens: number; readonly admitted: boolean }[];
  readonly returned: { readonly subject: string; readonly tiers: readonly string[]; readonly tokens: number }[];
  /** Decides how the next call goes; at once, and not lost, unless set. */
  journey: () => Journey;
}

/** The consulted answer with the moment at which the store gave it. */
export interface TimedConsulted extends Consulted {
  readonly atMs: number;
}

export interface Isolate {
  readonly control: AdmissionControl;
  readonly counts: Map<string, number>;
  readonly logs: string[];
  /** Round trips that it made, of any kind. */
  readonly trips: () => number;
  /** Nothing that it still does reaches anybody. */
  crash(): void;
  /** As the guard does it: from memory where that can say, else by asking. */
  request(subject: string, tiers: readonly Tier[], alongside?: Alongside): Promise<Answered>;
}

export interface Answered {
  readonly admitted: Admitted;
  readonly fromMemory: boolean;
  readonly consulted: Consulted | null;
}

export function createStore(): Store {
  return {
    buckets: new Map(),
    firstAtMs: new Map(),
    asked: [],
    returned: [],
    journey: () => ({ thereMs: 0, backMs: 0 }),
  };
}

export function createScene(clock: FakeClock = createFakeClock()) {
  const store = createStore();
  return { clock, store, isolate: (options?: IsolateOptions) => createIsolate(clock, store, options) };
}

interface IsolateOptions {
  /** Stands between the admission and the store. */
  readonly wrap?: (shared: SharedState, log: Logger, metrics: Metrics) => SharedState;
}

function createIsolate(clock: FakeClock, store: Store, { wrap = (shared) => shared }: IsolateOptions = {}): Isolate {
  let isAlive = true;
  let trips = 0;
  const counts = new Map<string, number>();
  const logs: string[] = [];

  async function travel<T>(work: () => T): Promise<T> {
    trips++;
    const { thereMs, backMs, lost } = store.journey();
    await pause(clock, thereMs);
    if (!isAlive) return new Promise<T>(() => {});
    if (lost === "there") throw new StorageUnavailable("lost on the way");
    const value = work();
    await pause(clock, backMs);
    if (!isAlive) return new Promise<T>(() => {});
    if (lost === "back") throw new StorageUnavailable("lost on the way back");
    return value;
  }

  const log = createLogger({ level: "debug", clock, secrets: [], write: (line) => logs.push(line) });
  const metrics: Metrics = {
    count(name, labels = {}) {
      const key = `${name} ${Object.values(labels).join(" ")}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    observe() {},
    gauge() {},
  };
  // Nothing else of the shared state is used.
  const shared = {
    consult: (consultation: Consultation) => travel(() => consult(store, consultation, clock.now())),
    giveBack: (subject: string, tiers: readonly Tier[], tokens: number) =>
      travel(() => {
        store.returned.push({ subject, tiers: tiers.map(({ name }) => name), tokens });
        store.buckets.set(subject, returnTokens(store.buckets.get(subject) ?? {}, tiers, tokens, clock.now()));
      }),
  } as Partial<SharedState> as SharedState;
  const control = createAdmissionControl({
    shared: wrap(shared, log, metrics),
    clock,
    defer: (_, work) => {
      work.catch((error: unknown) => logs.push(`deferred work failed: ${error}`));
    },
    log,
    metrics,
  });
  return {
    control,
    counts,
    logs,
    trips: () => trips,
    crash() {
      isAlive = false;
    },
    async request(subject, tiers, alongside) {
      const decided = control.decide(subject, tiers);
      if (decided !== null) return { admitted: decided, fromMemory: true, consulted: null };
      const { admitted, consulted } = await control.ask(subject, tiers, alongside);
      // Refused there and admitted all the same: by a token that was bought before.
      return { admitted, consulted, fromMemory: consulted !== null && consulted.admission?.admitted !== true };
    },
  };
}

function consult(store: Store, { admit, lookup, also = [] }: Consultation, nowMs: number): TimedConsulted {
  let admission: Consulted["admission"] = null;
  if (admit !== undefined) {
    const { subject, tiers, tokens } = admit;
    const taken = takeTokens(store.buckets.get(subject) ?? {}, tiers, tokens, nowMs);
    if (taken.admission.admitted) {
      if (!store.firstAtMs.has(subject)) store.firstAtMs.set(subject, nowMs);
      store.buckets.set(subject, taken.buckets);
    }
    store.asked.push({ subject, tokens, admitted: taken.admission.admitted });
    admission = taken.admission;
  }
  return {
    admission,
    lookup: lookup === undefined ? null : { value: `stored under ${lookup.key}`, claim: "none" },
    also: also.map(() => null),
    atMs: nowMs,
  };
}

function pause(clock: FakeClock, ms: number): Promise<void> {
  return ms === 0 ? Promise.resolve() : new Promise((resolve) => void clock.after(ms, resolve));
}
