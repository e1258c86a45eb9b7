import { type RecordedCall, type Reply, type StandIn, startStandIn } from "./stand-in.ts";

export const JINA_KEY = "jina_stand_in_key";

const FIELDS: readonly string[] = ["q", "num", "page", "gl", "hl", "location", "site", "type"];

const NAMES: Readonly<Record<number, string>> = {
  40103: "AuthenticationFailedError",
  40203: "InsufficientBalanceError",
  40301: "SuspendedError",
  42204: "AssertionFailureError",
  42205: "UpstreamError",
  42206: "AssertionFailureError",
  42903: "RateLimitTriggeredError",
};

/** What Jina puts into `status` for its plain HTTP statuses. */
const CODES: Readonly<Record<number, number>> = { 401: 40103, 402: 40203, 403: 40301, 422: 42201, 429: 42903 };

/** A server that answers and fails as Jina's search does. */
export function startJina(): Promise<StandIn> {
  return startStandIn({ answer: answerJina, error: jinaError });
}

/** By HTTP status, or by Jina's own code: 42204 is a 422. */
export function jinaError(statusOrCode: number): Reply {
  const code = statusOrCode > 999 ? statusOrCode : (CODES[statusOrCode] ?? statusOrCode * 100);
  const status = Math.floor(code / 100);
  if (statusOrCode === 500) return { status, body: { code: 500, message: "Unexpected failure", name: "Error" } };
  if (statusOrCode === 524) {
    return {
      status,
      headers: { "Content-Type": "text/html" },
      body: "<html><title>524: A timeout occurred</title></html>",
    };
  }
  const message = code === 42206 ? "No search results available for query X" : "It did not work";
  return {
    status,
    ...(status === 429 ? { headers: { "Retry-After": "7" } } : {}),
    body: {
      data: null,
      code: status,
      name: NAMES[code] ?? "ParamValidationError",
      status: code,
      message,
      readableMessage: `${NAMES[code]}: ${message}`,
      ...(status === 429 ? { retryAfter: 12 } : {}),
    },
  };
}

function answerJina(call: RecordedCall, mood: "ok" | "empty" | "unrelated"): Reply {
  const { method, path, headers, body } = call;
  if (method !== "POST" || path !== "/")
    return { status: 404, body: { code: 404, name: "NotFoundError", status: 40400 } };
  if (headers.authorization !== `Bearer ${JINA_KEY}`) return jinaError(401);
  if (body === undefined || !isValid(body)) return jinaError(400);
  if (mood === "empty") return jinaError(42206);
  const subject = mood === "unrelated" ? "Cheap flights to somewhere else" : String(body.q);
  const withContent = headers["x-respond-with"] !== "no-content";
  const sites = typeof body.site === "string" ? [body.site] : ((body.site as string[] | undefined) ?? []);
  const data = Array.from({ length: Number(body.num ?? 10) }, (_, i) => ({
    title: `${subject} · Jina ${i + 1}`,
    url: `https://${sites[i % Math.max(1, sites.length)] ?? `site${i}.jina.example`}/page/${i + 1}`,
    description: `What Jina knows about ${subject}, number ${i + 1}.`,
    content: withContent ? `All of page ${i + 1} about ${subject}.` : "",
    date: i === 0 ? "3 days ago" : "Jan 2, 2026",
    usage: { tokens: 1_000 },
  }));
  return { status: 200, body: { code: 200, status: 20_000, data, meta: { usage: { tokens: 10_000 } } } };
}

function isValid(body: Record<string, unknown>): boolean {
  if (Object.keys(body).some((field) => !FIELDS.includes(field))) return false;
  const { q, num = 10, gl = "us", hl = "en", type = "web", site = [] } = body;
  return (
    typeof q === "string" &&
    q !== "" &&
    typeof num === "number" &&
    num >= 0 &&
    num <= 20 &&
    /^[a-z]{2}$/.test(String(gl)) &&
    /^[a-z]{2}$/.test(String(hl)) &&
    ["web", "images", "news"].includes(String(type)) &&
    (typeof site === "string" || Array.isArray(site))
  );
}
