import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json } from "../../../src/core/json.ts";
import { cacheKeyOf } from "../../../src/search/cache/cache-key.ts";
import { ATTEMPT_REASONS, type SearchRequest, searchAnswer } from "../../../src/search/contract.ts";
import { readCustomAnswer } from "../../../src/search/providers/custom-answer.ts";
import { parseJinaAnswer } from "../../../src/search/providers/jina.ts";
import type { ProviderOutcome } from "../../../src/search/providers/provider.ts";
import { parseSearxngAnswer } from "../../../src/search/providers/searxng.ts";
import { parseTavilyAnswer } from "../../../src/search/providers/tavily.ts";
import { parseWikipediaAnswer } from "../../../src/search/providers/wikipedia.ts";
import { isRelevant } from "../../../src/search/quality/relevance.ts";
import { cleanAnswer, cleanResults } from "../../../src/search/quality/results.ts";
import { cleanLines, cleanText, hasMarkup } from "../../../src/search/quality/text.ts";
import { hostBelongsTo, safeUrl, urlIdentity } from "../../../src/search/quality/urls.ts";
import { requestOf } from "../../support/providers/harness.ts";
import { answersLike, anyQuery, hostileText } from "../../support/search-corpus/arbitraries.ts";

/** Nothing that a browser would act on, a terminal would obey, or a reader could not see. */
const UNSEEN = /[\p{Cc}--[\n\t]]|[\u202a-\u202e\u2066-\u2069\u200b\ufeff\u{e0000}-\u{e0fff}]/v;

function expectPlain(text: string): void {
  expect(hasMarkup(text)).toBe(false);
  expect(text).not.toMatch(UNSEEN);
  expect(text.isWellFormed()).toBe(true);
}

