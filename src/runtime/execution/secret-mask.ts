import type { AppError } from "../../core/errors.ts";
import { isJsonObject, type Json } from "../../core/json.ts";
import { MASK, mapProperties } from "../../core/mask.ts";
import { createRecent } from "../../core/recent.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { GraphAnswer } from "../tool.ts";
import { commonForms, type WrittenForm, writtenForms } from "./secret-forms.ts";
import { hostVariants, numberVariants, writtenVariants } from "./secret-variants.ts";

/** Shorter values would be found everywhere; they keep nothing secret either. */
const SECRET_MIN_CHARS = 4;

/** Takes the values of a run's secrets out of what leaves it. */
export interface SecretMask {
  text(text: string): string;
  /** A copy, with names of properties masked as well. A number whose JSON holds a value becomes the masked text. */
  value(value: Json): Json;
  /** Of what is masked. */
  readonly longestChars: number;
  /** Whether the JSON of a number can hold a value: else no number is looked at. */
  readonly takesNumbers: boolean;
}

/**
 * Null where there is nothing to mask. Values are also found as JSON, URLs, forms, HTML, hexadecimal and base64 write
 * them, and as the names of hosts. The masks of the last sets of secrets are kept: compiling one costs more than most runs.
 */
export function createSecretMask(secrets: Iterable<string>): SecretMask | null {
  // Headers and addresses lose the blanks at their ends, which keep nothing secret.
  const cores = Array.from(secrets, (secret) => (isLong(secret.trim()) ? secret.trim() : secret));
  const long = [...new Set(cores)].filter(isLong);
  if (long.length === 0) return null;
  const key = JSON.stringify(long);
  const known = masks.get(key);
  if (known !== undefined) return known;
  const mask = compileMask(long.flatMap(formsOf));
  if (key.length <= KEPT_MASK_MAX_CHARS) masks.set(key, mask);
  return mask;
}

/** Those of the graphs that run most. One takes some 100 bytes for each character of its secrets. */
const MASKS_MAX = 32;
const KEPT_MASK_MAX_CHARS = 4_096;
const masks = createRecent<SecretMask>(MASKS_MAX);

/**
 * Takes out what `mask` does, and values that this run alone knows, as they are and as JSON and URLs write them. It is
 * compiled anew each time. A value that holds a secret is masked in parts.
 */
export function addToMask(mask: SecretMask | null, values: readonly string[]): SecretMask | null {
  if (values.length === 0) return mask;
  const all = values.flatMap((value) => [value, ...numberVariants(value).filter(isLong)]);
  const own = compileMask(all.flatMap(commonForms));
  if (mask === null) return own;
  const longestChars = Math.max(mask.longestChars, own.longestChars);
  const takesNumbers = mask.takesNumbers || own.takesNumbers;
  return createMask((given) => own.text(mask.text(given)), longestChars, takesNumbers);
}

function compileMask(forms: readonly WrittenForm[]): SecretMask {
  const heads = new RegExp(joinTexts(new Set(forms.flatMap((form) => [...headsOf(form)]))), "g");
  const byBeginning = groupByBeginning(forms);
  const longestChars = Math.max(...forms.map(mostChars));
  return createMask((given) => maskText(given, heads, byBeginning), longestChars, forms.some(isInNumbers));
}

type MaskText = (given: string) => string;

function createMask(text: MaskText, longestChars: number, takesNumbers: boolean): SecretMask {
  const mask: Masks = { text, number: takesNumbers ? (given) => maskNumber(given, text) : (given) => given };
  return { text, value: (given) => maskJson(given, mask), longestChars, takesNumbers };
}

/** Each of its pieces can be written in characters of numbers. */
function isInNumbers(form: WrittenForm): boolean {
  return form.every((texts) => texts.some((text) => /^[\d.eE+-]+$/.test(text)));
}

/** Of how JSON writes it: the forms in which it came are gone. True, false and null keep nothing secret. */
function maskNumber(given: number, text: MaskText): number | string {
  const written = String(given);
  const masked = text(written);
  return masked === written ? given : masked;
}

function isLong({ length }: string): boolean {
  return length >= SECRET_MIN_CHARS;
}

function formsOf(secret: string): readonly WrittenForm[] {
  const hosts = hostVariants(secret).filter(isLong);
  return [
    ...[secret, ...writtenVariants(secret).filter(isLong)].flatMap(writtenForms),
    ...hosts.map((host): WrittenForm => [[host]]),
  ];
}

