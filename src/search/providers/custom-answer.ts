import type { FieldError } from "../../core/errors.ts";
import { type Json, ownProperty } from "../../core/json.ts";
import { RAW_RESULTS_MAX_ITEMS } from "../limits.ts";
import type { RawResult } from "../quality/results.ts";
import type { CustomDefinition } from "./custom-definition.ts";

/** `fault` names the path of the definition that does not fit what came. */
export type CustomAnswer =
  | { readonly ok: true; readonly results: readonly RawResult[]; readonly answer: string | null }
  | { readonly ok: false; readonly fault: FieldError };

/** What an answer holds by its definition. `body` is undefined where it was no JSON. */
export function readCustomAnswer(paths: CustomDefinition["answer"], body: Json | undefined): CustomAnswer {
  if (body === undefined) return fault("request.url", "the provider's answer is no JSON, or too long");
  const list = readPath(body, paths.results);
  if (!Array.isArray(list)) return fault("answer.results", "leads to no list in what the provider answered");
  const items = list.slice(0, RAW_RESULTS_MAX_ITEMS);
  const results = items.flatMap((item) => readItem(paths, item));
  if (results.length === 0 && items.length > 0) {
    const field = items.some((item) => textAt(item, paths.title) !== null) ? "url" : "title";
    return fault(`answer.${field}`, "leads to no text in any of the results");
  }
  return { ok: true, results, answer: textAt(body, paths.answer) };
}

/** Own properties and places in lists only; undefined where the path leads nowhere. */
export function readPath(value: unknown, path: string): unknown {
  if (path === "") return value;
  return path.split(".").reduce((node, segment) => {
    if (Array.isArray(node)) return /^\d{1,6}$/.test(segment) ? node[Number(segment)] : undefined;
    return ownProperty(node, segment);
  }, value);
}

function readItem(paths: CustomDefinition["answer"], item: unknown): RawResult[] {
  const title = textAt(item, paths.title);
  const url = textAt(item, paths.url);
  if (title === null || url === null) return [];
  const score = paths.score === undefined ? undefined : readPath(item, paths.score);
  return [
    {
      title,
      url,
      content: textAt(item, paths.content) ?? "",
      score: typeof score === "number" ? score : null,
      publishedDate: textAt(item, paths.publishedDate),
      rawContent: null,
    },
  ];
}

function textAt(value: unknown, path: string | undefined): string | null {
  const found = path === undefined ? undefined : readPath(value, path);
  return typeof found === "string" ? found : null;
}

function fault(path: string, message: string): CustomAnswer {
  return { ok: false, fault: { path, message } };
}
