import { type RecordedCall, type Reply, type StandIn, startStandIn } from "./stand-in.ts";

/** A server that answers and fails as a Wikipedia's API does. */
export function startWikipedia(): Promise<StandIn> {
  return startStandIn({ answer: answerWikipedia, error: wikipediaError });
}

export function wikipediaError(status: number): Reply {
  const page = (text: string): Reply => ({
    status,
    headers: { "Content-Type": "text/html", ...(status === 429 ? { "Retry-After": "5" } : {}) },
    body: `<!doctype html><title>${text}</title>`,
  });
  if (status === 403) return page("Please set a user-agent and respect our robot policy.");
  return page(status === 429 ? "Too many requests" : "Wikimedia Error");
}

/** A failure that comes as 200. */
export function wikipediaFault(code: string, retryAfter?: string): Reply {
  return {
    status: 200,
    headers: { "MediaWiki-API-Error": code, ...(retryAfter === undefined ? {} : { "Retry-After": retryAfter }) },
    body: { error: { code, info: "It did not work.", docref: "See https://en.wikipedia.org/w/api.php" } },
  };
}

/** A generic User-Agent, or one that names nobody to write to. */
function isAnonymous(userAgent: string | undefined): boolean {
  return userAgent === undefined || /^(?:node|undici|curl|python)/i.test(userAgent) || !/https?:\/\/|@/.test(userAgent);
}

function answerWikipedia({ method, path, headers }: RecordedCall, mood: "ok" | "empty" | "unrelated"): Reply {
  const url = new URL(path, "http://wikipedia.test");
  if (method !== "GET" || !url.pathname.endsWith("/w/api.php")) return wikipediaError(404);
  if (isAnonymous(headers["user-agent"])) return wikipediaError(403);
  const asked = Object.fromEntries(url.searchParams);
  if (asked.format !== "json" || asked.formatversion !== "2") return wikipediaError(500);
  if (asked.action !== "query" || asked.list !== "search") return wikipediaFault("badvalue");
  if (!asked.srsearch) return wikipediaFault("missingparam");
  const limit = Number(asked.srlimit ?? 10);
  if (!(limit >= 1 && limit <= 500)) return wikipediaFault("badinteger");
  const subject = mood === "unrelated" ? "Cheap flights" : asked.srsearch;
  const search = Array.from({ length: mood === "empty" ? 0 : limit }, (_, i) => ({
    ns: 0,
    title: i === 0 ? `${subject}` : `${subject} (part ${i + 1})`,
    pageid: 1_000 + i,
    snippet: `All about <span class="searchmatch">${subject}</span> &amp; more, number ${i + 1}`,
    ...(asked.srprop?.includes("timestamp") ? { timestamp: "2026-02-12T09:00:00Z" } : {}),
  }));
  const query = { searchinfo: { totalhits: search.length }, search };
  return { status: 200, body: { batchcomplete: true, query } };
}
