import type { Clock } from "../../core/clock.ts";
import { toError, validationFailed } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import { ok, type Result } from "../../core/result.ts";
import { createEventStream } from "../../http/event-stream.ts";
import type { StreamPlace } from "../../http/stream-places.ts";
import type { RunTrace } from "../contract.ts";
import {
  RUN_STREAM_HEARTBEAT_MS,
  RUN_STREAM_MAX_MS,
  RUN_STREAM_MAX_READS,
  RUN_STREAM_POLL_MS,
  RUN_STREAM_RECHECK_MS,
  RUN_STREAM_RETRY_MS,
} from "./limits.ts";
import { createRunFollower, type FollowedRuns, type SeenRun, stageOf } from "./run-follower.ts";
import { runIdAt, runIdTime } from "./run-ids.ts";
import { createRunTexts, type RunText, type RunTexts } from "./run-texts.ts";

export interface RunStreamOptions {
  readonly history: FollowedRuns;
  /** Shared by the streams of an isolate. */
  readonly texts?: RunTexts | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whose runs: see `RunHistory`. */
  readonly keeper: string;
  /** The header as it came: an id of this stream, or the id of a run. Without it the newest runs come first. */
  readonly lastEventId: string | undefined;
  /** With how many of the newest runs it begins; RUN_STREAM_INITIAL_RUNS where it is left out. */
  readonly limit?: number | undefined;
  /** Only runs of this outcome are told. */
  readonly outcome?: RunTrace["outcome"] | undefined;
  /** Ends the stream. */
  readonly signal?: AbortSignal | undefined;
  /** Whether the caller may still read; asked every RUN_STREAM_RECHECK_MS. */
  readonly mayContinue?: (() => Promise<boolean>) | undefined;
  /** Held until the stream has ended. */
  readonly place?: StreamPlace | undefined;
}

const LIMITS = {
  pollMs: RUN_STREAM_POLL_MS,
  heartbeatMs: RUN_STREAM_HEARTBEAT_MS,
  recheckMs: RUN_STREAM_RECHECK_MS,
  maxMs: RUN_STREAM_MAX_MS,
  maxReads: RUN_STREAM_MAX_READS,
};

/**
 * An agent's runs as server-sent events named `run`, each with the whole trace: one that changes things when its first
 * such step begins, and every run when it has ended. The id is the run's, with `.running` or `.interrupted` behind it
 * where it has no end yet. Whoever comes back with the last id loses nothing, and may get runs of the last minute or so
 * again: a later event of a run takes the place of an earlier one.
 *
 * The stream ends itself after RUN_STREAM_MAX_MS or RUN_STREAM_MAX_READS, and when the store does not answer. The first
 * read is made before the answer, so that a store that is down is a 503.
 */
export async function streamRuns(options: RunStreamOptions): Promise<Result<Response>> {
  const { lastEventId = "" } = options;
  const since = lastEventId === "" ? null : parseEventId(lastEventId);
  if (lastEventId !== "" && since === null) {
    return validationFailed([{ path: "Last-Event-ID", message: "the id of a run of this list" }]);
  }
  const { clock, log, keeper, outcome, signal, mayContinue, place } = options;
  const beganAt = outcome === undefined ? 0 : clock.now();
  const follower = await createRunFollower({ ...options, texts: options.texts ?? createRunTexts(options), since });
  const first = await follower.read();
  // Whoever begins where nothing such ran yet and comes back has missed nothing either.
  const origin = since === null && first.runs.length === 0 ? `id: ${runIdAt(beganAt)}\n\n` : "";
  return ok(
    createEventStream({
      clock,
      limits: LIMITS,
      first: {
        text: `retry: ${RUN_STREAM_RETRY_MS}\n\n${origin}${writeRuns(first.runs)}`,
        caughtUp: first.caughtUp,
      },
      async read() {
        const { runs, caughtUp } = await follower.read();
        return { text: writeRuns(runs), caughtUp };
      },
      onBroken: (error) => log.warn("run_stream_broke", { keeper, error: toError(error) }),
      signal,
      mayContinue,
      place,
    }),
  );
}

const EVENT_ID = /^(run_[0-9a-z]{26})(?:\.(running|interrupted))?$/;

function parseEventId(text: string): SeenRun | null {
  const [, runId, stage = "ended"] = EVENT_ID.exec(text) ?? [];
  if (runId === undefined || runIdTime(runId) === null) return null;
  return { runId, stage: stage === "running" || stage === "interrupted" ? stage : "ended" };
}

function writeRuns(runs: readonly RunText[]): string {
  return runs
    .map(({ runId, outcome, json }) => {
      const stage = stageOf(outcome);
      const id = stage === "ended" ? runId : `${runId}.${stage}`;
      return `id: ${id}\nevent: run\ndata: ${json}\n\n`;
    })
    .join("");
}
