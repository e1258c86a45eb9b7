import { HOST_MAX_CHARS } from "../../core/hosts/names.ts";

/** Paths that hold a webhook's key are longer; of a shorter one the parts stand in other texts. */
const URL_PATH_MIN_CHARS = 20;

/**
 * What others make of a secret before they write it: in one line, as messages are told; a URL as its parser gives it
 * back, whole or from the path on; a number.
 */
export function writtenVariants(secret: string): readonly string[] {
  const line = secret.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ");
  return without(secret, [line, ...urlVariants(secret), ...numberVariants(secret)]);
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** Digits that are read as a number and written again lose zeros at their ends, and those beyond a double's precision. */
export function numberVariants(text: string): readonly string[] {
  const number = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(number) ? without(text, [String(number)]) : [];
}

/** What is left of a secret as the name of a host: in lower case, and as IDNA writes it. */
export function hostVariants(secret: string): readonly string[] {
  if (secret.length > HOST_MAX_CHARS) return [];
  const host = isAscii(secret) ? undefined : URL.parse(`https://${secret}/`)?.hostname;
  return without(secret, [secret.toLowerCase(), ...(host?.includes("xn--") ? [host] : [])]);
}

function urlVariants(secret: string): readonly string[] {
  const url = /^https?:/i.test(secret) ? URL.parse(secret) : null;
  if (url === null) return [];
  const { href, origin, pathname, search } = url;
  const variants = [href, href.replace(/#.*/, "")];
  if (pathname.length >= URL_PATH_MIN_CHARS) variants.push(`${origin}${pathname}`, pathname);
  if (pathname.length + search.length >= URL_PATH_MIN_CHARS) variants.push(`${pathname}${search}`);
  return variants;
}

function without(secret: string, variants: readonly string[]): readonly string[] {
  return [...new Set(variants)].filter((variant) => variant !== secret);
}

function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text);
}
