/**
 * The languages of two letters that have a Wikipedia which is open, as ISO 639-1 writes them. Closed ones are left out:
 * Afar, Avestan, Chamorro, Herero, Hiri Motu, Kanuri, Kuanyama, Marshallese, Ndonga, Sichuan Yi and the like.
 */
const CODES =
  "ab af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce co cr cs cu cv cy da de dv dz ee el en eo es et eu " +
  "fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi hr ht hu hy ia id ie ig ik io is it iu ja jv ka kg ki kk kl km kn " +
  "ko ks ku kv kw ky la lb lg li ln lo lt lv mg mi mk ml mn mr ms mt my na ne nl nn no nr nv ny oc om or os pa pi pl " +
  "ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts " +
  "tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

const KNOWN: ReadonlySet<string> = new Set(CODES.split(" "));

/** Where Wikipedia's code is another than the language's own. */
const OTHERWISE: ReadonlyMap<string, string> = new Map([["nb", "no"]]);

const FALLBACK = "en";

/** The Wikipedia to ask: the language's own, English for none and for one that has no Wikipedia. */
export function wikipediaLanguage(language: string | null): string {
  if (language === null) return FALLBACK;
  const code = OTHERWISE.get(language) ?? language;
  return KNOWN.has(code) ? code : FALLBACK;
}
