import type { QueryTerms } from "./relevance-terms.ts";
import { foldText, wordsOf } from "./relevance-text.ts";

/** By a word of the query, the words of the results that stand for it. */
export type Aliases = ReadonlyMap<string, ReadonlySet<string>>;

/** One slip of the pen in a word of five letters or more, two in one of nine. Shorter ones turn into other words. */
const ONE_SLIP_MIN_CHARS = 5;
const TWO_SLIPS_MIN_CHARS = 9;
/** A longer one is no word that somebody typed, and costs by the square of its length. */
const SLIP_MAX_CHARS = 32;
const SHORT_FORMS = /(?<![\p{L}\p{N}])\p{Lu}{3,6}(?=s?(?![\p{L}\p{N}]))/gu;
const UNPRONOUNCEABLE = /^[b-df-hj-np-tv-xz]{3,6}$/;

/**
 * What words of the query became in the results: `javscript` was corrected to `javascript`, `RSV` is written out, or
 * `model context protocol` is only called `MCP`. `texts` are compared texts, `shown` is the same with its capitals.
 */
export function findAliases(query: string, { words }: QueryTerms, texts: readonly string[], shown: string): Aliases {
  const aliases = new Map<string, Set<string>>();
  const add = (word: string, alias: string) => aliases.set(word, (aliases.get(word) ?? new Set()).add(alias));
  const text = texts.flatMap(wordsOf);
  const vocabulary = new Set(text);
  for (const { word } of words) {
    for (const candidate of vocabulary) if (isSlipOf(word, candidate)) add(word, candidate);
  }
  const typed = wordsOf(foldText(query));
  const initials = text.map((word) => word.charAt(0)).join("");
  for (const short of [...shortFormsIn(query), ...typed.filter((word) => UNPRONOUNCEABLE.test(word))]) {
    const first = text[initials.indexOf(short)];
    if (first !== undefined) add(short, first);
  }
  for (const short of shortFormsIn(shown)) {
    for (const list of [typed, words.map(({ word }) => word)]) {
      for (const word of wordsBehind(list, short)) add(word, short);
    }
  }
  return aliases;
}

function shortFormsIn(text: string): ReadonlySet<string> {
  return new Set((text.match(SHORT_FORMS) ?? []).map(foldText));
}

/** The neighbouring words whose initials make a short form. */
function wordsBehind(words: readonly string[], short: string): readonly string[] {
  const at = words
    .map((word) => word.charAt(0))
    .join("")
    .indexOf(short);
  return at === -1 ? [] : words.slice(at, at + short.length);
}

/** True where a few letters are left out, doubled, changed or swapped with a neighbour, but never the first. */
function isSlipOf(word: string, other: string): boolean {
  if (word.length < ONE_SLIP_MIN_CHARS || word.length > SLIP_MAX_CHARS || word[0] !== other[0] || word === other)
    return false;
  const most = word.length >= TWO_SLIPS_MIN_CHARS ? 2 : 1;
  return Math.abs(word.length - other.length) <= most && editDistance(word, other) <= most;
}

/** Insertions, deletions, changes and swaps of neighbours between two words. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwap ? (before[j - 2] ?? 0) + 1 : change;
      row.push(Math.min(change, swap, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    [before, last] = [last, row];
  }
  return last[b.length] ?? 0;
}
