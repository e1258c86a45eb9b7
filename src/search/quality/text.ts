import { MARKUP_ALLOWANCE_FACTOR } from "../limits.ts";

const TAG = /<[/!?A-Za-z][^<>]*>/g;
const OPENINGS = /<+/g;
/** What HTML opens a tag, comment or declaration with, after `<`. A `<` before anything else is text. */
const TAG_FIRST = /[/!?A-Za-z]/;
const BREAKING_TAG = /^<\/?(?:br|p|div|li|ul|ol|tr|td|th|table|h[1-6]|hr|section|article|blockquote|pre)\b/i;
const ENTITY = /&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([A-Za-z]{2,8}));/g;
/**
 * Overrides of the writing direction hide what a text says, tag characters (U+E0000 and on) carry words that only a
 * language model reads; the others have no width and join no letters.
 */
const INVISIBLE =
  /[\u{34f}\u{ad}\u{180e}\u{200b}\u{202a}-\u{202e}\u{2060}-\u{2069}\u{feff}\u{fff9}-\u{fffb}\u{e0000}-\u{e0fff}]/gv;
const CONTROL_BUT_LINES = /[\p{Cc}--[\n\t]]/gv;
/** White space that is not one plain space already. */
const WIDE_SPACE = /\s{2,}|[^\S ]/g;
const WIDE_SPACE_IN_LINE = /[^\S\n]{2,}|[^\S\n ]/g;
const HIDDEN = new RegExp(`${CONTROL_BUT_LINES.source}|${INVISIBLE.source}`, "v");

const NAMED_ENTITIES: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
  ["nbsp", " "],
  ["ndash", "–"],
  ["mdash", "—"],
  ["hellip", "…"],
  ["middot", "·"],
  ["bull", "•"],
  ["lsquo", "‘"],
  ["rsquo", "’"],
  ["ldquo", "“"],
  ["rdquo", "”"],
  ["laquo", "«"],
  ["raquo", "»"],
  ["copy", "©"],
  ["reg", "®"],
  ["trade", "™"],
  ["deg", "°"],
  ["euro", "€"],
  ["pound", "£"],
]);

/** One line of plain text out of what may be HTML; see `cleanLines`. */
export function cleanText(text: string, maxChars: number): string {
  return cut(withoutMarkup(text, maxChars).replace(WIDE_SPACE, " ").trim(), maxChars);
}

/**
 * Plain text out of what may be HTML: no tags, entities decoded once, no control or invisible characters, valid
 * Unicode, at most `maxChars` UTF-16 units. Holds nothing that a browser would take for markup, also where tags were
 * written as entities or nested to survive one pass. Line breaks stay.
 */
export function cleanLines(text: string, maxChars: number): string {
  const lines = withoutMarkup(text, maxChars)
    .replace(WIDE_SPACE_IN_LINE, " ")
    .replace(/ ?\n ?/g, "\n")
    .replace(/\n{3,}/g, "\n\n");
  return cut(lines.trim(), maxChars);
}

/** True for what `cleanText` and `cleanLines` would not leave as it is: hidden characters, half a character, a length. */
export function isUnclean(text: string, maxChars: number): boolean {
  return text.length > maxChars || HIDDEN.test(text) || !text.isWellFormed();
}

/** True where a browser would see a tag's beginning. */
export function hasMarkup(text: string): boolean {
  return /<[/!?A-Za-z]/.test(text);
}

/** The first `maxChars` units, never half a character. */
export function cut(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  return text.slice(0, maxChars).replace(/[\ud800-\udbff]$/, "");
}

/** Most texts hold nothing that has to go: each step is skipped where a look shows that it would change nothing. */
function withoutMarkup(text: string, maxChars: number): string {
  const shown = dropHidden(cut(text, maxChars * MARKUP_ALLOWANCE_FACTOR).toWellFormed());
  const visible = shown.includes("<") ? dropTags(dropElement(dropElement(shown, "script"), "style")) : shown;
  if (!visible.includes("&")) return visible;
  // Hidden characters go before the tags are looked for: one inside `<script` must not save it.
  const decoded = dropHidden(decodeEntities(visible));
  return decoded.includes("<") ? dropTags(decoded) : decoded;
}

function dropHidden(text: string): string {
  if (!HIDDEN.test(text)) return text;
  return text.replace(/\r\n?/g, "\n").replace(INVISIBLE, "").replace(CONTROL_BUT_LINES, " ");
}

/** What is left of a tag after one pass, put together from pieces, loses every `<` before what makes it one. */
function dropTags(text: string): string {
  return text
    .replace(TAG, (tag) => (BREAKING_TAG.test(tag) ? " " : ""))
    .replace(OPENINGS, (run, at: number, whole: string) => (TAG_FIRST.test(whole.charAt(at + run.length)) ? "" : run));
}

/** A script's source is no text. Linear in the text's length, whatever it holds. */
function dropElement(text: string, name: "script" | "style"): string {
  const lower = text.toLowerCase();
  // Some letters change length in lower case; positions would then lie.
  if (lower.length !== text.length || !lower.includes(`<${name}`)) return text;
  let kept = "";
  let from = 0;
  for (;;) {
    const start = lower.indexOf(`<${name}`, from);
    const end = start === -1 ? -1 : lower.indexOf(`</${name}`, start);
    if (start === -1 || end === -1) return kept + text.slice(from);
    kept += `${text.slice(from, start)} `;
    const close = lower.indexOf(">", end);
    from = close === -1 ? text.length : close + 1;
  }
}

function decodeEntities(text: string): string {
  return text.replace(ENTITY, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return NAMED_ENTITIES.get(name) ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
    const isCharacter = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
    return isCharacter ? String.fromCodePoint(code) : "";
  });
}
