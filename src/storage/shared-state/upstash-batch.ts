import type { Pipeline } from "@upstash/redis/cloudflare";
import { StorageUnavailable } from "../../core/errors.ts";
import { misfit } from "./upstash-answers.ts";
import type { Patience, UpstashKit } from "./upstash-client.ts";

/** Commands of one call, sent together. An answer comes, or fails, when the batch has run. */
export interface Batch {
  command(write: (pipeline: Pipeline) => unknown): Promise<unknown>;
  script(source: string, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
  /** What @upstash/ratelimit wants of a client: its scripts join the batch. */
  readonly limiterClient: LimiterClient;
  /**
   * Sends what was added, in one request; scripts that the store does not know yet go again in full, all in a second.
   * Gives what `answers` resolves to.
   */
  run<T>(answers: Promise<T>): Promise<T>;
}

interface LimiterClient {
  evalsha<TData>(sha: string, keys: string[], args: readonly unknown[]): Promise<TData>;
  eval<TData>(source: string, keys: string[], args: readonly unknown[]): Promise<TData>;
}

interface Queued {
  write(pipeline: Pipeline): unknown;
  resolve(answer: unknown): void;
  reject(error: Error): void;
  /** Says how to go on where the store does not know the script: false where it should have. */
  retry(): boolean;
}

interface Answer {
  readonly error?: unknown;
  readonly result?: unknown;
}

const NOT_KNOWN = "NOSCRIPT";

export function createBatch(kit: UpstashKit, patience: Patience = "request"): Batch {
  let queue: Queued[] = [];
  let onQueued = () => {};

  function enqueue(write: Queued["write"], retry?: (settle: Pick<Queued, "resolve" | "reject">) => void) {
    const answer = new Promise<unknown>((resolve, reject) => {
      const settle = { resolve, reject };
      queue.push({
        write,
        ...settle,
        retry() {
          retry?.(settle);
          return retry !== undefined;
        },
      });
    });
    // Whoever waits for the whole batch is told once; this one must not be told as unhandled besides.
    answer.catch(() => {});
    onQueued();
    return answer;
  }

  /** How many scripts were not known, and are to be sent in full. */
  async function send(): Promise<number> {
    const sent = queue;
    queue = [];
    const pipeline = kit.redis[patience].pipeline();
    for (const { write } of sent) write(pipeline);
    let answers: readonly Answer[];
    try {
      answers = await pipeline.exec({ keepErrors: true });
    } catch (error) {
      const failure = error instanceof StorageUnavailable ? error : misfit();
      for (const { reject } of sent) reject(failure);
      throw failure;
    }
    return sent.filter((queued, i) => !settle(queued, answers[i] ?? {})).length;
  }

  /** The limiter asks again only after it was told, some turns later. */
  async function queueHolds(commands: number): Promise<void> {
    await new Promise<void>((resolve) => {
      onQueued = () => {
        if (queue.length >= commands) resolve();
      };
      onQueued();
    });
  }

  const inFull = (source: string, keys: readonly string[], args: readonly unknown[]) => (pipeline: Pipeline) =>
    pipeline.eval(source, [...keys], [...args]);

  return {
    command: (write) => enqueue(write),
    script: (source, keys, args) =>
      enqueue(
        (pipeline) => pipeline.evalsha(kit.hashOf(source), [...keys], [...args]),
        (settle) => enqueue(inFull(source, keys, args)).then(settle.resolve, settle.reject),
      ),
    limiterClient: {
      evalsha: (sha, keys, args) =>
        enqueue(
          (pipeline) => pipeline.evalsha(sha, keys, [...args]),
          (settle) => settle.reject(new Error(NOT_KNOWN)),
        ).then(readCounts) as Promise<never>,
      eval: (source, keys, args) => enqueue(inFull(source, keys, args)).then(readCounts) as Promise<never>,
    },
    async run(answers) {
      // Handled below; a failed request is told before what waited for it.
      answers.catch(() => {});
      if (queue.length === 0) return answers;
      const unknown = await send();
      if (unknown > 0) {
        await queueHolds(unknown);
        await send();
      }
      return answers;
    },
  };
}

/** False where the command is to be sent again, in full. */
function settle(queued: Queued, { error, result }: Answer): boolean {
  if (typeof error === "string" && error.includes(NOT_KNOWN) && queued.retry()) return false;
  if (error !== undefined && error !== null) queued.reject(refusal(error));
  else if (result === undefined) queued.reject(misfit());
  else queued.resolve(result);
  return true;
}

/** What the limiter takes apart without a look: what is left (-1: too few), a time, the limit. */
function readCounts(answer: unknown): readonly number[] {
  if (!Array.isArray(answer) || answer.length !== 3 || !answer.every(Number.isSafeInteger)) throw misfit();
  if (answer[0] < -1) throw misfit();
  return answer;
}

/** Only the error's first word: the rest may quote anything. */
function refusal(error: unknown): StorageUnavailable {
  const kind = typeof error === "string" ? /^[A-Z]{2,20}\b/.exec(error)?.[0] : undefined;
  return new StorageUnavailable(`the shared state refused a command (${kind ?? "unknown"})`);
}
