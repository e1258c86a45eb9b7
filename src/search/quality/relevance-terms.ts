import { RELEVANCE_MAX_GRAMS, RELEVANCE_MAX_WORDS } from "./quality-limits.ts";
import { likelyLanguages, marksOf } from "./relevance-languages.ts";
import { foldText, mainScript, mayBeUnspaced, tellingWordsOf, wordsOf } from "./relevance-text.ts";

/** What a query asks for, each part with the share of the question that it makes up. */
export interface QueryTerms {
  readonly words: readonly WordTerm[];
  /** Pieces of scripts without spaces between words. */
  readonly grams: readonly GramTerm[];
  /** The sum over all terms. */
  readonly weight: number;
  /** Terms that say what the question is about; for grams, about as many as they make words. */
  readonly significant: number;
  /** Empty where the words do not tell. */
  readonly languages: ReadonlySet<string>;
  readonly script: string | null;
}

export interface WordTerm {
  /** Folded. */
  readonly word: string;
  /** What its inflected forms begin with; the word itself where it is too short to have a stem. */
  readonly stem: string;
  readonly weight: number;
  /** `whole`: numbers and names of a letter or two. `anywhere`: also within a word, as compounds and articles put it. */
  readonly place: "whole" | "start" | "anywhere";
}

export interface GramTerm {
  readonly gram: string;
  readonly weight: number;
}

