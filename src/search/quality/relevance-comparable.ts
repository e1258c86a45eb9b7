import { isForeign, likelyLanguages } from "./relevance-languages.ts";
import type { QueryTerms } from "./relevance-terms.ts";
import { foldText, mainScript, tellingWordsOf } from "./relevance-text.ts";

/** Fewer known words in a snippet tell nothing of its language. */
const LANGUAGE_MIN_WORDS = 3;
/** Scripts in which several languages are written; each of the others settles the language by itself, near enough. */
const SHARED_SCRIPTS: ReadonlySet<string | null> = new Set(["latin", "cyrillic", "arabic", null]);

/** Characters of which every page of Chinese holds some, in the two ways of writing them. */
const SIMPLIFIED =
  /[们这国来时说发为会个学对过还进动产业东关开车长门问间马语电见书写让认给经结统网现视体战华务报应湾点种样头实无气与机场边钱爱听话买卖错师亲欢难飞鱼鸟龙风云乐岁医药银铁医运选择费游图处历史价]/g;
const TRADITIONAL =
  /[們這國來時說發為會個學對過還進動產業東關開車長門問間馬語電見書寫讓認給經結統網現視體戰華務報應灣點種樣頭實無氣與機場邊錢愛聽話買賣錯師親歡難飛魚鳥龍風雲樂歲醫藥銀鐵運選擇費遊圖處歷價]/g;

/** Characters that Japanese does not write: a query in Chinese characters alone may else be either. */
const CHINESE_ALONE =
  /[们这时说发为个对过还进动产业东关开车长门问间马语电见书写让认给经结统网现视战华务报应头实无气机场边钱爱听话买卖错师亲欢难飞鱼鸟龙风云乐岁药银铁运选择费图处历价吗呢么什怎]/;

/** Enough to tell a language by. */
const LANGUAGE_SAMPLE_CHARS = 300;

export interface Comparison {
  /** The places of the results in the script and, as far as can be told, in the language of the query. */
  readonly comparable: readonly number[];
  /** True where most of those are known to be in that language. */
  readonly isCertain: boolean;
}

/**
 * In which results (compared texts) the words of a query can be looked for: a translation of them would not be found.
 */
export function compareLanguages(query: string, terms: QueryTerms, texts: readonly string[]): Comparison {
  const asked = tellingWordsOf(foldText(query));
  const isAsked = new Map<string, boolean>();
  const comparable: number[] = [];
  let certain = 0;
  for (const [place, text] of texts.entries()) {
    const script = mainScript(text);
    if (script !== null && !canCompareScripts(query, terms.script, text, script)) continue;
    const sample = SHARED_SCRIPTS.has(script) ? tellingWordsOf(text.slice(0, LANGUAGE_SAMPLE_CHARS)) : [];
    const languages = [...likelyLanguages(sample, LANGUAGE_MIN_WORDS)];
    for (const language of languages) {
      if (!isAsked.has(language)) isAsked.set(language, !isForeign(asked, language));
    }
    const isShared = languages.some((language) => isAsked.get(language));
    if (languages.length > 0 && !isShared) continue;
    comparable.push(place);
    if (isShared || (script === terms.script && !SHARED_SCRIPTS.has(script))) certain++;
  }
  return { comparable, isCertain: certain * 2 >= comparable.length };
}

function canCompareScripts(query: string, asked: string | null, text: string, script: string): boolean {
  if (asked === "han" && script === "kana") return !CHINESE_ALONE.test(query);
  return script === asked && !isOtherChinese(query, text);
}

/** One in simplified, the other in traditional characters. */
function isOtherChinese(query: string, text: string): boolean {
  const lean = (of: string) => Math.sign((of.match(SIMPLIFIED)?.length ?? 0) - (of.match(TRADITIONAL)?.length ?? 0));
  return lean(query) * lean(text) < 0;
}
