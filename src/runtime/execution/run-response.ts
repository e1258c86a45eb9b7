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
export function toResponse({ status, headers, body }: GraphAnswer, runId: string): Response {
  const fixed = { ...ISOLATION, "x-run-id": runId };
  const given = { "cache-control": "no-store", ...headers, ...fixed };
  if (body === undefined || WITHOUT_BODY.has(status)) return new Response(null, { status, headers: given });
  const type = headers["content-type"] ?? "application/json";
  const text = typeof body === "string" && !JSON_TYPE.test(type) ? body : JSON.stringify(body);
  return new Response(text, { status, headers: { ...given, "content-type": type } });
}
