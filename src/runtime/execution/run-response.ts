import type { GraphAnswer } from "../tool.ts";

/** Statuses whose answers have no body, whatever the graph says. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\b/i;

/**
 * Agents of all owners answer from one origin, the dashboard's. In a sandbox a page that a graph sends is of no origin,
 * runs no script and reads nothing that the dashboard keeps.
 */
const ISOLATION = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
  "x-content-type-options": "nosniff",
};

/** JSON unless the graph names another type for a text. */
export function toResponse(answer: GraphAnswer, runId: string): Response {
  const { status, body } = answer;
  const headers = headersOf(answer, runId);
  if (!hasBody(answer)) return new Response(null, { status, headers });
  const isText = typeof body === "string" && !JSON_TYPE.test(headers["content-type"] ?? "");
  // workerd writes half a surrogate pair as bytes that are no UTF-8; JSON escapes it.
  return new Response(isText ? body.toWellFormed() : JSON.stringify(body), { status, headers });
}

export function hasBody({ status, body }: GraphAnswer): boolean {
  return body !== undefined && !WITHOUT_BODY.has(status);
}

/** With names in lower case. */
export function headersOf(answer: GraphAnswer, runId: string): Readonly<Record<string, string>> {
  const type = hasBody(answer) ? { "content-type": "application/json" } : {};
  return { "cache-control": "no-store", ...type, ...answer.headers, ...ISOLATION, "x-run-id": runId };
}