/** What every answer must be, whatever a provider sent. */
function expectSound(provider: string, request: SearchRequest, outcome: ProviderOutcome): void {
  if (!outcome.ok) {
    expect(ATTEMPT_REASONS).toContain(outcome.reason);
    return;
  }
  const results = cleanResults(provider, outcome.results, request);
  const answer = {
    query: request.query,
    results,
    answer: cleanAnswer(outcome.answer),
    provider,
    degraded: false,
    cache: { status: "miss", ageSeconds: 0 },
    attempts: [],
    requestId: "req_1",
    tookMs: 1,
  };
  expect(searchAnswer.safeParse(answer).error).toBeUndefined();
  expect(results.length).toBeLessThanOrEqual(request.maxResults);
  expect(new Set(results.map(({ url }) => urlIdentity(url))).size).toBe(results.length);
  expect(results.map(({ score }) => score)).toEqual(results.map(({ score }) => score).toSorted((a, b) => b - a));
  for (const { title, content, url, publishedDate, rawContent, score } of results) {
    for (const text of [title, content, publishedDate ?? "", rawContent ?? ""]) expectPlain(text);
    expect(title).not.toBe("");
    expect(safeUrl(url)?.href).toBe(url);
    expect(url).toMatch(/^https?:\/\/[^@/]+\//);
    expect(url).not.toMatch(/[\s"<>\\]/);
    const host = new URL(url).hostname.replace(/\.$/, "");
    for (const domain of request.excludeDomains) expect(hostBelongsTo(host, domain)).toBe(false);
    expect(score).toBeGreaterThanOrEqual(0);
    expect(score).toBeLessThanOrEqual(1);
  }
  if (answer.answer !== null) expectPlain(answer.answer);
  expect(typeof isRelevant(request.query, results)).toBe("boolean");
}

const RESULT = { title: "Two cats", url: "https://www.example.com/cats?utm_source=x", content: "Cats <b>and</b> dogs" };

const PARSERS: readonly (readonly [string, Json, (body: Json) => ProviderOutcome])[] = [
  [
    "tavily",
    {
      query: "cats",
      answer: "Cats &amp; dogs",
      images: ["https://example.com/a.png"],
      results: [
        { ...RESULT, score: 0.9, raw_content: "<p>Cats</p>", published_date: "2026-01-02" },
        { ...RESULT, url: "http://example.com/cats", score: 0.5, raw_content: null },
      ],
      response_time: "1.2",
    },
    parseTavilyAnswer,
  ],
  [
    "jina",
    {
      code: 200,
      status: 20_000,
      data: [
        {
          title: "Two cats",
          url: "https://example.com/cats",
          description: "Cats",
          content: "# Cats",
          date: "Jan 2, 2026",
        },
        { title: "Dogs", url: "https://example.org/", description: "", content: "Dogs" },
      ],
    },
    parseJinaAnswer,
  ],
  [
    "searxng",
    {
      results: [
        { ...RESULT, engine: "bing", score: 3.5, publishedDate: "2026-01-02T00:00:00" },
        { ...RESULT, url: "https://b.example/" },
      ],
      answers: ["42", { answer: "<i>42</i>" }],
      unresponsive_engines: [["google", "timeout"]],
    },
    parseSearxngAnswer,
  ],
  [
    "wikipedia",
    {
      query: {
        searchinfo: { totalhits: 1 },
        search: [
          {
            title: "Cat & dog",
            pageid: 1,
            snippet: '<span class="searchmatch">Cat</span> &amp; dog',
            timestamp: "2026-01-02T00:00:00Z",
          },
        ],
      },
    },
    (body) => parseWikipediaAnswer(body, "en"),
  ],
  [
    "registered",
    {
      data: { items: [{ name: "Two cats", link: "https://example.com/cats", text: "Cats", rank: 3, at: "2026" }] },
      summary: "Cats",
    },
    readRegistered,
  ],
];

function readRegistered(body: Json): ProviderOutcome {
  const paths = {
    results: "data.items",
    title: "name",
    url: "link",
    content: "text",
    score: "rank",
    publishedDate: "at",
    answer: "summary",
  };
  const read = readCustomAnswer(paths, body);
  if (!read.ok) return { ok: false, reason: "bad_response", httpStatus: 200 };
  return { ok: true, httpStatus: 200, results: read.results, answer: read.answer };
}

describe("an answer to any question, of a provider that sends anything", () => {
  test.each(PARSERS)("is sound: %s", (provider, base, parse) => {
    const options = fc.record({
      maxResults: fc.integer({ min: 1, max: 20 }),
      includeRawContent: fc.boolean(),
      excludeDomains: fc.constantFrom<string[][]>([], ["example.com"], ["b.example"]),
    });
    fc.assert(
      fc.property(anyQuery, options, answersLike(base), (query, fields, body) => {
        expectSound(provider, requestOf(query, fields), parse(body));
      }),
      { numRuns: 300 },
    );
  });

  test.each(PARSERS)("is not empty where nothing is wrong: %s", (provider, base, parse) => {
    const outcome = parse(base);
    expect(outcome.ok && cleanResults(provider, outcome.results, requestOf("cats")).length).toBeGreaterThan(0);
  });
});

test("any text comes out plain, within its length, and plain text comes out as it is", () => {
  fc.assert(
    fc.property(fc.array(hostileText, { maxLength: 6 }), fc.integer({ min: 1, max: 300 }), (parts, maxChars) => {
      const text = parts.join("");
      for (const cleaned of [cleanText(text, maxChars), cleanLines(text, maxChars)]) {
        expectPlain(cleaned);
        expect(cleaned.length).toBeLessThanOrEqual(maxChars);
      }
      expect(cleanText(text, maxChars)).not.toMatch(/[\n\t]/);
    }),
    { numRuns: 2_000 },
  );
  fc.assert(
    fc.property(fc.lorem(), (text) => {
      expect(cleanText(text, 10_000)).toBe(text);
    }),
    { numRuns: 100 },
  );
});

describe("the identity of a page", () => {
  const host = fc.domain().map((domain) => domain.replace(/^www\./, ""));
  const path = fc.webPath().map((text) => text.replace(/\/+$/, ""));
  const pair = fc.stringMatching(/^[a-f]{1,3}=[a-z0-9]{0,3}$/);
  const page = fc.record({ host, path, pairs: fc.array(pair, { maxLength: 3 }) });
  const variant = fc.record({
    secure: fc.boolean(),
    www: fc.boolean(),
    port: fc.boolean(),
    slash: fc.boolean(),
    shout: fc.boolean(),
    fragment: fc.constantFrom("", "#part", "#utm_source=a"),
    tracking: fc.array(fc.constantFrom("utm_source=x", "utm_medium=", "UTM_Campaign=y", "gclid=1", "fbclid=2"), {
      maxLength: 3,
    }),
    place: fc.nat({ max: 3 }),
  });
  interface Page {
    readonly host: string;
    readonly path: string;
    readonly pairs: readonly string[];
  }
  type Variant = typeof variant extends fc.Arbitrary<infer T> ? T : never;

  function write({ host: name, path: way, pairs }: Page, how: Variant): string {
    const authority = `${how.www ? "www." : ""}${how.shout ? name.toUpperCase() : name}`;
    const port = how.port ? (how.secure ? ":443" : ":80") : "";
    const query = [...pairs.slice(0, how.place), ...how.tracking, ...pairs.slice(how.place)].join("&");
    return `${how.secure ? "https" : "http"}://${authority}${port}${way}${how.slash ? "/" : ""}${query && `?${query}`}${how.fragment}`;
  }

  test("does not depend on how its address is written", () => {
    fc.assert(
      fc.property(page, variant, variant, (one, how, otherwise) => {
        const identity = urlIdentity(write(one, how));
        expect(identity).not.toBeNull();
        expect(urlIdentity(write(one, otherwise))).toBe(identity);
        expect(urlIdentity(`https://${identity}`)).toBe(identity);
      }),
      { numRuns: 500 },
    );
  });

  test("tells pages apart", () => {
    fc.assert(
      fc.property(page, variant, fc.stringMatching(/^[a-z]{1,5}$/), (one, how, more) => {
        const identity = urlIdentity(write(one, how));
        expect(urlIdentity(write({ ...one, path: `${one.path}/${more}` }, how))).not.toBe(identity);
        expect(urlIdentity(write({ ...one, host: `${more}.${one.host}` }, { ...how, www: true }))).not.toBe(identity);
        expect(urlIdentity(write({ ...one, pairs: [...one.pairs, `z=${more}`] }, how))).not.toBe(identity);
      }),
      { numRuns: 300 },
    );
  });

  test("and a safe address are there or not for any text, without a fault", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const url = safeUrl(text);
        if (url !== null) expect(urlIdentity(url.href)).not.toBeNull();
        expect(urlIdentity(text) === null || /^https?:/i.test(text.replace(/[\p{Cc}\s]/gu, ""))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe("the cache key", () => {
  const POLICY = ["tavily", "jina", "index"];
  const domains = fc.uniqueArray(fc.constantFrom("a.com", "b.org", "c.example", "d.net"), { maxLength: 4 });
  const fields = fc.record(
    {
      maxResults: fc.integer({ min: 1, max: 20 }),
      topic: fc.constantFrom("general" as const, "news" as const, "finance" as const),
      searchDepth: fc.constantFrom("basic" as const, "advanced" as const),
      timeRange: fc.constantFrom(null, "day" as const, "week" as const, "month" as const, "year" as const),
      includeDomains: domains,
      excludeDomains: domains,
      country: fc.constantFrom(null, "de", "us"),
      language: fc.constantFrom(null, "de", "en"),
      includeAnswer: fc.boolean(),
      includeRawContent: fc.boolean(),
    },
    { requiredKeys: [] },
  );
  /** Words that are neither operators nor become one in capitals. */
  const word = fc
    .string({ unit: fc.constantFrom(..."abcdefghijklmnopqrstuvwxyzäéñжя字9-".split("")), minLength: 1, maxLength: 8 })
    .filter((text) => !/^(?:and|or|not|near)$/i.test(text));
  const space = fc.constantFrom(" ", "  ", "\t", "\n", " \u00a0 ", "\u3000");

  test("is the same for the same question, however it is put", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(word, { minLength: 1, maxLength: 6 }),
        fields,
        fc.infiniteStream(space),
        async (words, asked, spaces) => {
          const plain = requestOf(words.join(" "), asked);
          const loud = words.map((text, i) => (i % 2 === 0 ? text.toUpperCase() : text));
          const [lead = " "] = spaces;
          const query = loud.reduce((text, next) => `${text}${spaces.next().value ?? " "}${next}`, "");
          const { includeDomains, excludeDomains } = plain;
          const other = {
            ...Object.fromEntries(Object.entries(plain).toReversed()),
            query: `${lead}${query} `,
            includeDomains: [...includeDomains, ...includeDomains.map((name) => name.toUpperCase())].toReversed(),
            excludeDomains: [...excludeDomains, ...excludeDomains],
            cache: "bypass",
          } as SearchRequest;
          expect(await cacheKeyOf(other, POLICY)).toBe(await cacheKeyOf(plain, POLICY));
        },
      ),
      { numRuns: 200 },
    );
  });

  /** An open quote would make those that are added its end. */
  const unquoted = anyQuery.filter((query) => !/["“]/.test(query.normalize("NFKC")));

  test("differs wherever one thing does", async () => {
    await fc.assert(
      fc.asyncProperty(unquoted, fields, async (query, asked) => {
        const request = requestOf(query, asked);
        const changes: Partial<SearchRequest>[] = [
          { query: `${query} q` },
          { query: `${query} "Aa"` },
          { query: `${query} "aA"` },
          { maxResults: (request.maxResults % 20) + 1 },
          { topic: request.topic === "news" ? "general" : "news" },
          { searchDepth: request.searchDepth === "basic" ? "advanced" : "basic" },
          { timeRange: request.timeRange === "day" ? null : "day" },
          { includeDomains: [...request.includeDomains, "z.com"] },
          { excludeDomains: [...request.excludeDomains, "z.com"] },
          { country: request.country === "fr" ? null : "fr" },
          { language: request.language === "fr" ? null : "fr" },
          { includeAnswer: !request.includeAnswer },
          { includeRawContent: !request.includeRawContent },
        ];
        const keys = await Promise.all([
          cacheKeyOf(request, POLICY),
          cacheKeyOf(request, POLICY.toReversed()),
          cacheKeyOf(request, POLICY.slice(1)),
          ...changes.map((change) => cacheKeyOf({ ...request, ...change }, POLICY)),
        ]);
        expect(new Set(keys).size).toBe(keys.length);
        for (const key of keys) expect(key).toMatch(/^v\d+:search:[0-9a-f]{64}$/);
      }),
      { numRuns: 200 },
    );
  });

  test("keeps the case of what is quoted or an operator", async () => {
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[a-z]{2,8}$/), async (text) => {
        const shapes = [
          (inner: string) => `x "${inner} y"`,
          (inner: string) => `x site:${inner}.com`,
          (inner: string) => `“${inner}” x`,
        ];
        for (const shape of shapes) {
          const keys = await Promise.all(
            [text, text.toUpperCase()].map((inner) => cacheKeyOf(requestOf(shape(inner)), POLICY)),
          );
          expect(keys[0]).not.toBe(keys[1]);
        }
      }),
      { numRuns: 50 },
    );
  });
});
