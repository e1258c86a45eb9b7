import { type CaseResult, ratioOf } from "./rounds.ts";

export interface Goal {
  readonly text: string;
  readonly found: string;
  readonly reached: boolean;
}

const HIT_OF_BARE = 0.5;
const MISS_OF_PASS_THROUGH = 0.5;
const TIMES_PORTKEY = 4;
const OVERHEAD_P99_MS = 5;
const TIMES_NODE_RED = 1.5;
/** As fast as one, within what rounds differ by. */
const MANY_OF_ONE = 0.9;
/** Requests that are still under way when a round is counted. */
const UPSTREAM_TOLERANCE = 0.05;

type Find = (id: string) => CaseResult | undefined;

/** What the product promises, held against what was measured. What was not measured has no line. */
export function judgeGoals(results: readonly CaseResult[]): readonly Goal[] {
  const find: Find = (id) => results.find((each) => each.id === id);
  return [
    ...rateGoal(find, "hit-by-get", "bare", HIT_OF_BARE),
    ...rateGoal(find, "hit", "bare", HIT_OF_BARE),
    ...rateGoal(find, "hit-upstash", "bare", HIT_OF_BARE),
    ...rateGoal(find, "miss", "pass-through", MISS_OF_PASS_THROUGH),
    ...rateGoal(find, "miss-upstash", "pass-through", MISS_OF_PASS_THROUGH),
    ...rateGoal(find, "miss", "portkey", TIMES_PORTKEY),
    ...p99Goal(find, "miss", "portkey"),
    ...p99Goal(find, "slow-miss", "slow-portkey"),
    ...rateGoal(find, "mixed", "portkey", TIMES_PORTKEY),
    ...p99Goal(find, "mixed", "portkey"),
    ...rateGoal(find, "hit-before-upstream", "portkey", TIMES_PORTKEY),
    ...p99Goal(find, "hit-before-upstream", "portkey"),
    ...overheadGoal(find, "slow-miss"),
    ...overheadGoal(find, "slow-miss-upstash"),
    ...rateGoal(find, "order", "node-red", TIMES_NODE_RED),
    ...p99Goal(find, "order", "node-red"),
    ...rateGoal(find, "orders", "order", MANY_OF_ONE),
  ];
}

/** Fast refusals reach no goal, and a miss that asks nobody is none. */
function answersRight({ id, unexpected, upstreamPerRequest }: CaseResult): boolean {
  if (Object.keys(unexpected).length > 0) return false;
  if (id.includes("miss")) return upstreamPerRequest > 1 - UPSTREAM_TOLERANCE;
  return id.startsWith("hit") ? upstreamPerRequest < UPSTREAM_TOLERANCE : true;
}

function rateGoal(find: Find, subjectId: string, baselineId: string, atLeast: number): readonly Goal[] {
  const [subject, baseline] = [find(subjectId), find(baselineId)];
  if (subject === undefined || baseline === undefined) return [];
  const { median, min, max } = ratioOf(subject, baseline);
  return [
    {
      text: `${subject.name}: at least ${atLeast} × the rate of ${baseline.name}`,
      found: `${median.toFixed(2)} × (${min.toFixed(2)} to ${max.toFixed(2)})`,
      reached: median >= atLeast && answersRight(subject),
    },
  ];
}

function p99Goal(find: Find, subjectId: string, baselineId: string): readonly Goal[] {
  const [subject, baseline] = [find(subjectId), find(baselineId)];
  if (subject === undefined || baseline === undefined) return [];
  const slow = subjectId.startsWith("slow-") ? " before the slow upstream" : "";
  return [
    {
      text: `${subject.name}: a lower p99 than ${baseline.name}${slow}`,
      found: `${subject.p99Ms.toFixed(1)} ms against ${baseline.p99Ms.toFixed(1)} ms`,
      reached: subject.p99Ms < baseline.p99Ms && answersRight(subject),
    },
  ];
}

function overheadGoal(find: Find, subjectId: string): readonly Goal[] {
  const [subject, upstream] = [find(subjectId), find("slow-upstream")];
  if (subject === undefined || upstream === undefined) return [];
  const overheadMs = subject.p99Ms - upstream.p99Ms;
  return [
    {
      text: `${subject.name}: less than ${OVERHEAD_P99_MS} ms over the upstream's p99`,
      found: `${overheadMs.toFixed(1)} ms`,
      reached: overheadMs < OVERHEAD_P99_MS && answersRight(subject),
    },
  ];
}
