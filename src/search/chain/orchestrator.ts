import { runWithin } from "../../core/deadline.ts";
import { breakerNameOf, phaseOfProvider } from "../breakers/breakers.ts";
import type { Attempt, SearchRequest, SearchResult } from "../contract.ts";
import { LATER_PROVIDER_RESERVE_MS, MIN_ATTEMPT_MS } from "../limits.ts";
import type { SearchProvider } from "../providers/provider.ts";
import { type AskOptions, countTurn, createAsk, type Skip, skippedTurn, type Turn } from "./attempt.ts";
import { race } from "./hedge.ts";
import { attemptsOf, summarize } from "./orchestrator-outcome.ts";
import { backoffMs, leavesTimeForRetry, mayPass } from "./retry.ts";

export interface Question {
  readonly request: SearchRequest;
  /** Whose documents may answer; null for none's. */
  readonly ownerId: string | null;
  /** In the clock's time. */
  readonly deadlineAt: number;
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal | undefined;
  /** W3C's, as the caller sent it; null for none. */
  readonly traceparent: string | null;
}

/** What a provider found. `results` is empty where nobody found anything and `provider` was the first to say so. */
export interface Found {
  readonly provider: string;
  readonly degraded: boolean;
  readonly results: readonly SearchResult[];
  readonly answer: string | null;
}

/** `found` is null where every provider failed, or the caller has gone. */
export interface ChainOutcome {
  readonly found: Found | null;
  /** In the order in which they began. */
  readonly attempts: readonly Attempt[];
  /** Where nobody answered: how soon one of those that failed may do so; null where none failed. */
  readonly retryAfterMs: number | null;
}

export interface OrchestratorOptions extends AskOptions {
  /** After how long without an answer the next provider is asked as well; 0: never. */
  readonly hedgeMs: number;
}

export interface Orchestrator {
  /**
   * Asks one provider after the other until one has results. What can pass is tried once more where the deadline leaves
   * time for that and for those to come. Each attempt and each skip is in `attempts`.
   */
  run(providers: readonly SearchProvider[], question: Question): Promise<ChainOutcome>;
}

/** One question's way along the chain. */
interface Run {
  readonly providers: readonly SearchProvider[];
  readonly question: Question;
  /** In the order in which they began; undefined while they last. */
  readonly turns: (Turn | undefined)[];
  /** Place in the chain of the next provider. */
  next: number;
}

