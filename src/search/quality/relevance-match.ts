import type { SearchResult } from "../contract.ts";
import { RELEVANCE_CONTENT_CHARS, RELEVANCE_TITLE_CHARS, RELEVANCE_URL_CHARS } from "./quality-limits.ts";
import type { Aliases } from "./relevance-aliases.ts";
import type { QueryTerms, WordTerm } from "./relevance-terms.ts";
import { foldText, isWordCode } from "./relevance-text.ts";

/** What of a result is compared with the query. */
export type Shown = Pick<SearchResult, "title" | "url" | "content">;

/** A short word may be longer by an ending in the text: `cat` is in `cats`, not in `catalogue`. */
const SHORT_WORD_CHARS = 4;
const SHORT_WORD_ENDING_CHARS = 2;

/** The part of a result that says what it is about, with its capitals. */
export function shownText({ title, content }: Pick<Shown, "title" | "content">): string {
  return `${title.slice(0, RELEVANCE_TITLE_CHARS)}\n${content.slice(0, RELEVANCE_CONTENT_CHARS)}`;
}

/** A result's title, beginning and address as one folded text. */
export function comparedText(result: Shown): string {
  const address = result.url.slice(0, RELEVANCE_URL_CHARS);
  // What follows `?` repeats the question on pages that are a search of their own.
  const end = address.search(/[?#]/);
  return foldText(`${shownText(result)}\n${end === -1 ? address : address.slice(0, end)}`);
}

/** The weight of the terms that a compared text holds, from 0 to `terms.weight`. */
export function matchedWeight(terms: QueryTerms, text: string, aliases?: Aliases): number {
  let weight = 0;
  for (const term of terms.words) {
    if (holdsWord(text, term) || holdsAny(text, aliases?.get(term.word))) weight += term.weight;
  }
  for (const { gram, weight: part } of terms.grams) if (text.includes(gram)) weight += part;
  return weight;
}

function holdsWord(text: string, { word, stem, place }: Pick<WordTerm, "word" | "stem" | "place">): boolean {
  const longest =
    place === "whole" ? 0 : word.length > SHORT_WORD_CHARS ? Number.POSITIVE_INFINITY : SHORT_WORD_ENDING_CHARS;
  for (let at = text.indexOf(stem); at !== -1; at = text.indexOf(stem, at + 1)) {
    if (place === "anywhere") return true;
    const startsWord = at === 0 || !isWordCode(text.charCodeAt(at - 1));
    if (startsWord && hasEndingWithin(text, at + stem.length, longest)) return true;
  }
  return false;
}

/** True where the word that goes on at `from` ends within `longest` characters. */
function hasEndingWithin(text: string, from: number, longest: number): boolean {
  if (longest === Number.POSITIVE_INFINITY) return true;
  for (let at = from; at <= from + longest; at++) {
    if (at >= text.length || !isWordCode(text.charCodeAt(at))) return true;
  }
  return false;
}

function holdsAny(text: string, words: ReadonlySet<string> | undefined): boolean {
  if (words === undefined) return false;
  return [...words].some((word) => holdsWord(text, { word, stem: word, place: "whole" }));
}
