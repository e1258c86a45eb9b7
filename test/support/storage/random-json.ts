import type { Json, JsonObject } from "../../../src/core/json.ts";

/** Random documents and filters over few fields and values, so that they meet often. The same seed gives the same. */
export interface RandomJson {
  document(id: string): JsonObject;
  filter(ids: readonly string[]): JsonObject;
}

const FIELDS = ["a", "b", "c"];
const SCALARS: readonly Json[] = [
  null,
  0,
  1,
  -1,
  1.5,
  0.1,
  1e21,
  2 ** 53,
  true,
  false,
  "",
  "1",
  "x",
  "x\0",
  "é",
  "\u{1f600}",
];
const OPERATORS = ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"];

export function createRandomJson(seed: number): RandomJson {
  let state = seed;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const pick = <T>(from: readonly T[], fallback: T): T => from[next(from.length)] ?? fallback;
  const field = () => pick(FIELDS, "a");

  function value(depth: number): Json {
    const kind = next(depth > 2 ? 5 : 8);
    if (kind < 5) return pick(SCALARS, null);
    if (kind < 7) return Array.from({ length: next(4) }, () => value(depth + 1));
    return fields(depth + 1);
  }

  function fields(depth: number): JsonObject {
    return Object.fromEntries(Array.from({ length: next(4) }, () => [field(), value(depth)]));
  }

  function path(): string {
    return pick([field(), field(), `${field()}.${field()}`, `${field()}.0`], "a");
  }

  function condition(): Json {
    const kind = next(6);
    if (kind < 2) return value(1);
    if (kind < 4) return { [pick(OPERATORS, "$eq")]: value(2) };
    if (kind < 5) return { [pick(["$in", "$nin"], "$in")]: [value(2), value(2)] };
    return { $exists: next(2) === 0 };
  }

  function filter(ids: readonly string[], depth = 0): JsonObject {
    const kind = next(depth > 1 ? 6 : 8);
    if (kind === 0)
      return { _id: pick<Json>([pick(ids, ""), { $gt: pick(ids, "") }, { $in: [pick(ids, ""), 1] }], "") };
    if (kind < 6) return Object.fromEntries(Array.from({ length: 1 + next(2) }, () => [path(), condition()]));
    return { [kind === 6 ? "$and" : "$or"]: [filter(ids, depth + 1), filter(ids, depth + 1)] };
  }

  return { document: (id) => ({ _id: id, ...fields(0) }), filter };
}
