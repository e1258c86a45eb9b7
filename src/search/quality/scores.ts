import { SCORE_BASE, SCORE_OVERLAP, SCORE_RANK, SCORE_RANK_DECAY } from "./quality-limits.ts";
import { comparedText, matchedWeight, type Shown } from "./relevance-match.ts";
import { type QueryTerms, readTerms } from "./relevance-terms.ts";

/** Their scores are likenesses from 0 to 1. What others give, if anything, is a sum without bounds. */
const CALIBRATED: ReadonlySet<string> = new Set(["tavily", "tavily-keyless"]);
/** Where the query holds no word to look for, as an emoji does. */
const UNKNOWN_OVERLAP = 0.5;
const SCORE_STEPS = 10_000;

export interface Scorable extends Shown {
  /** The provider's own, null for none. */
  readonly score: number | null;
}

/**
 * Scores from 0 to 1 for a provider's results, in its order and never rising along it. A calibrated provider's are
 * kept. Any other result gets
 *
 *     0.25 + 0.5 × overlap + 0.2 / (1 + 0.1 × rank)
 *
 * with `overlap` the weighted share of the query's terms (0 to 1) in its title, address and content's beginning, and
 * rank 0 for the first. So results that fit a query equally well have nearly the same score, whoever found them: 0.95
 * for a first place that holds all of it, 0.45 for one that holds nothing. Where a later result would score higher
 * than one before it, both get their mean.
 */
export function comparableScores(provider: string, query: string, results: readonly Scorable[]): number[] {
  const isCalibrated = CALIBRATED.has(provider);
  let terms: QueryTerms | undefined;
  const scores = results.map((result, rank) => {
    if (isCalibrated && isFiniteNumber(result.score)) return Math.min(1, Math.max(0, result.score));
    terms ??= readTerms(query);
    return SCORE_BASE + SCORE_OVERLAP * overlapOf(terms, result) + SCORE_RANK / (1 + rank * SCORE_RANK_DECAY);
  });
  return withoutRises(scores).map((score) => Math.round(score * SCORE_STEPS) / SCORE_STEPS);
}

function overlapOf(terms: QueryTerms, result: Shown): number {
  return terms.weight === 0 ? UNKNOWN_OVERLAP : matchedWeight(terms, comparedText(result)) / terms.weight;
}

function isFiniteNumber(score: unknown): score is number {
  return typeof score === "number" && Number.isFinite(score);
}

/** The nearest numbers (least squares) that never rise: neighbours that do are pooled at their mean. */
function withoutRises(scores: readonly number[]): number[] {
  const pools: { sum: number; size: number }[] = [];
  for (const score of scores) {
    let pool = { sum: score, size: 1 };
    for (
      let last = pools.at(-1);
      last !== undefined && last.sum / last.size < pool.sum / pool.size;
      last = pools.at(-1)
    ) {
      pool = { sum: last.sum + pool.sum, size: last.size + pool.size };
      pools.pop();
    }
    pools.push(pool);
  }
  return pools.flatMap(({ sum, size }) => Array.from({ length: size }, () => sum / size));
}
