import type { RestRequest } from "./rest.ts";

/** Shared records that an isolate reads along with something else, or every few seconds by themselves. */
const BULLETINS: ReadonlySet<string> = new Set([
  "orchestrix:entry:search:purged-at",
  "orchestrix:entry:search:breakers",
]);
const BUCKET = "orchestrix:bucket:";
const QUESTION = /^orchestrix:(?:entry|claim):v\d+:search:/;

/** What requests to Upstash were for, told by the names in them. */
export interface RoundTrips {
  /** For the callers, or for a question whoever asked it. */
  readonly own: readonly RestRequest[];
  /** For the bulletins alone. */
  readonly bulletins: readonly RestRequest[];
  /** For tokens of other callers alone. */
  readonly foreign: readonly RestRequest[];
  /** For anything else. */
  readonly unknown: readonly RestRequest[];
}

export function sortRoundTrips(requests: readonly RestRequest[], callerIds: readonly string[]): RoundTrips {
  const isOwn = (name: string) =>
    QUESTION.test(name) || (name.startsWith(BUCKET) && callerIds.some((id) => name.endsWith(`:key:${id}`)));
  const sorted = Object.groupBy(requests, (request) => {
    const names = namesIn(request);
    if (names.some(isOwn)) return "own";
    if (names.length === 0) return "unknown";
    if (names.every((name) => BULLETINS.has(name))) return "bulletins";
    return names.every((name) => name.startsWith(BUCKET)) ? "foreign" : "unknown";
  });
  const { own = [], bulletins = [], foreign = [], unknown = [] } = sorted;
  return { own, bulletins, foreign, unknown };
}

/** How often a question was looked up with a wish to be the one who asks. */
export function countClaims(requests: readonly RestRequest[]): number {
  // A look-up names the entry and the claim; a write, each in a command of its own.
  const isClaim = (command: readonly string[]) =>
    ["orchestrix:entry:", "orchestrix:claim:"].every((kind) => command.some((part) => part.startsWith(kind)));
  return requests.flatMap(({ commands }) => commands).filter(isClaim).length;
}

function namesIn({ commands }: RestRequest): string[] {
  return commands.flat().filter((part) => part.startsWith("orchestrix:"));
}
