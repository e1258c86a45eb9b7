import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";
import type { SearchRequest } from "../contract.ts";

/** What a request template may ask of a question. Null where the question says nothing of it. */
export type TemplateValues = Pick<
  SearchRequest,
  "query" | "maxResults" | "language" | "country" | "timeRange" | "topic"
>;

const NAMES = [
  "query",
  "maxResults",
  "language",
  "country",
  "timeRange",
  "topic",
] as const satisfies readonly (keyof TemplateValues)[];

/** As they stand in a template, for messages. */
export const PLACEHOLDERS = NAMES.map((name) => `{{${name}}}`).join(", ");

const PLACEHOLDER = new RegExp(`\\{\\{(${NAMES.join("|")})\\}\\}`, "g");
const ONLY_PLACEHOLDER = new RegExp(`^\\{\\{(${NAMES.join("|")})\\}\\}$`);

/** A segment that a URL parser takes for "this folder" or "the one above". */
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:\/|$)/i;

/** True where the text opens a placeholder that there is not. */
export function hasUnknownPlaceholder(text: string): boolean {
  return text.replace(PLACEHOLDER, "").includes("{{");
}

/** True where the text takes the question in. */
export function holdsQuery(text: string): boolean {
  return text.includes("{{query}}");
}

/**
 * The address with the values in it, percent-encoded; a parameter whose value is null is left out. Null where a value
 * would lead to another path: a question of two dots climbs out of its folder.
 */
export function fillUrl(template: string, values: TemplateValues): string | null {
  const start = template.indexOf("?");
  const address = fillText(start === -1 ? template : template.slice(0, start), values, encode);
  if (DOT_SEGMENT.test(address)) return null;
  if (start === -1) return address;
  const pairs = template.slice(start + 1).split("&");
  const kept = pairs.filter((pair) => !asksForNothing(pair, values));
  return `${address}?${kept.map((pair) => fillText(pair, values, encode)).join("&")}`;
}

/** A text that is one placeholder takes the value's type, and where the value is null its field is left out. */
export function fillBody(template: JsonObject, values: TemplateValues): JsonObject {
  const entries = Object.entries(template).map(([key, node]) => [key, fillNode(node, values)] as const);
  return Object.fromEntries(entries.filter((entry): entry is [string, Json] => entry[1] !== undefined));
}

function fillNode(node: Json, values: TemplateValues): Json | undefined {
  if (typeof node === "string") {
    const name = ONLY_PLACEHOLDER.exec(node)?.[1];
    return name === undefined ? fillText(node, values, String) : (placeholderValue(name, values) ?? undefined);
  }
  if (Array.isArray(node)) {
    return node.map((item: Json) => fillNode(item, values)).filter((item) => item !== undefined);
  }
  return isJsonObject(node) ? fillBody(node, values) : node;
}

function fillText(text: string, values: TemplateValues, write: (value: string | number) => string): string {
  // A function, since `$&` and the like in a question would mean something in a replacement text.
  return text.replace(PLACEHOLDER, (_, name: string) => {
    const value = placeholderValue(name, values);
    return value === null ? "" : write(value);
  });
}

function asksForNothing(text: string, values: TemplateValues): boolean {
  return [...text.matchAll(PLACEHOLDER)].some(([, name = ""]) => placeholderValue(name, values) === null);
}

function placeholderValue(name: string, values: TemplateValues): string | number | null {
  const known = NAMES.find((other) => other === name);
  return known === undefined ? null : values[known];
}

function encode(value: string | number): string {
  return encodeURIComponent(String(value).toWellFormed());
}
