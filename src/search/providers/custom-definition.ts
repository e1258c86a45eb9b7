import * as z from "zod";
import { isLiteralName } from "../../core/hosts/names.ts";
import { isNeverAsked } from "../../core/hosts/never-asked.ts";
import { isPrototypeKey, type Json } from "../../core/json.ts";
import { jsonObject } from "../../http/schemas.ts";
import { fillUrl, hasUnknownPlaceholder, holdsQuery, PLACEHOLDERS } from "./custom-template.ts";
import {
  CUSTOM_DEFINITION_MAX_CHARS,
  CUSTOM_ERRORS_MAX,
  CUSTOM_HEADER_NAME_MAX_CHARS,
  CUSTOM_HEADER_VALUE_MAX_CHARS,
  CUSTOM_HEADERS_MAX,
  CUSTOM_PATH_MAX_SEGMENTS,
  CUSTOM_PATH_SEGMENT_MAX_CHARS,
  CUSTOM_URL_MAX_CHARS,
} from "./provider-limits.ts";

/** What a failure of a registered provider can be told to mean. `empty` is none: nothing was found. */
export const CUSTOM_ERROR_REASONS = [
  "rate_limited",
  "quota",
  "unauthorized",
  "server_error",
  "bad_response",
  "empty",
] as const;

/** Set by the connection or by us, or about the way there: not the author's to name. */
const RESERVED_HEADER =
  /^(?:host|content-length|content-type|connection|keep-alive|transfer-encoding|te|trailer|upgrade|expect|accept-encoding|proxy-.*|sec-.*|cf-.*)$/i;

const SAMPLE = {
  query: "q",
  maxResults: 1,
  language: "en",
  country: "us",
  timeRange: "day",
  topic: "general",
} as const;

const url = z
  .string()
  .max(CUSTOM_URL_MAX_CHARS)
  .superRefine((text, context) => {
    const message = faultOfUrl(text);
    if (message !== null) context.addIssue({ code: "custom", message });
  });

/**
 * What is wrong with the address of a provider, or null. Loopback and private addresses are the operator's own network:
 * unlike a graph, admin may name them.
 */
function faultOfUrl(text: string): string | null {
  const authority = /^https?:\/\/([^/?#\\]+)/i.exec(text)?.[1];
  if (authority === undefined || /[\s\p{Cc}\\]/u.test(text)) return "an http or https URL";
  if (authority.includes("{{")) return "placeholders may stand in the path and in the query string, not in the host";
  if (hasUnknownPlaceholder(text)) return `knows the placeholders ${PLACEHOLDERS}`;
  const filled = fillUrl(text, SAMPLE);
  const parsed = filled === null ? null : URL.parse(filled);
  if (parsed === null || parsed.hash !== "") return "an http or https URL without fragment or dot segments";
  if (parsed.username !== "" || parsed.password !== "") return "must hold no credentials: put them into a header";
  if (isNeverAsked(parsed.hostname)) return "link-local and metadata addresses are not asked";
  const isLiteral = isLiteralName(parsed.hostname.replace(/\.+$/, ""));
  return isLiteral ? "the host's name stands for an address: write the address itself" : null;
}

const headerName = z
  .string()
  .max(CUSTOM_HEADER_NAME_MAX_CHARS)
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, "a header's name")
  .refine((name) => !RESERVED_HEADER.test(name), "is a header that the connection sets");

const headerValue = z
  .string()
  .min(1, "must not be empty")
  .max(CUSTOM_HEADER_VALUE_MAX_CHARS)
  .regex(/^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/, "visible ASCII characters, spaces between them")
  .refine((value) => !value.includes("{{"), "headers are constant: placeholders mean nothing in them");

export const customHeaders = z
  .record(headerName, headerValue)
  .refine((headers) => Object.keys(headers).length <= CUSTOM_HEADERS_MAX, `at most ${CUSTOM_HEADERS_MAX} headers`)
  .refine((headers) => {
    const names = Object.keys(headers).map((name) => name.toLowerCase());
    return new Set(names).size === names.length;
  }, "a header stands there twice");

export type CustomHeaders = Readonly<Record<string, string>>;

/** `a.b.0.c`: names of own properties, places in lists. */
function pathSchema(minSegments: number) {
  return z.string().refine((text) => {
    const segments = text === "" ? [] : text.split(".");
    const isBounded = segments.length >= minSegments && segments.length <= CUSTOM_PATH_MAX_SEGMENTS;
    return isBounded && segments.every(isPathSegment);
  }, `${minSegments} to ${CUSTOM_PATH_MAX_SEGMENTS} names separated by dots`);
}

function isPathSegment(segment: string): boolean {
  return segment !== "" && segment.length <= CUSTOM_PATH_SEGMENT_MAX_CHARS && !isPrototypeKey(segment);
}

const answer = z.strictObject({
  /** To the list of results. Empty where the whole answer is the list. */
  results: pathSchema(0),
  /** From a result on, as are the others but `answer`. */
  title: pathSchema(1),
  url: pathSchema(1),
  content: pathSchema(1),
  score: pathSchema(1).optional(),
  publishedDate: pathSchema(1).optional(),
  /** To the provider's own answer to the question, from the whole on. */
  answer: pathSchema(1).optional(),
});

const errors = z
  .record(z.string().regex(/^[45]\d\d$/, "a status from 400 to 599"), z.enum(CUSTOM_ERROR_REASONS))
  .refine((table) => Object.keys(table).length <= CUSTOM_ERRORS_MAX, `at most ${CUSTOM_ERRORS_MAX} statuses`);

const requestFields = { method: z.enum(["GET", "POST"]), url, body: jsonObject.optional() };

interface Template {
  readonly method: string;
  readonly url: string;
  readonly body?: Json | undefined;
}

function checkTemplate({ method, url: address, body }: Template, context: z.RefinementCtx): void {
  const text = body === undefined ? "" : JSON.stringify(body);
  const issue = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
  if (method === "GET" && body !== undefined) issue("body", "a GET has none");
  if (hasUnknownPlaceholder(text)) issue("body", `knows the placeholders ${PLACEHOLDERS}`);
  if (address.length + text.length > CUSTOM_DEFINITION_MAX_CHARS) issue("body", "is too long");
  if (!holdsQuery(address) && !holdsQuery(text)) issue("url", "{{query}} must stand in the URL or in the body");
}

/** How a registered provider is asked and read. Its headers are secrets and kept apart. */
export const customDefinition = z.strictObject({
  request: z.strictObject(requestFields).superRefine(checkTemplate),
  answer,
  errors: errors.optional(),
});

export type CustomDefinition = z.output<typeof customDefinition>;

/** The same as its author writes it, headers among the rest. */
export const customSubmission = {
  request: z.strictObject({ ...requestFields, headers: customHeaders.optional() }).superRefine(checkTemplate),
  answer,
  errors: errors.optional(),
};
