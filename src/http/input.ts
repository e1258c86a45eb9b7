import type * as z from "zod";
import { type FieldError, validationFailed } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { ok, type Result } from "../core/result.ts";
import { parseJsonText } from "./body.ts";
import { BODY_MEMO_MAX_CHARS, BODY_MEMO_MAX_ENTRIES } from "./limits.ts";

/** A body as it came, and as the route wants it. */
export interface ReadBody<B> {
  readonly raw: Json | undefined;
  readonly parsed: Result<B>;
}

export function noBody<B extends z.ZodType>(schema: B | undefined): ReadBody<z.output<B>> {
  return { raw: undefined, parsed: parse(schema, undefined, "body") };
}

export function parseBody<B extends z.ZodType>(
  schema: B | undefined,
  text: string,
  memo: BodyMemo<z.output<B>> | undefined,
): Result<ReadBody<z.output<B>>> {
  if (text === "") return ok(noBody(schema));
  const raw = parseJsonText(text);
  if (!raw.ok) return raw;
  const read = ok({ raw: raw.value, parsed: parse(schema, raw.value, "body") });
  if (read.value.parsed.ok) memo?.set(text, read);
  return read;
}

export interface BodyMemo<B> {
  get(text: string): Result<ReadBody<B>> | undefined;
  set(text: string, read: Result<ReadBody<B>>): void;
}

/** The oldest goes first; long bodies are not kept. */
export function createBodyMemo<B>(): BodyMemo<B> {
  const memo = new Map<string, Result<ReadBody<B>>>();
  return {
    get: (text) => memo.get(text),
    set(text, read) {
      if (text.length > BODY_MEMO_MAX_CHARS) return;
      memo.set(text, read);
      const oldest = memo.size > BODY_MEMO_MAX_ENTRIES ? memo.keys().next() : undefined;
      if (oldest !== undefined && !oldest.done) memo.delete(oldest.value);
    },
  };
}

export function parse<T extends z.ZodType>(schema: T | undefined, value: unknown, whole: string): Result<z.output<T>> {
  // Without a schema T is ZodUndefined, so undefined is what the handler's type promises.
  if (schema === undefined) return ok(undefined as z.output<T>);
  const parsed = schema.safeParse(value);
  if (parsed.success) return ok(parsed.data);
  return validationFailed(parsed.error.issues.map((issue) => toFieldError(issue, whole)));
}

export function toFieldError(issue: z.core.$ZodIssue, whole = ""): FieldError {
  const path = issue.path.map(String).join(".");
  if (path === "" && issue.code === "invalid_type" && whole !== "") {
    return { path, message: `${whole}: expected ${issue.expected}` };
  }
  return { path, message: issue.message };
}