export function createOrchestrator(options: OrchestratorOptions): Orchestrator {
  const { clock, random, metrics, attemptTimeoutMs, hedgeMs, breakers } = options;
  const ask = createAsk(options);

  const phaseOf = (provider: SearchProvider) => phaseOfProvider(breakers, provider);
  const leftFor = ({ question }: Run) => question.deadlineAt - clock.now();
  const sliceFor = (run: Run) => sliceOf(leftFor(run), laterOf(run), attemptTimeoutMs);

  /** How many of those to come could be asked. */
  function laterOf({ providers, next }: Run): number {
    let later = 0;
    for (let place = next; place < providers.length; place++) {
      const provider = providers[place];
      if (provider?.configured && phaseOf(provider) !== "open") later++;
    }
    return later;
  }

  function skip(run: Run, provider: SearchProvider, reason: Skip): void {
    const turn = skippedTurn(provider, reason);
    run.turns.push(turn);
    countTurn(metrics, turn, reason);
  }

  async function attempt(run: Run, provider: SearchProvider, signal: AbortSignal | undefined): Promise<Turn> {
    const place = run.turns.push(undefined) - 1;
    const turn = await ask(provider, run.question, sliceFor(run), signal);
    run.turns[place] = turn;
    return turn;
  }

  /** An attempt, and a repeat where that may help; null unless results were found. Beside a rival nothing is repeated. */
  async function takeTurn(
    run: Run,
    provider: SearchProvider,
    signal: AbortSignal | undefined,
    alone: () => boolean,
  ): Promise<Found | null> {
    const first = await attempt(run, provider, signal);
    if (!mayPass(first.failure)) return resultsOf(first);
    const pauseMs = backoffMs(random);
    const inTime = leavesTimeForRetry(leftFor(run) - pauseMs, laterOf(run), attemptTimeoutMs);
    if (!inTime || !alone() || phaseOf(provider) === "open") return null;
    const pause = await runWithin(clock, pauseMs, signal, never);
    if (pause.kind === "cancelled" || phaseOf(provider) === "open") return null;
    return resultsOf(await attempt(run, provider, signal));
  }

  function takeHedgedTurn(run: Run, provider: SearchProvider): Promise<Found | null> {
    let alone = true;
    return race({
      clock,
      hedgeMs,
      parent: run.question.signal,
      first: (signal) => takeTurn(run, provider, signal, () => alone),
      startRival() {
        const rival = takeRival(run);
        alone = rival === null;
        return rival === null ? null : (signal) => takeTurn(run, rival, signal, () => false);
      },
    });
  }

  /** Who comes next in the chain, where it may be asked beside another without more ado; null where not. */
  function takeRival(run: Run): SearchProvider | null {
    const provider = run.providers[run.next];
    if (provider === undefined) return null;
    const phase = phaseOf(provider);
    if (!provider.configured || phase === "open") {
      run.next++;
      skip(run, provider, provider.configured ? "circuit_open" : "not_configured");
      return takeRival(run);
    }
    // A probe that is called off because the other won has proved nothing.
    if (phase === "half_open" || !mayHedge(provider) || sliceFor(run) < MIN_ATTEMPT_MS) return null;
    run.next++;
    return provider;
  }

  function obstacleTo(run: Run, provider: SearchProvider): Skip | null | Promise<Skip | null> {
    if (!provider.configured) return "not_configured";
    const lateOrNot = () => (sliceFor(run) < MIN_ATTEMPT_MS ? "deadline" : null);
    const late = lateOrNot();
    if (late !== null || provider.personal) return late;
    const may = breakers.mayAsk(breakerNameOf(provider));
    if (typeof may === "boolean") return may ? null : "circuit_open";
    return may.then((mayProbe) => (mayProbe ? lateOrNot() : "circuit_open"));
  }

  return {
    async run(providers, question) {
      const run: Run = { providers, question, turns: [], next: 0 };
      const { signal } = question;
      while (run.next < providers.length && !signal?.aborted) {
        const provider = providers[run.next++];
        if (provider === undefined) break;
        const obstacle = await obstacleTo(run, provider);
        if (obstacle !== null) {
          skip(run, provider, obstacle);
          continue;
        }
        const hedged = hedgeMs > 0 && mayHedge(provider);
        const found = await (hedged ? takeHedgedTurn(run, provider) : takeTurn(run, provider, signal, always));
        if (found !== null) return { found, attempts: attemptsOf(run.turns), retryAfterMs: null };
      }
      return summarize(run.turns, breakers, clock.now(), signal?.aborted === true);
    },
  };
}

/**
 * How long an attempt may take: the attempt's own limit, cut so that each of the `later` providers still has its
 * chance; where little is left, an equal share.
 */
export function sliceOf(remainingMs: number, later: number, attemptTimeoutMs: number): number {
  const reserveMs = Math.min(LATER_PROVIDER_RESERVE_MS, remainingMs / (later + 1));
  return Math.min(attemptTimeoutMs, remainingMs - reserveMs * later);
}

function resultsOf({ found }: Turn): Found | null {
  return found !== null && found.results.length > 0 ? found : null;
}

/** A makeshift is not worth more load: it would be the answer only because it was quicker. */
function mayHedge({ degraded, personal }: SearchProvider): boolean {
  return !degraded && !personal;
}

const always = () => true;

const never = () => new Promise<never>(() => {});
