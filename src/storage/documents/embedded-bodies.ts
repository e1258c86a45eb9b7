import type { JsonObject } from "../../core/json.ts";
import { orderOf, type SortKeys } from "./compare.ts";
import type { Sort } from "./documents.ts";
import { FIND_MAX_CHARS, READ_STEPS, SORT_SLACK_DOCUMENTS } from "./limits.ts";
import { stepsOf, type Work } from "./work.ts";

export interface Found {
  readonly id: string;
  readonly body: string;
}

/** Leaves of a document what was asked for. */
export function createPick(fields: readonly string[]): (body: string) => string {
  const names = new Set(["_id", ...fields]);
  return (body) => {
    const document = JSON.parse(body) as JsonObject;
    return JSON.stringify(Object.fromEntries(Object.entries(document).filter(([name]) => names.has(name))));
  };
}

/** Null when they are more than one answer may carry. */
export function takeBodies(found: Iterable<Found>): string[] | null {
  const bodies: string[] = [];
  let chars = 0;
  for (const { body } of found) {
    chars += body.length;
    if (chars > FIND_MAX_CHARS) return null;
    bodies.push(body);
  }
  return bodies;
}

/**
 * The best `limit` documents in the order asked; holds little more than those at any time. Null as above.
 * @throws TooMuchWork
 */
export function sortBodies(
  found: Iterable<Found>,
  sort: Sort,
  limit: number,
  fields: readonly string[] | undefined,
  work: Work,
): string[] | null {
  const order = orderOf(sort, work);
  let best: { readonly body: string; readonly keys: SortKeys }[] = [];
  let chars = 0;
  const keepBest = () => {
    best = best.sort((a, b) => order.compare(a.keys, b.keys)).slice(0, limit);
    chars = best.reduce((sum, { body }) => sum + body.length, 0);
    return chars <= FIND_MAX_CHARS;
  };
  for (const { body } of found) {
    work.spend(READ_STEPS + stepsOf(body.length));
    best.push({ body, keys: order.keysOf(JSON.parse(body) as JsonObject) });
    chars += body.length;
    const full = best.length >= limit + SORT_SLACK_DOCUMENTS || chars > FIND_MAX_CHARS;
    if (full && !keepBest()) return null;
  }
  if (!keepBest()) return null;
  const pick = fields === undefined ? null : createPick(fields);
  return best.map(({ body }) => (pick === null ? body : pick(body)));
}