/** Quotes and operators ask for more than a snippet shows. */
const QUOTES_OR_SIGNS = /["“”„«»「」|*]|(?:^|\s)[-+](?=\S)|(?:^|\s)(?:AND|OR|NOT|NEAR)(?=\s)/;
const OPERATORS =
  /(?:^|[\s(])(?:site|(?:all)?in(?:title|url|text|anchor)|filetype|ext|related|cache|link|before|after|lang|language|loc|location|source|define|domain|host|url|ip|feed|contains|prefer):\S/i;

/** Scripts that put no spaces between words, or (Hangul) glue particles to them. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー々\p{Script=Hangul}]+|[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]+/gu;
const ALPHABETIC_UNSPACED = /[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const HIRAGANA = /^[\p{Script=Hiragana}ー]+$/u;
/** What questions in these scripts are put with, whatever they are about. */
const UNSPACED_FILLER =
  /什么|甚麼|什麼|怎么样|怎么|怎麼|怎样|如何|为什么|為什麼|为何|哪里|哪裡|哪些|哪个|哪個|多少|是否|可以|有没有|是什|推荐|最好|最新|的|了|吗|嗎|呢|是|どのように|について|とは何|ですか|何ですか|ください|なぜ|おすすめ|方法|무엇|어떻게|어디|언제|추천|방법|하는|อะไร|อย่างไร|ที่ไหน|เมื่อไหร่|เท่าไหร่|ทำไม|หรือ|และ|ของ|ที่|คือ|เป็น|ใน|วิธี/g;

const BIGRAM_WEIGHT = 0.5;
/** Thai and its like are alphabets: four letters of them tell as much as two characters of Chinese. */
const ALPHABETIC_GRAM_CHARS = 4;
const ALPHABETIC_GRAM_WEIGHT = 0.25;

/** Without accents. What is none of these is a name from elsewhere. */
const VIETNAMESE_SYLLABLE = /^(?:ngh?|nh|[cgkpt]h|gi|qu|tr|[bcdghklmnprstvx])?[aeiouy]{1,3}(?:n[gh]?|ch?|[mpt])?$/;

/** A name with hyphens, a host, an address, an identifier. */
const COMPOUND = /[\p{L}\p{N}][-./_][\p{L}\p{N}]/u;
/** One word alone may be answered by any page that has it as its subject, in other words. */
const MIN_TERMS = 2;
/** Pairs of syllables, half of which are no words. */
const VIETNAMESE_MIN_TERMS = 3;
/** A word of its own counts 1; one that many questions share, a year, a number and two letters count less. */
const COMMON_WEIGHT = 0.3;
const SHORT_WEIGHT = 0.5;
const YEAR = /^(?:19|20)\d\d$/;
/** So much of a word's beginning stays the same in its inflected forms, in most languages. */
const STEM_SHARE = 0.7;
const STEM_MIN_CHARS = 4;
/** A shorter one stands within unrelated words by chance. */
const COMPOUND_MIN_CHARS = 7;
const PREFIXING = /^[\p{Script=Arabic}\p{Script=Hebrew}]/u;
const ARABIC_ARTICLE = /^(?:وال|بال|كال|فال|لل|ال)(?=\p{L}{3})/u;

/** Never fails; empty lists where the query holds no letter or digit. */
export function readTerms(query: string): QueryTerms {
  const folded = foldText(query);
  const isSpaced = !mayBeUnspaced(folded);
  const { words: all, languages } = readWords(query, isSpaced ? folded : folded.replace(UNSPACED, " "));
  const isVietnamese = languages.size === 1 && languages.has("vi");
  const words = isVietnamese ? all.filter(({ word }) => !VIETNAMESE_SYLLABLE.test(word)) : all;
  const grams = isVietnamese ? syllablePairs(folded, languages) : isSpaced ? [] : readGrams(folded);
  const significant = words.filter((term) => term.weight > COMMON_WEIGHT).length + sum(grams);
  return { words, grams, weight: sum(words) + sum(grams), significant, languages, script: mainScript(folded) };
}

/** False where overlap is no measure: fewer than two significant terms, a host or an address, quotes, operators. */
export function isComparable(query: string, { significant, languages }: QueryTerms): boolean {
  const fewest = languages.size === 1 && languages.has("vi") ? VIETNAMESE_MIN_TERMS : MIN_TERMS;
  const isOneName = COMPOUND.test(query) && !/\s/.test(query.trim());
  return significant >= fewest && !isOneName && !QUOTES_OR_SIGNS.test(query) && !OPERATORS.test(query);
}

function readWords(query: string, folded: string): Pick<QueryTerms, "words" | "languages"> {
  const acronyms = acronymsIn(query);
  const chunks = folded.split(/\s+/).map((chunk) => ({ tokens: wordsOf(chunk), isCompound: COMPOUND.test(chunk) }));
  const telling = tellingWordsOf(folded).filter((token) => !acronyms.has(token));
  const languages = likelyLanguages(telling, 1);
  const terms = new Map<string, WordTerm>();
  for (const { tokens, isCompound } of chunks) {
    for (const token of tokens) {
      const weight = acronyms.has(token) ? 1 : weightOf(token, languages, isCompound);
      if (weight > 0 && terms.size < RELEVANCE_MAX_WORDS) terms.set(token, { word: token, weight, ...shapeOf(token) });
    }
  }
  return { words: [...terms.values()], languages };
}

/** Names such as WHO and IT, where the rest of the query is not in capitals as well. */
function acronymsIn(query: string): ReadonlySet<string> {
  const capitals = query.match(/(?<![\p{L}\p{N}])\p{Lu}[\p{Lu}\p{N}]+(?![\p{L}\p{N}])/gu) ?? [];
  return new Set(/\p{Ll}/u.test(query) ? capitals.map(foldText) : []);
}

function weightOf(token: string, languages: ReadonlySet<string>, isCompound: boolean): number {
  const kinds = marksOf(token).flatMap(({ language, kind }) => (languages.has(language) ? [kind] : []));
  if (kinds.includes("stop")) return 0;
  if (kinds.length > 0 || YEAR.test(token)) return COMMON_WEIGHT;
  if (token.length === 1 || (isCompound && token.length === 2)) return 0;
  return token.length === 2 || /^\p{N}+$/u.test(token) ? SHORT_WEIGHT : 1;
}

function shapeOf(token: string): Pick<WordTerm, "stem" | "place"> {
  if (token.length <= 2 || /\p{N}/u.test(token)) return { stem: token, place: "whole" };
  const bare = token.replace(ARABIC_ARTICLE, "");
  const stem = bare.slice(0, Math.max(STEM_MIN_CHARS, Math.ceil(bare.length * STEM_SHARE)));
  if (PREFIXING.test(bare)) return { stem, place: "anywhere" };
  return { stem, place: token.length >= COMPOUND_MIN_CHARS ? "anywhere" : "start" };
}

function readGrams(folded: string): GramTerm[] {
  const grams = new Map<string, GramTerm>();
  for (const run of folded.replace(UNSPACED_FILLER, " ").match(UNSPACED) ?? []) {
    const isAlphabetic = ALPHABETIC_UNSPACED.test(run);
    const weight = isAlphabetic ? ALPHABETIC_GRAM_WEIGHT : BIGRAM_WEIGHT;
    for (const gram of slices(run, isAlphabetic ? ALPHABETIC_GRAM_CHARS : 2)) {
      // Endings and particles, unless the whole run is written so.
      if (HIRAGANA.test(gram) && !HIRAGANA.test(run)) continue;
      if (grams.size < RELEVANCE_MAX_GRAMS) grams.set(gram, { gram, weight });
    }
  }
  return [...grams.values()];
}

/** Most words of Vietnamese are two syllables with a space between; one alone is in every text. */
function syllablePairs(folded: string, languages: ReadonlySet<string>): GramTerm[] {
  const syllables = wordsOf(folded);
  const tells = (syllable: string | undefined) =>
    syllable !== undefined && weightOf(syllable, languages, false) > COMMON_WEIGHT;
  return syllables.flatMap((syllable, at) => {
    const next = syllables[at + 1];
    return tells(syllable) && tells(next) ? [{ gram: `${syllable} ${next}`, weight: 1 }] : [];
  });
}

/** Every piece of `size` neighbours; the run itself where it is shorter. */
function slices(run: string, size: number): string[] {
  const characters = [...run];
  const count = Math.max(1, characters.length - size + 1);
  return Array.from({ length: count }, (_, at) => characters.slice(at, at + size).join(""));
}

function sum(terms: readonly { readonly weight: number }[]): number {
  return terms.reduce((total, { weight }) => total + weight, 0);
}
