import {
  SANDBOX_GROW_AFTER_MS,
  SANDBOX_IDLE_MS,
  SANDBOX_LOOK_EVERY_MS,
  SANDBOX_MAX_PROCESSES,
  SANDBOX_SETTLE_MS,
  SANDBOX_SPARE_PROCESSES,
  SANDBOX_STALL_MS,
} from "../src/runtime/sandbox/limits.ts";
import type { ProcessAnswer, SandboxProcess } from "./sandbox-process.ts";

export type PoolAnswer =
  | ({ readonly kind: "answer" } & ProcessAnswer)
  /** Alone in a process it held it or ended it, and in another one, where nothing had run before, again. */
  | { readonly kind: "guilty"; readonly how: "stuck" | "gone" }
  | { readonly kind: "abandoned" }
  | { readonly kind: "unavailable" };

export interface SandboxPool {
  /** Starts the processes that are kept; resolves with the first. */
  warm(): Promise<void>;
  /** `owner` is whose call it is: nobody's calls take the last free process from others. */
  run(owner: string, body: string, abandoned: AbortSignal): Promise<PoolAnswer>;
  stop(): Promise<void>;
}

interface Slot {
  readonly process: SandboxProcess;
  /** Calls that it was ever given. */
  uses: number;
  /** Null while it is free. */
  owner: string | null;
  /** Ends a process that is not needed. */
  idleTimer: ReturnType<typeof setTimeout> | null;
}

interface Call {
  readonly owner: string;
  readonly body: string;
  readonly abandoned: AbortSignal;
  /** It was in a process that was lost. */
  needsFresh: boolean;
  readonly settle: (answer: PoolAnswer) => void;
}

/**
 * Processes for the code of graphs, one call in each at a time: code that never ends, or takes all memory, costs its own
 * call. A call whose process is lost is made again where nothing has run before, since the reason may have been a machine
 * that stood still, or what an earlier call left there. Code changes nothing outside, so that a repeat is safe.
 */
