import { QUERY_MAX_TERMS, SNIPPET_CHARS, SNIPPET_LEAD_CHARS, TERM_MAX_CHARS } from "../limits.ts";

/** Letters and digits of any script. Nothing that FTS5's query language gives a meaning is among them. */
const WORD = /[\p{L}\p{N}\p{M}]+/gu;

/** Scripts that put no spaces between words, or (Hangul) glue particles to them. */
const UNSPACED =
  /(?:(?=[\p{L}\p{N}\p{M}])[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Bopomofo}\p{scx=Hangul}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}])+/gu;

/** English endings: a word without its own is looked up as a prefix, so that `deployments` finds `deploy`. */
const ENDING = /(?:ments?|ings?|ies|(?<![aeiou])y|ed|es|s)$/;
const STEM_MIN_CHARS = 4;

/** Say nothing about a text, and stand in every one. */
const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    "a an and are as at be by can do does for from had has have how i in into is it its of on or that the their " +
    "them then there these they this to was we were what when where which who why will with would you your"
  ).split(" "),
);

/** What a question looks for: whole words, and pairs of characters (`grams`) of scripts without spaces. */
export interface QueryTerms {
  readonly words: readonly string[];
  readonly grams: readonly string[];
}

export function extractTerms(query: string): QueryTerms {
  const text = fold(query);
  const spaced = [...new Set(text.replace(UNSPACED, " ").match(WORD) ?? [])];
  const telling = spaced.filter((word) => !STOP_WORDS.has(word));
  const grams = [...new Set((text.match(UNSPACED) ?? []).flatMap(pairsOf))];
  const words = telling.length === 0 && grams.length === 0 ? spaced : telling;
  return {
    words: words.filter((word) => word.length <= TERM_MAX_CHARS).slice(0, QUERY_MAX_TERMS),
    grams: grams.slice(0, QUERY_MAX_TERMS),
  };
}

/**
 * An FTS5 expression that matches any of the terms, null where there is none. Every term is a string in quotes and
 * holds letters, marks and digits alone, so that a query cannot become syntax.
 */
export function matchExpression({ words, grams }: QueryTerms): string | null {
  const alternatives = [
    ...words.flatMap((word) => {
      const stem = word.replace(ENDING, "");
      return stem.length >= STEM_MIN_CHARS ? [`"${word}"`, `"${stem}" *`] : [`"${word}"`];
    }),
    // A single character is the beginning of a pair, or stands by itself at a run's end.
    ...grams.map((gram) => ([...gram].length === 1 ? `"${gram}" *` : `"${gram}"`)),
  ];
  return alternatives.length === 0 ? null : alternatives.join(" OR ");
}

/**
 * The text of the column that is indexed beside title and content: pairs of characters for scripts without spaces, and
 * words that only compatibility forms hide (full-width letters, ligatures). Empty for most texts.
 */
export function hiddenTerms(text: string): string {
  const folded = fold(text);
  const terms = new Set((folded.match(UNSPACED) ?? []).flatMap((run) => [...pairsOf(run), lastOf(run)]));
  const plain = text.toLowerCase();
  if (folded !== plain) {
    const shown = new Set(plain.match(WORD) ?? []);
    for (const word of folded.replace(UNSPACED, " ").match(WORD) ?? []) {
      if (!shown.has(word)) terms.add(word);
    }
  }
  return [...terms].join(" ");
}

/** The piece of a text around the first pair that it holds; its beginning where it holds none. */
export function snippetAround(text: string, grams: readonly string[]): string {
  const lower = text.toLowerCase();
  const places = grams.map((gram) => lower.indexOf(gram)).filter((place) => place !== -1);
  const start = Math.max(0, Math.min(...(places.length === 0 ? [0] : places)) - SNIPPET_LEAD_CHARS);
  const piece = text.slice(start, start + SNIPPET_CHARS).toWellFormed();
  return `${start > 0 ? "…" : ""}${piece}${start + SNIPPET_CHARS < text.length ? "…" : ""}`;
}

function fold(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}

function pairsOf(run: string): string[] {
  const characters = [...run];
  if (characters.length === 1) return characters;
  return characters.slice(1).map((character, i) => `${characters[i]}${character}`);
}

function lastOf(run: string): string {
  return [...run].at(-1) ?? "";
}
