import type { AppError } from "../../core/errors.ts";
import { isJsonObject, type Json } from "../../core/json.ts";
import { MASK } from "../../core/mask.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { GraphAnswer } from "../tool.ts";

/** Shorter values would be found everywhere; they keep nothing secret either. */
const SECRET_MIN_CHARS = 4;

/** Of a shorter one base64 leaves so few characters that they would be found in other texts. */
const BASE64_MIN_BYTES = 6;

/** Takes the values of a run's secrets out of what leaves it. */
export interface SecretMask {
  text(text: string): string;
  /** A copy, with names of properties masked as well. */
  value(value: Json): Json;
  /** Of what is masked. */
  readonly longestChars: number;
}

/** Null where there is nothing to mask. Values are also found as JSON, URLs, forms and base64 write them. */
export function createSecretMask(secrets: Iterable<string>): SecretMask | null {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < SECRET_MIN_CHARS) continue;
    for (const form of [secret, ...writtenForms(secret)]) forms.add(form);
  }
  if (forms.size === 0) return null;
  // The longest first: of a secret that another one is part of nothing stays.
  const sorted = [...forms].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(sorted.map(escapePattern).join("|"), "g");
  const text = (given: string) => given.replace(pattern, MASK);
  return { text, value: (given) => maskJson(given, text), longestChars: sorted[0]?.length ?? 0 };
}

function writtenForms(secret: string): readonly string[] {
  const bytes = encoder.encode(secret);
  return [
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret.toWellFormed()),
    new URLSearchParams({ "": secret }).toString().slice(1),
    ...(bytes.length < BASE64_MIN_BYTES ? [] : [0, 1, 2].flatMap((before) => base64Forms(bytes, before))),
  ];
}

const encoder = new TextEncoder();

/**
 * What base64 makes of a secret wherever it stands inside a longer text, as in basic credentials or a token's claims:
 * three bytes are four characters, so that there are three ways to be cut. The characters that it shares are left out.
 */
function base64Forms(secret: Uint8Array, before: number): readonly string[] {
  const text = "\0".repeat(before) + Array.from(secret, (byte) => String.fromCharCode(byte)).join("");
  const first = Math.ceil((before * 8) / 6);
  const own = btoa(text).slice(first, Math.floor((text.length * 8) / 6));
  return [own, own.replaceAll("+", "-").replaceAll("/", "_")];
}

function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

function maskJson(value: Json, text: (given: string) => string): Json {
  if (typeof value === "string") return text(value);
  if (Array.isArray(value)) return value.map((item: Json) => maskJson(item, text));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [text(name), maskJson(inner, text)]));
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
