import { MASK } from "../../core/mask.ts";
import { err, ok, type Result } from "../../core/result.ts";

/** A part of a URL's text: its author's, or what a reference brings in, by the name of that reference. */
export interface UrlPart {
  readonly text: string;
  readonly reference: string | null;
}

/** A scheme, a host and the slash behind it, as the URL parser takes them: it does not insist on two slashes. */
const ORIGIN = /^\s*[a-z][a-z0-9+.-]*:[/\\]*[^/\\?#]+(?=[/\\])/i;

/** A segment that leads elsewhere, as the URL parser sees it: `%2e` is a dot to it. */
const DOTS = /^(?:\.|%2e){1,2}$/i;

/**
 * The parts as one URL in which what references bring in stays where the author put it: one segment of the path, one
 * value of the query, nothing of the fragment. In front of the path it is written as it is, since it says who is asked,
 * which is for the policy to judge. The error is a sentence that names the reference and no value.
 */
export function writeUrl(parts: readonly UrlPart[]): Result<string, string> {
  let url = "";
  const inPath: { readonly reference: string; readonly from: number; readonly to: number }[] = [];
  for (const { text, reference } of parts) {
    const place = reference === null ? "origin" : placeAfter(url);
    const isHeld = place === "path" || place === "query";
    if (reference !== null && place === "path" && text.split(/[/\\]/).some((part) => DOTS.test(part))) {
      return err(leadsOut(reference));
    }
    const from = url.length;
    if (place !== "fragment") url += isHeld ? encode(text) : text;
    if (reference !== null && place === "path") inPath.push({ reference, from, to: url.length });
  }
  // Of two references, or of one and its neighbours, can come what is in none of them.
  for (const { from, to } of dotSegments(url)) {
    const within = inPath.find((brought) => brought.from < to && brought.to > from);
    if (within !== undefined) return err(leadsOut(within.reference));
  }
  return ok(url);
}

function placeAfter(url: string): "origin" | "path" | "query" | "fragment" {
  if (url.includes("#")) return "fragment";
  if (url.includes("?")) return "query";
  return ORIGIN.test(url) ? "path" : "origin";
}

/** A mask is for reading, and never asked for. */
function encode(text: string): string {
  return text === MASK ? text : encodeURIComponent(text.toWellFormed());
}

function leadsOut(reference: string): string {
  return `${reference} would lead out of its place in the URL's path: it makes a segment . or ..`;
}

function dotSegments(url: string): readonly { readonly from: number; readonly to: number }[] {
  const origin = ORIGIN.exec(url)?.[0].length;
  if (origin === undefined) return [];
  const [path = ""] = url.slice(origin).split(/[?#]/, 1);
  const segments = path.matchAll(/[^/\\]+/g);
  return Array.from(segments).flatMap(({ 0: text, index }) =>
    DOTS.test(text) ? [{ from: origin + index, to: origin + index + text.length }] : [],
  );
}
