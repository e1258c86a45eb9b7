/** Letters and digits of any script, with the marks on them. */
const WORD = /[\p{L}\p{N}\p{M}]+/gu;
/** The same where no others occur: many times cheaper to compile and to run. */
const ASCII_WORD = /[a-z\d]+/g;

/** The first letter beyond Latin-1's punctuation, leaving out the quotes and dashes that English prose is full of. */
const BEYOND_ASCII = /[\u00c0-\u200f\u203b-\uffff]/;
/** The first letter that may belong to a script without spaces, Thai being the earliest of them. */
const MAYBE_UNSPACED = /[\u0e00-\uffff]/;
/** Accents, and the vowel points of Hebrew and Arabic. Marks of other scripts are letters in their own right. */
const ACCENTS = /[\u0300-\u036f\u0591-\u05c7\u0640\u064b-\u065f\u0670]/g;
const SPECIAL_LETTERS = /[ßæœøłđðþıةىیکςё]/g;
const PLAIN_LETTERS: ReadonlyMap<string, string> = new Map([
  ["ß", "ss"],
  ["æ", "ae"],
  ["œ", "oe"],
  ["ø", "o"],
  ["ł", "l"],
  ["đ", "d"],
  ["ð", "d"],
  ["þ", "th"],
  ["ı", "i"],
  ["ة", "ه"],
  ["ى", "ي"],
  ["ی", "ي"],
  ["ک", "ك"],
  ["ς", "σ"],
]);

/** Lower case without accents and compatibility forms: `Müller` is `muller`, `ＡＢ①` is `ab1`. */
export function foldText(text: string): string {
  const lower = text.toLowerCase();
  if (!BEYOND_ASCII.test(lower)) return lower;
  return lower
    .normalize("NFKD")
    .replace(ACCENTS, "")
    .replace(SPECIAL_LETTERS, (letter) => PLAIN_LETTERS.get(letter) ?? letter)
    .normalize("NFC");
}

/** False for most texts, at little cost: it may hold a script without spaces between words. */
export function mayBeUnspaced(text: string): boolean {
  return MAYBE_UNSPACED.test(text);
}

/** The words of a folded text, in order. */
export function wordsOf(folded: string): string[] {
  return folded.match(BEYOND_ASCII.test(folded) ? WORD : ASCII_WORD) ?? [];
}

const ASCII_CHUNK = /[a-z\d]+(?:[-./_][a-z\d]+)*/g;
const CHUNK = /[\p{L}\p{N}\p{M}]+(?:[-./_][\p{L}\p{N}\p{M}]+)*/gu;

/** The words that tell a folded text's language: the `de` in a name with hyphens, as in a host's, does not. */
export function tellingWordsOf(folded: string): string[] {
  const chunks = folded.match(BEYOND_ASCII.test(folded) ? CHUNK : ASCII_CHUNK) ?? [];
  return chunks.filter((chunk) => !/[-./_]/.test(chunk));
}

/** For a character of folded text: letters of every script, digits, marks. Rough beyond ASCII. */
export function isWordCode(code: number): boolean {
  if (code < 0xc0) return (code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x7a);
  return !(
    (code >= 0x2000 && code <= 0x206f) ||
    (code >= 0x3000 && code <= 0x303f) ||
    (code >= 0xff00 && code <= 0xff0f)
  );
}

/** Where the letters of each script lie, near enough: the last code of each stretch, and what is in it. */
const SCRIPT_STRETCHES: readonly (readonly [number, string | null])[] = [
  [0x40, null],
  [0x24f, "latin"],
  [0x36f, null],
  [0x3ff, "greek"],
  [0x52f, "cyrillic"],
  [0x58f, "armenian"],
  [0x5ff, "hebrew"],
  [0x8ff, "arabic"],
  [0x97f, "devanagari"],
  [0xdff, "indic"],
  [0xe7f, "thai"],
  [0xeff, "lao"],
  [0xfff, "tibetan"],
  [0x109f, "myanmar"],
  [0x10ff, "georgian"],
  [0x11ff, "hangul"],
  [0x137f, "ethiopic"],
  [0x177f, "other"],
  [0x17ff, "khmer"],
  [0x1dff, "other"],
  [0x1eff, "latin"],
  [0x1fff, "greek"],
  [0x303f, null],
  [0x30ff, "kana"],
  [0x31ff, "other"],
  [0x33ff, null],
  [0x9fff, "han"],
  [0xabff, "other"],
  [0xd7ff, "hangul"],
  [0xf8ff, null],
  [0xfaff, "han"],
  [0xfdff, "arabic"],
  [0xfe6f, null],
  [0xfeff, "arabic"],
];

/** How many letters of a script stand for about one word of it, so that one kanji outweighs one Latin letter. */
const LETTERS_PER_WORD: Readonly<Record<string, number>> = { han: 2, kana: 3, hangul: 3 };
const OTHER_LETTERS_PER_WORD = 5;
/** A text shows its script in its first lines. */
const SCRIPT_SAMPLE_CHARS = 300;

/** The script that the beginning of a text is mostly in; null for one without letters. Any kana makes it Japanese. */
export function mainScript(text: string): string | null {
  const words = new Map<string, number>();
  for (let at = 0; at < Math.min(text.length, SCRIPT_SAMPLE_CHARS); at++) {
    const script = scriptOf(text.charCodeAt(at));
    if (script === null) continue;
    words.set(script, (words.get(script) ?? 0) + 1 / (LETTERS_PER_WORD[script] ?? OTHER_LETTERS_PER_WORD));
  }
  const [best] = [...words].sort(([, a], [, b]) => b - a);
  if (best === undefined) return null;
  return best[0] === "han" && words.has("kana") ? "kana" : best[0];
}

function scriptOf(code: number): string | null {
  if (code < 0x80) return (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a ? "latin" : null;
  return SCRIPT_STRETCHES.find(([last]) => code <= last)?.[1] ?? null;
}
