import { type RecordedCall, type Reply, type StandIn, startStandIn } from "./stand-in.ts";

export const CUSTOM_KEY = "acme-secret-0123456789";

/** A server of a make that the product knows nothing of: by GET or POST at /v2/find, results deep in its answer. */
export function startCustom(): Promise<StandIn> {
  return startStandIn({ answer: answerCustom, error: customError });
}

export function customError(status: number): Reply {
  return {
    status,
    ...(status === 429 ? { headers: { "Retry-After": "9" } } : {}),
    body: { fault: `upstream says ${status}: ${CUSTOM_KEY}` },
  };
}

/** How to register it. */
export function customDefinitionAt(url: string) {
  return {
    request: {
      method: "GET",
      url: `${url}/v2/find?text={{query}}&count={{maxResults}}&lang={{language}}`,
      headers: { "X-Acme-Key": CUSTOM_KEY },
    },
    answer: { results: "data.items", title: "name", url: "link.href", content: "text", score: "rank" },
  };
}

function answerCustom({ method, path, headers, body }: RecordedCall, mood: "ok" | "empty" | "unrelated"): Reply {
  const url = new URL(path, "http://custom.test");
  if (url.pathname !== "/v2/find") return customError(404);
  if (headers["x-acme-key"] !== CUSTOM_KEY) return customError(401);
  const asked: Record<string, unknown> = method === "GET" ? Object.fromEntries(url.searchParams) : (body ?? {});
  if (typeof asked.text !== "string" || asked.text === "") return customError(400);
  const subject = mood === "unrelated" ? "Cheap flights to somewhere else" : asked.text;
  const items = Array.from({ length: mood === "empty" ? 0 : Number(asked.count ?? 10) }, (_, i) => ({
    name: `${subject} · Acme ${i + 1}`,
    link: { href: `https://site${i}.acme.example/page/${i + 1}` },
    text: `What Acme knows about ${subject}, number ${i + 1}.`,
    rank: 0.8 - i / 100,
    when: "2026-02-01",
  }));
  return { status: 200, body: { data: { items, summary: `In short: ${subject}` } } };
}
