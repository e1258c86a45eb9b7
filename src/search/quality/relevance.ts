import { RELEVANCE_MAX_RESULTS } from "./quality-limits.ts";
import { findAliases } from "./relevance-aliases.ts";
import { compareLanguages } from "./relevance-comparable.ts";
import { comparedText, matchedWeight, type Shown, shownText } from "./relevance-match.ts";
import { isComparable, type QueryTerms, readTerms } from "./relevance-terms.ts";

/** What one result must share with the question, as a part of it: nearly one word in five. */
const ENOUGH_SHARE = 0.2;
/** In scripts without spaces, about one word: a pair of characters that chance brought along is half of one. */
const ENOUGH_GRAMS = 0.9;
/** Any word of the question that is not in every other question too. */
const ANY_WORD = 0.5;
/** More than the one word that pages were found by which know nothing of the rest. */
const MORE_THAN_A_WORD = 1.5;
/** A question of two words is often answered by pages that say one of them alone. */
const SEVERAL_WORDS = 3;
/** Where query and results may be in two languages, a name or a number that both hold is all there can be. */
const LITTLE_SHARE = 0.08;
/** Fewer results, or hardly any text, prove nothing. */
const CERTAIN_MIN_RESULTS = 3;
const CERTAIN_MIN_CHARS = 150;
const CERTAIN_MIN_UNSPACED_CHARS = 50;
/** `https:`, nothing, the host. */
const URL_PARTS_TO_HOST = 3;

/**
 * False where the results have nothing to do with the query: a provider that answers so has failed, whatever its
 * status says. Compares words, so it is no judge of good and better, and it is lenient: a wrong "no" costs a good
 * answer, a wrong "yes" costs a bad one that the provider meant to give. It says yes wherever words cannot tell: one
 * significant word, quotes, operators, results in another language or script.
 *
 * Time is linear in the texts, of which the first ten results' beginnings are read; good results are known as such at
 * the first or second.
 */
export function isRelevant(query: string, results: readonly Shown[]): boolean {
  const terms = readTerms(query);
  const looked = results.slice(0, RELEVANCE_MAX_RESULTS);
  if (looked.length === 0 || !isComparable(query, terms)) return true;
  // The strictest measure there is: what passes it needs no second look.
  const plenty = Math.max(MORE_THAN_A_WORD, enoughOf(terms));
  const texts: string[] = [];
  for (const result of looked) {
    const text = comparedText(result);
    if (matchedWeight(terms, text) >= plenty) return true;
    texts.push(text);
  }
  return !isProven(query, terms, looked, texts);
}

/** A second, slower look at results that share little with the query: whether that proves anything. */
function isProven(query: string, terms: QueryTerms, looked: readonly Shown[], texts: readonly string[]): boolean {
  const { comparable, isCertain } = compareLanguages(query, terms, texts);
  if (comparable.length * 2 < looked.length) return false;
  const judged = looked.filter((_, place) => comparable.includes(place));
  const shown = judged.map(shownText).join("\n");
  const fewestChars = terms.grams.length > 0 ? CERTAIN_MIN_UNSPACED_CHARS : CERTAIN_MIN_CHARS;
  const isAmple = judged.length >= CERTAIN_MIN_RESULTS && shown.length >= fewestChars;
  const aliases = findAliases(query, terms, texts, shown);
  const best = Math.max(...texts.map((text) => matchedWeight(terms, text, aliases)));
  if (!isCertain || !isAmple) return best < Math.max(ANY_WORD, LITTLE_SHARE * terms.weight);
  return best < enoughOf(terms) || (best < MORE_THAN_A_WORD && isAboutOneWord(terms, judged));
}

function enoughOf(terms: QueryTerms): number {
  return Math.max(terms.grams.length > 0 ? ENOUGH_GRAMS : ANY_WORD, ENOUGH_SHARE * terms.weight);
}

/** Dictionary entries, shops and brands that have one word of a longer question for a name. */
function isAboutOneWord(terms: QueryTerms, results: readonly Shown[]): boolean {
  if (terms.grams.length > 0 || terms.significant < SEVERAL_WORDS) return false;
  const headings = results.map(({ title, url }) =>
    comparedText({ title, url: url.split("/", URL_PARTS_TO_HOST).join("/"), content: "" }),
  );
  return terms.words.some((word) => {
    const alone = { ...terms, words: [word] };
    return headings.filter((heading) => matchedWeight(alone, heading) > 0).length * 2 >= results.length;
  });
}
