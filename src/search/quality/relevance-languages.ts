import { foldText } from "./relevance-text.ts";
import { VOCABULARIES } from "./relevance-vocabularies.ts";

/** A language in which a word says little, and how little. */
export interface Mark {
  readonly language: string;
  readonly kind: "stop" | "common";
}

/** In nats per trigram. Chosen so that one word in ten is taken for foreign where it is not, three in four where it is. */
const FOREIGN_MARGIN = 0.25;
const VOTE_WORTH = 0.2;
/** What an unseen trigram counts for, and about how many kinds of trigram a language has. */
const UNSEEN = 0.3;
const TRIGRAM_KINDS = 4_000;

const NO_MARKS: readonly Mark[] = [];
/** Per word, the languages that have it and as what. Made at first use: most isolates never need it early. */
let words: ReadonlyMap<string, readonly Mark[]> | undefined;

/** Each language once. Empty for a word (folded) that says something. */
export function marksOf(word: string): readonly Mark[] {
  words ??= readVocabularies();
  return words.get(word) ?? NO_MARKS;
}

/** The languages with the most of these words (folded); none where fewer than `minimum` are known. */
export function likelyLanguages(tokens: Iterable<string>, minimum: number): ReadonlySet<string> {
  const votes = votesOf(tokens);
  const most = Math.max(minimum, ...votes.values());
  return new Set([...votes].flatMap(([language, count]) => (count === most ? [language] : [])));
}

/** True where words (folded) are known, or built, so much more like those of another language than like `language`. */
export function isForeign(tokens: readonly string[], language: string): boolean {
  const votes = votesOf(tokens);
  profiles ??= readProfiles();
  const trigrams = tokens.flatMap(trigramsOf);
  const likeness = (of: string) => (votes.get(of) ?? 0) * VOTE_WORTH + meanLikelihood(trigrams, profiles?.get(of));
  const others = [...profiles.keys()].filter((other) => other !== language);
  return Math.max(...others.map(likeness)) - likeness(language) > FOREIGN_MARGIN;
}

function votesOf(tokens: Iterable<string>): ReadonlyMap<string, number> {
  const votes = new Map<string, number>();
  for (const token of tokens) {
    for (const { language } of marksOf(token)) votes.set(language, (votes.get(language) ?? 0) + 1);
  }
  return votes;
}

interface Profile {
  readonly counts: ReadonlyMap<string, number>;
  readonly total: number;
}

let profiles: ReadonlyMap<string, Profile> | undefined;

function meanLikelihood(trigrams: readonly string[], profile: Profile | undefined): number {
  if (profile === undefined || trigrams.length === 0) return 0;
  const { counts, total } = profile;
  const logs = trigrams.map((trigram) =>
    Math.log(((counts.get(trigram) ?? 0) + UNSEEN) / (total + UNSEEN * TRIGRAM_KINDS)),
  );
  return logs.reduce((sum, log) => sum + log, 0) / trigrams.length;
}

function readProfiles(): ReadonlyMap<string, Profile> {
  return new Map(
    Object.entries(VOCABULARIES).map(([language, { stop, common, typical = "" }]) => {
      const counts = new Map<string, number>();
      const trigrams = foldText(`${stop} ${common} ${typical}`).split(" ").flatMap(trigramsOf);
      for (const trigram of trigrams) counts.set(trigram, (counts.get(trigram) ?? 0) + 1);
      return [language, { counts, total: trigrams.length }];
    }),
  );
}

/** With the word's ends as letters of their own. */
function trigramsOf(word: string): string[] {
  return Array.from(word, (_, at) => ` ${word} `.slice(at, at + 3));
}

function readVocabularies(): ReadonlyMap<string, readonly Mark[]> {
  const known = new Map<string, Mark[]>();
  for (const [language, { stop, common }] of Object.entries(VOCABULARIES)) {
    for (const [kind, list] of [
      ["stop", stop],
      ["common", common],
    ] as const) {
      const mark = { language, kind };
      for (const word of foldText(list).split(" ")) {
        const marks = known.get(word);
        if (marks === undefined) known.set(word, [mark]);
        else if (marks.at(-1)?.language !== language) marks.push(mark);
      }
    }
  }
  return known;
}
