import { type Clock, sleep } from "../../core/clock.ts";
import { err, ok, type Result } from "../../core/result.ts";

/**
 * Runs the work when its turn has come; `full` where too many wait already. Stops waiting, by throwing the signal's
 * reason, when the signal aborts.
 */
export type Gate = <T>(work: () => Promise<T>, signal?: AbortSignal) => Promise<Result<T, "full">>;

/** A place in the line. */
interface Ticket {
  /** Epoch milliseconds. Who is silent until then has lost its request. */
  lostAtMs: number;
}

/**
 * One at a time, in the order they came, and some turns of the event loop before each: work that computes without a
 * pause would else follow upon work, and nobody else's request be read. A request that the platform ends never leaves the
 * line by itself, and nothing of one request may wake another: so places run out, and who waits looks again on a timer
 * of its own.
 */
export function createGate(
  clock: Clock,
  options: {
    readonly maxWaiting: number;
    /** Turns before each work, and how far apart: what others do takes several. */
    readonly turns: number;
    readonly turnMs: number;
    /** How often those look who are not first. */
    readonly pollMs: number;
    readonly lostMs: number;
  },
): Gate {
  // The first has its turn, also while it works.
  const line = new Set<Ticket>();

  function dropLost(): void {
    const now = clock.now();
    for (const ticket of line) if (ticket.lostAtMs <= now) line.delete(ticket);
  }

  /** Whether it is first. One that was taken for lost, while nothing ran for long, gets a place again. */
  function look(ticket: Ticket): boolean {
    ticket.lostAtMs = clock.now() + options.lostMs;
    dropLost();
    line.add(ticket);
    return line.values().next().value === ticket;
  }

  /** Timers that were due together run in one turn. One that is set in it is not due before the next. */
  async function waitForTurn(ticket: Ticket, signal: AbortSignal | undefined): Promise<void> {
    for (let passed = -1; ; ) {
      passed = look(ticket) ? passed + 1 : -1;
      if (passed === options.turns) return;
      const ms = passed >= 0 ? options.turnMs : options.pollMs;
      await sleep(clock, ms);
      signal?.throwIfAborted();
    }
  }

  return async (work, signal) => {
    dropLost();
    if (line.size > options.maxWaiting) return err("full");
    const ticket: Ticket = { lostAtMs: 0 };
    try {
      await waitForTurn(ticket, signal);
      return ok(await work());
    } finally {
      line.delete(ticket);
    }
  };
}
