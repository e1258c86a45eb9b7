import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../src/core/clock.ts";
import { systemRandom } from "../../src/core/ids.ts";
import { createAdmissionControl } from "../../src/http/admission/control.ts";
import { createLogger } from "../../src/observability/logger.ts";
import type { Consultation, Consulted, SharedState, Tier } from "../../src/storage/shared-state/shared-state.ts";
import { createUpstashSharedState } from "../../src/storage/shared-state/upstash.ts";

export interface Caller {
  readonly subject: string;
  readonly tiers: readonly Tier[];
}

/** What one process is to do; its only argument, as JSON. */
export interface Orders {
  readonly url: string;
  readonly token: string;
  readonly callers: readonly Caller[];
  readonly untilMs: number;
  readonly everyMs: number;
}

/** What became of one caller's requests in one process. Times are epoch milliseconds. */
export interface Diary {
  /** The ends of the windows, by tier, that the store told whenever it sold tokens. */
  readonly windows: number[][];
  /** Admitted from memory: when. */
  readonly fromMemory: number[];
  /** Admitted by the store: the ends of the windows in which it did so. */
  readonly fromStore: number[][];
  local: number;
  refused: number;
  /** Calls of the store. */
  trips: number;
}

/** Every so many requests one looks something up. */
const LOOK_UP_EVERY = 10;

/** Hammers the admission with all callers at once, as one isolate would see it, and prints what it admitted. */
async function hammer({ url, token, callers, untilMs, everyMs }: Orders): Promise<void> {
  const diaries = new Map<string, Diary>(callers.map(({ subject }) => [subject, createDiary()]));
  const ends = new WeakMap<Consulted, number[]>();
  const store = createUpstashSharedState({ url, token, fetch, clock: systemClock, random: systemRandom });
  const shared: SharedState = {
    ...store,
    consult: consultAndNote,
    giveBack(subject, ...rest) {
      diaryOf(subject).trips++;
      return store.giveBack(subject, ...rest);
    },
  };
  const open = new Set<Promise<unknown>>();
  const log = createLogger({
    level: "error",
    clock: systemClock,
    secrets: [token],
    write: (line) => console.error(line),
  });
  const control = createAdmissionControl({
    shared,
    clock: systemClock,
    log,
    metrics: { count() {}, observe() {}, gauge() {} },
    defer: (what, work) => void work.catch((error) => console.error(what, error)),
  });

  function diaryOf(subject: string | undefined): Diary {
    const diary = diaries.get(subject ?? "");
    if (diary === undefined) throw new Error(`nobody is called ${subject}`);
    return diary;
  }

  async function consultAndNote(consultation: Consultation): Promise<Consulted> {
    const diary = diaryOf(consultation.admit?.subject);
    diary.trips++;
    const consulted = await store.consult(consultation);
    const nowMs = Date.now();
    const windows = consulted.admission?.tiers.map(({ resetMs }) => nowMs + resetMs) ?? [];
    ends.set(consulted, windows);
    if (consulted.admission?.admitted) diary.windows.push(windows);
    return consulted;
  }

  async function request({ subject, tiers }: Caller, diary: Diary, looksUp: boolean): Promise<void> {
    const nowMs = Date.now();
    const decided = control.decide(subject, tiers);
    if (decided !== null) return noteMemory(diary, decided.admitted, nowMs);
    const { admitted, consulted } = await control.ask(subject, tiers, looksUp ? { also: ["key"] } : undefined);
    const windows = consulted === null ? undefined : ends.get(consulted);
    if (admitted.local) diary.local++;
    else if (windows === undefined) noteMemory(diary, admitted.admitted, Date.now());
    else if (admitted.admitted) diary.fromStore.push(windows);
    else diary.refused++;
  }

  for (let i = 0; Date.now() < untilMs; i++) {
    for (const caller of callers) {
      const work = request(caller, diaryOf(caller.subject), i % LOOK_UP_EVERY === 0).finally(() => open.delete(work));
      open.add(work);
    }
    await sleep(everyMs);
  }
  await Promise.all(open);
  process.stdout.write(JSON.stringify(Object.fromEntries(diaries)));
}

function createDiary(): Diary {
  return { windows: [], fromMemory: [], fromStore: [], local: 0, refused: 0, trips: 0 };
}

function noteMemory(diary: Diary, isAdmitted: boolean, nowMs: number): void {
  if (isAdmitted) diary.fromMemory.push(nowMs);
  else diary.refused++;
}

await hammer(JSON.parse(process.argv[2] ?? "null") as Orders);