/** What forms begin with is found by one regular expression of plain texts, which is small and fast; the rest is compared. */
const HEAD_CHARS = 6;
const HEADS_MAX = 64;

/** A form that begins with characters of many ways to be written has shorter heads, which are found more often. */
function headsOf(form: WrittenForm): ReadonlySet<string> {
  let heads: ReadonlySet<string> = new Set([""]);
  for (const texts of form) {
    if (heads.size * texts.length > HEADS_MAX) break;
    const longer = [...heads].flatMap((head) => texts.map((text) => (head + text).slice(0, HEAD_CHARS)));
    heads = new Set(longer);
    if (longer.every(({ length }) => length === HEAD_CHARS)) break;
  }
  return heads;
}

type FormsByBeginning = ReadonlyMap<string, readonly WrittenForm[]>;

function groupByBeginning(forms: readonly WrittenForm[]): FormsByBeginning {
  const groups = new Map<string, WrittenForm[]>();
  for (const form of forms) {
    for (const beginning of new Set(form[0]?.map((text) => text.charAt(0)))) {
      const group = groups.get(beginning);
      if (group === undefined) groups.set(beginning, [form]);
      else group.push(form);
    }
  }
  return groups;
}

function mostChars(form: WrittenForm): number {
  return form.reduce((sum, texts) => sum + texts.reduce((most, { length }) => Math.max(most, length), 0), 0);
}

function maskText(text: string, heads: RegExp, forms: FormsByBeginning): string {
  let masked = "";
  let from = 0;
  heads.lastIndex = 0;
  for (let found = heads.exec(text); found !== null; found = heads.exec(text)) {
    const end = endOf(text, found.index, forms.get(text.charAt(found.index)) ?? []);
    heads.lastIndex = end ?? found.index + 1;
    if (end === null) continue;
    masked += text.slice(from, found.index) + MASK;
    from = end;
  }
  return from === 0 ? text : masked + text.slice(from);
}

/** Where the longest of the forms ends that stand there: of a secret that another one is part of nothing stays. */
function endOf(text: string, from: number, forms: readonly WrittenForm[]): number | null {
  let longest: number | null = null;
  for (const form of forms) {
    const end = matchForm(text, from, form);
    if (end !== null && (longest === null || end > longest)) longest = end;
  }
  return longest;
}

/** Of so many pieces that agree the rest was cut off: they are taken, and are not compared again from each of them. */
const CUT_MIN_PIECES = 32;

function matchForm(text: string, from: number, form: WrittenForm): number | null {
  let at = from;
  for (let i = 0; i < form.length; i++) {
    const next = form[i]?.find((one) => text.startsWith(one, at));
    if (next === undefined) return i < CUT_MIN_PIECES ? null : at;
    at += next.length;
  }
  return at;
}

/** Sorted: texts that begin alike are then compared once. */
function joinTexts(texts: ReadonlySet<string>): string {
  const escaped = [...texts].sort().map((text) => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"));
  return escaped.join("|");
}

interface Masks {
  readonly text: MaskText;
  readonly number: (given: number) => number | string;
}

function maskJson(value: Json, mask: Masks): Json {
  if (typeof value === "string") return mask.text(value);
  if (typeof value === "number") return mask.number(value);
  if (Array.isArray(value)) return value.map((item: Json) => maskJson(item, mask));
  if (!isJsonObject(value)) return value;
  return mapProperties(value, mask.text, (inner) => maskJson(inner, mask));
}

/** A run's answer or error without the values of its secrets. */
export function maskResult(result: Result<GraphAnswer>, mask: SecretMask): Result<GraphAnswer> {
  if (!result.ok) return err(maskError(result.error, mask));
  const { status, headers, body } = result.value;
  const masked = Object.entries(headers).map(([name, value]) => [name, mask.text(value)] as const);
  return ok({ status, headers: Object.fromEntries(masked), ...(body === undefined ? {} : { body: mask.value(body) }) });
}

function maskError(error: AppError, mask: SecretMask): AppError {
  const detail = mask.text(error.detail);
  if (error.code !== "VALIDATION_FAILED") return { ...error, detail };
  const errors = error.errors.map(({ path, message }) => ({ path: mask.text(path), message: mask.text(message) }));
  return { ...error, detail, errors };
}

/** What may be logged of a thrown error. */
export function maskThrown(error: Error, mask: SecretMask | null): Error {
  if (mask === null) return error;
  const masked = new Error(mask.text(error.message));
  masked.name = error.name;
  if (error.stack !== undefined) masked.stack = mask.text(error.stack);
  return masked;
}
