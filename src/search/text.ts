import { MARKUP_ALLOWANCE_FACTOR } from "./limits.ts";

/** What HTML opens a tag, comment or declaration with. A `<` before anything else is text. */
const TAG_START = /<(?=[/!?A-Za-z])/g;
const TAG = /<[/!?A-Za-z][^<>]*>/g;
const BREAKING_TAG = /^<\/?(?:br|p|div|li|ul|ol|tr|td|th|table|h[1-6]|hr|section|article|blockquote|pre)\b/i;
const ENTITY = /&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([A-Za-z]{2,8}));/g;
/** Overrides of the writing direction hide what a text says; the others have no width and join no letters. */
const INVISIBLE = /[\u00ad\u200b\u202a-\u202e\u2060-\u2069\ufeff]/g;
const CONTROL_BUT_LINES = /(?![\n\t])\p{Cc}/gu;

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
  return cut(withoutMarkup(text, maxChars).replace(/\s+/g, " ").trim(), maxChars);
}

/**
 * Plain text out of what may be HTML: no tags, entities decoded once, no control or invisible characters, valid
 * Unicode, at most `maxChars` UTF-16 units. Holds nothing that a browser would take for markup, also where tags were
 * written as entities or nested to survive one pass. Line breaks stay.
 */
export function cleanLines(text: string, maxChars: number): string {
  const lines = withoutMarkup(text, maxChars)
    .replace(/[^\S\n]+/g, " ")
    .replace(/ ?\n ?/g, "\n")
    .replace(/\n{3,}/g, "\n\n");
  return cut(lines.trim(), maxChars);
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

function withoutMarkup(text: string, maxChars: number): string {
  const bounded = cut(text, maxChars * MARKUP_ALLOWANCE_FACTOR).toWellFormed();
  const visible = dropTags(dropElement(dropElement(dropHidden(bounded), "script"), "style"));
  // Hidden characters go before the tags are looked for: one inside `<script` must not save it.
  return dropTags(dropHidden(decodeEntities(visible)));
}

function dropHidden(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(INVISIBLE, "").replace(CONTROL_BUT_LINES, " ");
}

/** What is left of a tag after one pass, put together from pieces, loses the `<` that makes it one. */
function dropTags(text: string): string {
  return text.replace(TAG, (tag) => (BREAKING_TAG.test(tag) ? " " : "")).replace(TAG_START, "");
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
