import type { Clock } from "../../core/clock.ts";
import { toError, validationFailed } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import { ok, type Result } from "../../core/result.ts";
import type { RunTrace } from "../contract.ts";
import {
  RUN_STREAM_HEARTBEAT_MS,
  RUN_STREAM_MAX_MS,
  RUN_STREAM_MAX_READS,
  RUN_STREAM_POLL_MS,
  RUN_STREAM_RECHECK_MS,
  RUN_STREAM_RETRY_MS,
} from "./limits.ts";
import { createRunFollower, type RunFollower, type SeenRun, stageOf } from "./run-follower.ts";
import type { RunHistory } from "./run-history.ts";
import { runIdAt, runIdTime } from "./run-ids.ts";

export interface RunStreamOptions {
  readonly history: Pick<RunHistory, "list" | "listAfter">;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whose runs: see `RunHistory`. */
  readonly keeper: string;
  /** The header as it came: an id of this stream, or the id of a run. Without it the newest runs come first. */
  readonly lastEventId: string | undefined;
  /** Ends the stream. */
  readonly signal?: AbortSignal | undefined;
  /** Whether the caller may still read; asked every RUN_STREAM_RECHECK_MS. */
  readonly mayContinue?: (() => Promise<boolean>) | undefined;
}

const HEADERS = {
  "Content-Type": "text/event-stream",
  "Cache-Control": "no-store",
  // Proxies that collect answers before they pass them on would hold events back.
  "X-Accel-Buffering": "no",
};

/**
 * An agent's runs as server-sent events named `run`, each with the whole trace: one that changes things when its first
 * such step begins, and every run when it has ended. The id is the run's, with `.running` or `.interrupted` behind it
 * where it has no end yet. Whoever comes back with the last id loses nothing, and may get runs of the last minute or so
 * again: a later event of a run takes the place of an earlier one.
 *
 * The store is read only when the client takes what was read before. The stream ends itself after RUN_STREAM_MAX_MS or
 * RUN_STREAM_MAX_READS, and when the store does not answer. The first read is made before the answer, so that a store that is down is a 503.
 */
export async function streamRuns(options: RunStreamOptions): Promise<Result<Response>> {
  const { lastEventId = "" } = options;
  const since = lastEventId === "" ? null : parseEventId(lastEventId);
  if (lastEventId !== "" && since === null) {
    return validationFailed([{ path: "Last-Event-ID", message: "the id of a run of this list" }]);
  }
  const follower = await createRunFollower({ ...options, since });
  const first = await follower.read();
  // Whoever begins where nothing ran yet and comes back has missed nothing either.
  const origin = since === null && first.runs.length === 0 ? `id: ${runIdAt(0)}\n\n` : "";
  const beginning = `retry: ${RUN_STREAM_RETRY_MS}\n\n${origin}${writeRuns(first.runs)}`;
  return ok(new Response(follow(options, follower, beginning, first.caughtUp), { headers: HEADERS }));
}

function follow(
  { clock, log, keeper, signal, mayContinue }: RunStreamOptions,
  follower: RunFollower,
  beginning: string,
  caughtUp: boolean,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const endsAt = clock.now() + RUN_STREAM_MAX_MS;
  let spokeAt = clock.now();
  let checkedAt = spokeAt;
  let readAgainAt = caughtUp ? spokeAt + RUN_STREAM_POLL_MS : spokeAt;
  let readsLeft = RUN_STREAM_MAX_READS;
  let stopped = false;
  let cancelled = false;
  let wake = () => {};

  function stop(): void {
    stopped = true;
    wake();
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancelTimer = clock.after(ms, resolve);
      wake = () => {
        cancelTimer();
        resolve();
      };
    });
  }

  async function isOver(): Promise<boolean> {
    if (stopped || readsLeft <= 0 || clock.now() >= endsAt) return true;
    if (mayContinue === undefined || clock.now() - checkedAt < RUN_STREAM_RECHECK_MS) return false;
    checkedAt = clock.now();
    return !(await mayContinue());
  }

  async function waitForTurn(): Promise<void> {
    const earlyBy = readAgainAt - clock.now();
    if (earlyBy > 0 && !stopped) await pause(earlyBy);
  }

  /** What is new; a comment where that was nothing for long. */
  async function readText(): Promise<string> {
    readsLeft--;
    const page = await follower.read();
    const now = clock.now();
    readAgainAt = page.caughtUp ? now + RUN_STREAM_POLL_MS : now;
    if (page.runs.length === 0 && now - spokeAt < RUN_STREAM_HEARTBEAT_MS) return "";
    spokeAt = now;
    return page.runs.length === 0 ? ": nothing new\n\n" : writeRuns(page.runs);
  }

  /** The next text to send; null where there is none, and the stream is over. */
  async function next(): Promise<string | null> {
    for (;;) {
      await waitForTurn();
      if (await isOver()) return null;
      const text = await readText();
      if (text !== "") return text;
    }
  }

  if (signal?.aborted) stopped = true;
  signal?.addEventListener("abort", stop, { once: true });

  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(beginning));
    },
    async pull(controller) {
      const text = await next().catch((error: unknown) => {
        log.warn("run_stream_broke", { keeper, error: toError(error) });
        return null;
      });
      if (text !== null && !stopped) {
        controller.enqueue(encoder.encode(text));
        return;
      }
      signal?.removeEventListener("abort", stop);
      if (!cancelled) controller.close();
    },
    cancel() {
      cancelled = true;
      stop();
    },
  });
}

const EVENT_ID = /^(run_[0-9a-z]{26})(?:\.(running|interrupted))?$/;

function parseEventId(text: string): SeenRun | null {
  const [, runId, stage = "ended"] = EVENT_ID.exec(text) ?? [];
  if (runId === undefined || runIdTime(runId) === null) return null;
  return { runId, stage: stage === "running" || stage === "interrupted" ? stage : "ended" };
}

function writeRuns(runs: readonly RunTrace[]): string {
  return runs
    .map((run) => {
      const stage = stageOf(run.outcome);
      const id = stage === "ended" ? run.runId : `${run.runId}.${stage}`;
      return `id: ${id}\nevent: run\ndata: ${JSON.stringify(run)}\n\n`;
    })
    .join("");
}
