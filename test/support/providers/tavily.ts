import { type RecordedCall, type Reply, type StandIn, startStandIn } from "./stand-in.ts";

export const TAVILY_KEY = "tvly-stand-in-key";

const FIELDS: readonly string[] = [
  ..."query search_depth max_results topic time_range start_date end_date include_answer include_raw_content".split(
    " ",
  ),
  ..."include_images include_favicon include_usage exact_match auto_parameters include_domains exclude_domains".split(
    " ",
  ),
  ..."include_domains_mode country chunks_per_source".split(" "),
];

const ENUMS: Readonly<Record<string, readonly unknown[]>> = {
  search_depth: ["basic", "advanced", "fast", "ultra-fast"],
  topic: ["general", "news", "finance"],
  time_range: ["day", "week", "month", "year", "d", "w", "m", "y", null],
  include_answer: [true, false, "basic", "advanced"],
  include_raw_content: [true, false, "markdown", "text"],
  include_domains_mode: ["restrict", "filter", "boost"],
};

/** A server that answers and fails as Tavily's search does. */
export function startTavily(): Promise<StandIn> {
  return startStandIn({ answer: answerTavily, error: tavilyError });
}

/** The same server as those without a key meet it. */
export function startTavilyKeyless(): Promise<StandIn> {
  return startStandIn({ answer: answerKeyless, error: keylessError });
}

/** A 429 is its hourly cap; `retrySeconds` may be null. */
export function keylessError(status: number, retrySeconds: number | null = 40): Reply {
  if (status !== 429) return tavilyError(status);
  const error = {
    code: "hourly_cap_reached",
    message: "Hourly keyless limit reached.",
    window: "hour",
    retry_after_seconds: retrySeconds,
    next_actions: [{ type: "sign_up", url: "https://app.tavily.example" }],
  };
  return { status, body: { error } };
}

export function tavilyError(status: number): Reply {
  const detail = (error: string) => ({ detail: { error } });
  if (status === 401) return { status, body: detail("Unauthorized: missing or invalid API key.") };
  if (status === 422) return { status, body: unprocessable("query", "Field required") };
  if (status === 429) return { status, headers: { "Retry-After": "60" }, body: detail("Too many requests.") };
  if (status === 432) return { status, body: detail("This request exceeds your plan's set usage limit.") };
  if (status === 433) return { status, body: detail("This request exceeds the pay-as-you-go limit.") };
  return { status, body: { error: "Internal Server Error" } };
}

/** Half of the key's credits are used up, and a tenth of the plan's. */
const USAGE = {
  key: { usage: 500, limit: 1_000 },
  account: { current_plan: "Bootstrap", plan_usage: 1_500, plan_limit: 15_000, paygo_usage: 0, paygo_limit: 100 },
};

function answerTavily(call: RecordedCall, mood: "ok" | "empty" | "unrelated"): Reply {
  const { method, path, headers } = call;
  const isKnown = headers.authorization === `Bearer ${TAVILY_KEY}`;
  if (method === "GET" && path === "/usage") return isKnown ? { status: 200, body: USAGE } : tavilyError(401);
  return isKnown ? answerSearch(call, mood) : tavilyError(401);
}

function answerKeyless(call: RecordedCall, mood: "ok" | "empty" | "unrelated"): Reply {
  const { "x-tavily-access-mode": mode, authorization } = call.headers;
  return mode === "keyless" && authorization === undefined ? answerSearch(call, mood) : tavilyError(401);
}

function answerSearch(call: RecordedCall, mood: "ok" | "empty" | "unrelated"): Reply {
  const { body } = call;
  const refused = refuse(call);
  if (refused !== null) return refused;
  const asked = body ?? {};
  const results = mood === "empty" ? [] : makeResults(asked, mood);
  return {
    status: 200,
    body: {
      query: asked.query,
      answer: asked.include_answer === false ? null : `An answer to ${String(asked.query)}`,
      images: ["https://img.example/1.png", { url: "https://img.example/2.png", description: "two" }],
      results,
      response_time: "1.67",
      usage: { credits: 1 },
      request_id: "00000000-0000-4000-8000-000000000000",
    },
  };
}

function refuse({ method, path, body }: RecordedCall): Reply | null {
  if (method !== "POST" || path !== "/search") return { status: 404, body: { detail: "Not Found" } };
  if (body === undefined) return { status: 422, body: unprocessable("body", "JSON decode error") };
  const [field, message] = faultOf(body) ?? [];
  if (field !== undefined) return { status: 422, body: unprocessable(field, message ?? "") };
  const sentence = complaintAbout(body);
  return sentence === null ? null : { status: 400, body: { detail: { error: sentence } } };
}

/** What its schema refuses: the field, and why. */
function faultOf(body: Record<string, unknown>): [string, string] | null {
  const unknown = Object.keys(body).find((field) => !FIELDS.includes(field));
  if (unknown !== undefined) return [unknown, "Extra inputs are not permitted"];
  if (typeof body.query !== "string" || body.query === "") return ["query", "Field required"];
  const odd = Object.entries(ENUMS).find(([field, allowed]) => field in body && !allowed.includes(body[field]));
  if (odd !== undefined) return [odd[0], "Input should be one of the allowed values"];
  const max = body.max_results ?? 5;
  return typeof max === "number" && max >= 0 && max <= 20 ? null : ["max_results", "0 to 20"];
}

/** What it refuses in words. */
function complaintAbout({ query, country, topic, include_domains, exclude_domains }: Record<string, unknown>) {
  if ([...String(query)].length > 400) return "Query is too long. Max query length is 400 characters.";
  if (listOf(include_domains).length > 300 || listOf(exclude_domains).length > 150) return "Too many domains.";
  const knowsCountry = topic === "general" && /^[a-z]{3,}(?: [a-z]+)*$/.test(String(country));
  return country === undefined || knowsCountry ? null : "Invalid country.";
}

/** Without a mode the wanted domains are a preference: two of the results are in them. */
function makeResults(asked: Record<string, unknown>, mood: "ok" | "unrelated"): unknown[] {
  const wanted = listOf(asked.include_domains);
  const strict = asked.include_domains_mode === "restrict" || asked.include_domains_mode === "filter";
  const subject = mood === "unrelated" ? "Cheap flights to somewhere else" : String(asked.query);
  return Array.from({ length: Number(asked.max_results ?? 5) }, (_, i) => {
    const host = wanted.length > 0 && (strict || i < 2) ? wanted[i % wanted.length] : `site${i}.tavily.example`;
    return {
      title: `${subject} · Tavily ${i + 1}`,
      url: `https://${host}/page/${i + 1}`,
      content: `What Tavily knows about ${subject}, number ${i + 1}.`,
      score: 0.9 - i / 100,
      raw_content: asked.include_raw_content === false ? null : `All of page ${i + 1} about ${subject}.`,
      ...(asked.topic === "news" ? { published_date: "Fri, 13 Feb 2026 10:30:00 GMT" } : {}),
    };
  });
}

function unprocessable(field: string, msg: string): unknown {
  return { detail: [{ type: "value_error", loc: ["body", field], msg, input: null }] };
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