export function createSandboxPool(deps: { readonly start: () => Promise<SandboxProcess> }): SandboxPool {
  const slots = new Set<Slot>();
  const starting = new Set<Promise<void>>();
  const leaving = new Set<Promise<void>>();
  let waiting: readonly Call[] = [];
  let isStopped = false;
  let isGrowing = false;

  const free = () => [...slots].filter(({ owner }) => owner === null);
  const heldBy = (owner: string) => [...slots].filter((slot) => slot.owner === owner).length;

  function remove(slot: Slot): void {
    if (slot.idleTimer !== null) clearTimeout(slot.idleTimer);
    slots.delete(slot);
    const gone = slot.process.kill().finally(() => leaving.delete(gone));
    leaving.add(gone);
  }

  function setFree(slot: Slot): void {
    slot.owner = null;
    slot.idleTimer = setTimeout(() => {
      if (slots.size > SANDBOX_SPARE_PROCESSES) remove(slot);
    }, SANDBOX_IDLE_MS);
    slot.idleTimer.unref();
  }

  function startOne(): void {
    const started: Promise<void> = deps.start().then(
      (process) => {
        const slot: Slot = { process, uses: 0, owner: null, idleTimer: null };
        slots.add(slot);
        starting.delete(started);
        if (isStopped) return remove(slot);
        setFree(slot);
        dispatch();
      },
      // The next call tries again: a start that fails at once would else be tried without end.
      () => {
        starting.delete(started);
        giveUp(({ needsFresh }) => needsFresh || slots.size === 0);
      },
    );
    starting.add(started);
  }

  function giveUp(isLost: (call: Call) => boolean): void {
    const lost = waiting.filter(isLost);
    waiting = waiting.filter((call) => !lost.includes(call));
    for (const { settle } of lost) settle({ kind: "unavailable" });
  }

  /** A free process for the call, or null where it has to wait. */
  function choose(call: Call): Slot | null {
    const all = free();
    if (heldBy(call.owner) > 0 && all.length < 2) return null;
    return all.find(({ uses }) => uses === 0 || !call.needsFresh) ?? null;
  }

  function dispatch(): void {
    if (isStopped) return;
    // Those who hold nothing come first; of equals the one that came first.
    const turns = [...waiting].sort((a, b) => Math.min(heldBy(a.owner), 1) - Math.min(heldBy(b.owner), 1));
    for (const call of turns) {
      const slot = choose(call);
      if (slot === null) continue;
      waiting = waiting.filter((other) => other !== call);
      if (slot.idleTimer !== null) clearTimeout(slot.idleTimer);
      slot.owner = call.owner;
      slot.uses++;
      void runIn(slot, call);
    }
    fill();
    if (waiting.length === 0 || isGrowing) return;
    isGrowing = true;
    setTimeout(grow, SANDBOX_GROW_AFTER_MS).unref();
  }

  /** Calls are short: only where they wait for a while is another process worth its start. */
  function grow(): void {
    isGrowing = waiting.length > 0 && !isStopped;
    if (!isGrowing) return;
    if (starting.size === 0 && slots.size < SANDBOX_MAX_PROCESSES) startOne();
    setTimeout(grow, SANDBOX_GROW_AFTER_MS).unref();
  }

  /** Starts what is missing: one that is free, and one where nothing has run for a call that needs it. */
  function fill(): void {
    const isFreshMissing = waiting.some(({ needsFresh }) => needsFresh) && free().every(({ uses }) => uses > 0);
    const isMissing = isFreshMissing || free().length === 0 || slots.size < SANDBOX_SPARE_PROCESSES;
    if (!isMissing || starting.size > 0) return;
    const [used] = free();
    if (slots.size >= SANDBOX_MAX_PROCESSES && isFreshMissing && used !== undefined) remove(used);
    if (slots.size < SANDBOX_MAX_PROCESSES) startOne();
  }

  async function runIn(slot: Slot, call: Call): Promise<void> {
    const end = await callProcess(slot.process, call);
    if (end.kind === "answer" || end.kind === "abandoned") {
      call.settle(end);
      const isWell = (await slot.process.look(SANDBOX_SETTLE_MS)) === "well";
      if (isWell && slots.has(slot)) setFree(slot);
      else if (slots.has(slot)) remove(slot);
      return dispatch();
    }
    if (slots.has(slot)) remove(slot);
    if (isStopped) call.settle({ kind: "unavailable" });
    else if (call.needsFresh) call.settle({ kind: "guilty", how: end.kind });
    else {
      call.needsFresh = true;
      waiting = [call, ...waiting];
    }
    dispatch();
  }

  return {
    async warm() {
      startOne();
      await Promise.all(starting);
      fill();
    },
    run(owner, body, abandoned) {
      return new Promise((resolve) => {
        if (isStopped) return resolve({ kind: "unavailable" });
        if (abandoned.aborted) return resolve({ kind: "abandoned" });
        const leave = () => {
          if (!waiting.includes(call)) return;
          waiting = waiting.filter((other) => other !== call);
          call.settle({ kind: "abandoned" });
        };
        const settle = (answer: PoolAnswer) => {
          abandoned.removeEventListener("abort", leave);
          resolve(answer);
        };
        const call: Call = { owner, body, abandoned, needsFresh: false, settle };
        abandoned.addEventListener("abort", leave, { once: true });
        waiting = [...waiting, call];
        dispatch();
      });
    },
    async stop() {
      isStopped = true;
      giveUp(() => true);
      for (const slot of slots) remove(slot);
      await Promise.all(starting);
      await Promise.all(leaving);
    },
  };
}

type CallEnd = Extract<PoolAnswer, { kind: "answer" | "abandoned" }> | { readonly kind: "stuck" | "gone" };

async function callProcess(process: SandboxProcess, { body, abandoned }: Call): Promise<CallEnd> {
  const over = new AbortController();
  const isOver = over.signal;
  const sent = process.send(body, AbortSignal.any([abandoned, isOver])).then(
    (answer): CallEnd => ({ kind: "answer", ...answer }),
    (): CallEnd => ({ kind: abandoned.aborted ? "abandoned" : "gone" }),
  );
  const left = new Promise<CallEnd>((resolve) => {
    abandoned.addEventListener("abort", () => resolve({ kind: "abandoned" }), { once: true, signal: isOver });
  });
  try {
    return await Promise.race([sent, left, watch(process, isOver)]);
  } finally {
    over.abort();
  }
}

/** Resolves when the process answers nothing any more, and never where it is well or gone. */
async function watch(process: SandboxProcess, isOver: AbortSignal): Promise<CallEnd> {
  for (let seen = await process.look(SANDBOX_STALL_MS); ; seen = await process.look(SANDBOX_STALL_MS)) {
    if (seen === "stuck") return { kind: "stuck" };
    if (seen === "gone" || isOver.aborted) return new Promise(() => {});
    await new Promise((resolve) => setTimeout(resolve, SANDBOX_LOOK_EVERY_MS));
    if (isOver.aborted) return new Promise(() => {});
  }
}
