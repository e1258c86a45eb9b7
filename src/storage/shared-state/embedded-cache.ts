import type { SharedStateObject } from "./embedded-object.ts";
import { CACHE_OBJECTS } from "./limits.ts";
import type { Claim, Consultation, Consulted, SharedCache } from "./shared-state.ts";
import { stateName } from "./state-names.ts";

/** Calls an object by its name. */
export type AskObject = <T>(
  object: string,
  call: (stub: DurableObjectStub<SharedStateObject>) => Promise<T>,
) => Promise<T>;

interface EmbeddedCache extends SharedCache {
  consultCache(lookup: Consultation["lookup"], also: readonly string[]): Promise<Omit<Consulted, "admission">>;
}

/** What one cache object is asked: a look-up, and texts by their place among all that were asked for. */
interface Question {
  lookup: { readonly key: string; readonly claim: Claim | null } | null;
  readonly also: { readonly key: string; readonly place: number }[];
}

/** The cache over a fixed number of objects, each with its share of the keys; a key's value and its claim are in one. */
export function createEmbeddedCache(ask: AskObject): EmbeddedCache {
  const consultCache: EmbeddedCache["consultCache"] = async (lookup, also) => {
    const texts: (string | null)[] = also.map(() => null);
    const answers = await Promise.all(
      Array.from(questionsByObject(lookup, also), async ([object, question]) => {
        const keys = question.also.map(({ key }) => storedKey(key));
        const answer = await ask(object, (stub) => stub.cacheConsult(question.lookup, keys));
        for (const [i, { place }] of question.also.entries()) texts[place] = answer.also[i] ?? null;
        return answer.lookup;
      }),
    );
    return { lookup: answers.find((answer) => answer !== null) ?? null, also: texts };
  };

  return {
    consultCache,
    async cacheLookup(key, claim) {
      const { lookup } = await consultCache({ key, ...(claim && { claim }) }, []);
      return lookup ?? { value: null, claim: "none" };
    },
    cacheStore: (key, value, write) => ask(objectOf(key), (stub) => stub.cacheStore(storedKey(key), value, write)),
    cacheRelease: (key, token) => ask(objectOf(key), (stub) => stub.cacheRelease(storedKey(key), token)),
    cacheDelete: (key) => ask(objectOf(key), (stub) => stub.cacheDelete(storedKey(key))),
    async cacheClear() {
      const cleared = Array.from({ length: CACHE_OBJECTS }, (_, n) => ask(`cache:${n}`, (stub) => stub.cacheClear()));
      return (await Promise.all(cleared)).reduce((sum, entries) => sum + entries, 0);
    },
  };
}

function questionsByObject(lookup: Consultation["lookup"], also: readonly string[]): Map<string, Question> {
  const questions = new Map<string, Question>();
  const questionTo = (object: string) => {
    const question = questions.get(object) ?? { lookup: null, also: [] };
    questions.set(object, question);
    return question;
  };
  if (lookup !== undefined) {
    questionTo(objectOf(lookup.key)).lookup = { key: storedKey(lookup.key), claim: lookup.claim ?? null };
  }
  for (const [place, key] of also.entries()) questionTo(objectOf(key)).also.push({ key, place });
  return questions;
}

function storedKey(key: string): string {
  return stateName("key", key);
}

function objectOf(key: string): string {
  return `cache:${hash(key) % CACHE_OBJECTS}`;
}

/** FNV-1a over UTF-16 units: spreads keys evenly; no defence against chosen ones is needed, as objects are bounded. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  return state >>> 0;
}
