import type * as z from "zod";
import { type FieldError, validationFailed } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { createRecent, type Recent } from "../core/recent.ts";
import { ok, type Result } from "../core/result.ts";
import { parseJsonText } from "./body.ts";
import { INPUT_MEMO_MAX_CHARS, INPUT_MEMO_MAX_ENTRIES } from "./limits.ts";
import { textFaults } from "./text-faults.ts";

/** A body as it came, and as the route wants it. */
export interface ReadBody<B> {
  readonly raw: Json | undefined;
  readonly parsed: Result<B>;
}

export function noBody<B extends z.ZodType>(schema: B | undefined): ReadBody<z.output<B>> {
  return { raw: undefined, parsed: parse(schema, undefined, "body") };
}

/** `anyText`: see `EndpointSpec`. A path and a query are never ill-formed: they were decoded from UTF-8. */
export function parseBody<B extends z.ZodType>(
  schema: B | undefined,
  text: string,
  { memo, anyText }: { readonly memo: Memo<Result<ReadBody<z.output<B>>>> | undefined; readonly anyText: boolean },
): Result<ReadBody<z.output<B>>> {
  if (text === "") return ok(noBody(schema));
  const raw = parseJsonText(text);
  if (!raw.ok) return raw;
  const parsed = parse(schema, raw.value, "body");
  // Nothing but an escape can spell what is refused.
  const mayHoldBadText = !anyText && text.includes("\\u");
  const read = ok({ raw: raw.value, parsed: mayHoldBadText ? refuseBadText(parsed) : parsed });
  if (read.value.parsed.ok) memo?.set(text, read);
  return read;
}

/** Of what the schema kept: what it drops is stored nowhere. */
function refuseBadText<T>(parsed: Result<T>): Result<T> {
  const faults = parsed.ok ? textFaults(parsed.value) : [];
  return faults.length > 0 ? validationFailed(faults) : parsed;
}

/** What was made of texts that come again and again; long ones are not kept. */
export type Memo<V> = Pick<Recent<V>, "get" | "set">;

export function createMemo<V>(): Memo<V> {
  const memo = createRecent<V>(INPUT_MEMO_MAX_ENTRIES);
  return {
    get: memo.get,
    set(text, value) {
      if (text.length <= INPUT_MEMO_MAX_CHARS) memo.set(text, value);
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
    return { path, message: `${whole}: ${issue.message}` };
  }
  return { path, message: issue.message };
}
