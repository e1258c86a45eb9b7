import { type RecordedCall, type Reply, type StandIn, startStandIn } from "./stand-in.ts";

const FIELDS: readonly string[] = [
  "q",
  "format",
  "categories",
  "engines",
  "language",
  "pageno",
  "time_range",
  "safesearch",
];

/** More than anybody asks for: it takes no limit. */
const RESULTS = 30;

/** A server that answers and fails as an operator's SearXNG does. */
export function startSearxng(): Promise<StandIn> {
  return startStandIn({ answer: answerSearxng, error: searxngError });
}

/** 403 is what it answers while its settings do not allow `json`; errors are pages. */
export function searxngError(status: number): Reply {
  const names: Readonly<Record<number, string>> = { 403: "Forbidden", 429: "Too Many Requests" };
  return {
    status,
    headers: { "Content-Type": "text/html", ...(status === 429 ? { "Retry-After": "30" } : {}) },
    body: `<!doctype html><title>${status} ${names[status] ?? "Error"}</title>`,
  };
}

/** Nothing, because no engine answered. */
export const ENGINES_DOWN: Reply = {
  status: 200,
  body: {
    query: "q",
    number_of_results: 0,
    results: [],
    answers: [],
    corrections: [],
    infoboxes: [],
    suggestions: [],
    unresponsive_engines: [
      ["duckduckgo", "CAPTCHA"],
      ["google", "timeout"],
    ],
  },
};

function answerSearxng({ method, path }: RecordedCall, mood: "ok" | "empty" | "unrelated"): Reply {
  const url = new URL(path, "http://searxng.test");
  if (method !== "GET" || url.pathname !== "/search") return searxngError(404);
  const asked = Object.fromEntries(url.searchParams);
  if (asked.format !== "json") return searxngError(403);
  if (!isValid(asked)) return searxngError(400);
  const subject = mood === "unrelated" ? "Cheap flights to somewhere else" : asked.q;
  const results = Array.from({ length: mood === "empty" ? 0 : RESULTS }, (_, i) => ({
    title: `${subject} · SearXNG ${i + 1}`,
    url: `https://site${i}.searxng.example/page/${i + 1}`,
    content: `What engines know about <b>${subject}</b>, number ${i + 1}.`,
    engine: "brave",
    engines: ["brave", "duckduckgo"],
    publishedDate: i === 0 ? "2026-02-12T00:00:00" : null,
    score: 12.5 - i / 4,
    category: asked.categories ?? "general",
  }));
  return {
    status: 200,
    body: {
      query: asked.q,
      // As the real thing: no number to trust.
      number_of_results: 0,
      results,
      answers: [{ template: "answer/legacy.html", answer: `In short: ${subject}`, url: null }],
      corrections: [],
      infoboxes: [],
      suggestions: ["something else"],
      unresponsive_engines: mood === "empty" ? [] : [["google", "timeout"]],
    },
  };
}

function isValid(asked: Record<string, string>): boolean {
  const { q = "", time_range = "day", language = "en", safesearch = "0", pageno = "1" } = asked;
  return (
    Object.keys(asked).every((field) => FIELDS.includes(field)) &&
    q !== "" &&
    ["day", "month", "year"].includes(time_range) &&
    /^[a-z]{2,3}(?:-[A-Za-z]{2})?$/.test(language) &&
    ["0", "1", "2"].includes(safesearch) &&
    /^[1-9]\d*$/.test(pageno)
  );
}
