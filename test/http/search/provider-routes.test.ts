import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import { providerList, providerView } from "../../../src/search/providers/provider-contract.ts";
import { searchProviders } from "../../../src/storage/documents/collections.ts";
import type { Documents } from "../../../src/storage/documents/documents.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createMemoryDocuments } from "../../support/memory-documents.ts";
import { CUSTOM_KEY, customDefinitionAt, startCustom } from "../../support/providers/custom.ts";
import { keyOf, requestOf } from "../../support/providers/harness.ts";
import { createProviderScene, type SceneOptions } from "../../support/providers/scene.ts";
import { type Behaviour, refusedUrl, type StandIn } from "../../support/providers/stand-in.ts";
import { startTavily, TAVILY_KEY } from "../../support/providers/tavily.ts";

let acme: StandIn;
let tavily: StandIn;

beforeAll(async () => {
  [acme, tavily] = await Promise.all([startCustom(), startTavily()]);
});

afterAll(async () => {
  await Promise.all([acme.close(), tavily.close()]);
});

beforeEach(() => {
  acme.always("ok");
  tavily.always("ok");
});

const bodyOf = (fields: Record<string, unknown> = {}) => ({ name: "acme", ...customDefinitionAt(acme.url), ...fields });

function setUp(options: SceneOptions = {}) {
  const env = { TAVILY_API_KEY: TAVILY_KEY, TAVILY_BASE_URL: tavily.url, ...options.env };
  return createProviderScene({ ...options, env });
}

const namesIn = (body: { providers: { name: string }[] }) => body.providers.map(({ name }) => name);

describe("the list", () => {
  test("has every provider in the order in which they are asked, in the form of the contract", async () => {
    const { status, body } = await setUp().send("GET", "/search/providers");
    expect(status).toBe(200);
    expect(providerList.strict().parse(body)).toEqual(body);
    expect(namesIn(body)).toEqual(["tavily", "jina", "tavily-keyless", "searxng", "wikipedia", "index"]);
    expect(body.providers[0]).toEqual({
      name: "tavily",
      priority: 10,
      enabled: true,
      configured: true,
      degraded: false,
      custom: false,
      circuit: { state: "closed", reason: null, openUntil: null },
      quota: { used: 500, limit: 1_000 },
      definition: null,
    });
    expect(body.providers[1]).toMatchObject({ name: "jina", configured: false, quota: null });
    expect(body.providers[5]).toMatchObject({ name: "index", priority: 100, degraded: true });
  });

  test("tells of open circuits", async () => {
    const scene = setUp({
      breakers: {
        stateOf: (name) =>
          name.startsWith("tavily#")
            ? { state: "open", reason: "quota", openUntil: Date.parse("2026-02-13T12:00:00Z"), failures: 3 }
            : { state: "closed", reason: null, openUntil: null, failures: 0 },
      },
    });
    const { body } = await scene.send("GET", "/search/providers");
    expect(body.providers[0].circuit).toEqual({
      state: "open",
      reason: "quota",
      openUntil: "2026-02-13T12:00:00.000Z",
    });
  });

  test("asks for a quota once a minute, and waits 2 s for it at most", async () => {
    const clock = createFakeClock();
    const scene = setUp({ clock });
    const before = tavily.calls.length;
    await scene.send("GET", "/search/providers");
    await scene.send("GET", "/search/providers");
    expect(tavily.calls.length - before).toBe(1);
    await clock.advance(60_000);
    tavily.always("hang");
    const listing = scene.send("GET", "/search/providers");
    while (tavily.calls.length - before < 2) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(2_000);
    expect((await listing).body.providers[0].quota).toBeNull();
  });

  test("is what this isolate knows while the store is down", async () => {
    const memory = createMemoryDocuments();
    let down = false;
    const documents: Documents = {
      ...memory,
      async find(collection, query) {
        if (down) throw new StorageUnavailable("down");
        return memory.find(collection, query);
      },
    };
    const scene = setUp({ documents });
    await scene.send("PUT", "/search/providers/jina", { enabled: false });
    down = true;
    const { status, body } = await scene.send("GET", "/search/providers");
    expect(status).toBe(200);
    expect(body.providers[1]).toMatchObject({ name: "jina", enabled: false });
  });
});

describe("a change", () => {
  test("holds here at once, and elsewhere within 15 s", async () => {
    const documents = createMemoryDocuments();
    const clock = createFakeClock();
    const here = setUp({ documents, clock });
    const elsewhere = setUp({ documents, clock });
    await elsewhere.registry.chain();
    const { status, body } = await here.send("PUT", "/search/providers/wikipedia", { priority: 1 });
    expect(status).toBe(200);
    expect(providerView.strict().parse(body)).toMatchObject({ name: "wikipedia", priority: 1, enabled: true });
    await here.send("PUT", "/search/providers/tavily", { enabled: false });
    const namesOf = async ({ registry }: typeof here) => (await registry.chain()).providers.map(({ name }) => name);
    expect(await namesOf(here)).toEqual(["wikipedia", "jina", "tavily-keyless", "searxng", "index"]);
    expect(await namesOf(elsewhere)).toHaveLength(6);
    await clock.advance(15_000);
    expect(await namesOf(elsewhere)).toEqual(["wikipedia", "jina", "tavily-keyless", "searxng", "index"]);
    const again = await here.send("PUT", "/search/providers/tavily", { enabled: true });
    expect(again.body).toMatchObject({ priority: 10, enabled: true });
  });

  test("of one thing leaves the other as it was set", async () => {
    const scene = setUp();
    await scene.send("PUT", "/search/providers/jina", { priority: 60 });
    const { body } = await scene.send("PUT", "/search/providers/jina", { enabled: false });
    expect(body).toMatchObject({ priority: 60, enabled: false });
  });

  test("may close a circuit, and writes nothing for that", async () => {
    const scene = setUp();
    const { status } = await scene.send("PUT", "/search/providers/tavily", { resetCircuit: true });
    expect(status).toBe(200);
    expect(scene.resets).toEqual([expect.stringMatching(/^tavily#\w+$/)]);
    expect(await scene.documents.find(searchProviders(), { filter: {}, limit: 10 })).toEqual([]);
  });

  test("of many at once of one provider that nobody has changed before all go well", async () => {
    const scene = setUp();
    const replies = await Promise.all(
      Array.from({ length: 10 }, (_, i) => scene.send("PUT", "/search/providers/jina", { priority: i + 1 })),
    );
    expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
  });

  test.each([
    ["nobody", "/search/providers/nobody", { enabled: false }, 404],
    ["a reset of nobody", "/search/providers/nobody", { resetCircuit: true }, 404],
    ["a prototype", "/search/providers/__proto__", { enabled: false }, 400],
    ["a name in capitals", "/search/providers/Tavily", { enabled: false }, 400],
    ["nothing", "/search/providers/tavily", {}, 400],
    ["a priority of none", "/search/providers/tavily", { priority: 0 }, 400],
    ["a priority behind the index", "/search/providers/tavily", { priority: 100 }, 400],
    ["the index's place", "/search/providers/index", { priority: 1 }, 400],
    ["a switch that is none", "/search/providers/tavily", { enabled: "no" }, 400],
    ["a circuit to open", "/search/providers/tavily", { resetCircuit: false }, 400],
    ["something else", "/search/providers/tavily", { degraded: false }, 400],
  ])("of %s is refused", async (_name, path, body, status) => {
    expect((await setUp().send("PUT", path, body)).status).toBe(status);
  });

  test("of the index may switch it off, and repeat its place", async () => {
    const { status, body } = await setUp().send("PUT", "/search/providers/index", { enabled: false, priority: 100 });
    expect(status).toBe(200);
    expect(body).toMatchObject({ enabled: false, priority: 100 });
  });
});

describe("a registration", () => {
  test("takes a provider on that answers the test query, and shows no secret of it ever again", async () => {
    const scene = setUp();
    const { status, body } = await scene.send("POST", "/search/providers", bodyOf({ checkQuery: "tides" }));
    expect(status).toBe(201);
    expect(providerView.strict().parse(body)).toMatchObject({
      name: "acme",
      priority: 25,
      enabled: true,
      configured: true,
      custom: true,
      quota: null,
    });
    expect(body.definition.request).toMatchObject({ method: "GET", headers: ["X-Acme-Key"] });
    expect(acme.calls.at(-1)?.path).toBe("/v2/find?text=tides&count=5");
    expect(scene.resets).toEqual([expect.stringMatching(/^acme#/)]);
    const list = await scene.send("GET", "/search/providers");
    const stored = await scene.documents.find(searchProviders(), { filter: {}, limit: 10 });
    for (const text of [JSON.stringify(body), list.text, JSON.stringify(stored), scene.logged.join("\n")]) {
      expect(text).not.toContain(CUSTOM_KEY);
    }
  });

  test("is asked like any other from then on, in every isolate", async () => {
    const documents = createMemoryDocuments();
    await setUp({ documents }).send("POST", "/search/providers", bodyOf());
    const { providers } = await setUp({ documents }).registry.chain();
    const provider = providers.find(({ name }) => name === "acme");
    const context = { fetch, ownerId: null, signal: AbortSignal.timeout(10_000) };
    const outcome = await provider?.search(requestOf("deep tides", { language: "de", maxResults: 2 }), {
      ...context,
      fetch: (url, init) => fetch(url, init),
    });
    expect(outcome).toMatchObject({
      ok: true,
      httpStatus: 200,
      results: [
        { title: "deep tides · Acme 1", url: "https://site0.acme.example/page/1", score: 0.8 },
        { title: "deep tides · Acme 2" },
      ],
    });
    expect(acme.calls.at(-1)?.path).toBe("/v2/find?text=deep%20tides&count=2&lang=de");
  });

  test("works by POST with a body too", async () => {
    const { request, ...rest } = customDefinitionAt(acme.url);
    const body = {
      name: "acme-post",
      priority: 7,
      ...rest,
      request: {
        ...request,
        method: "POST",
        url: `${acme.url}/v2/find`,
        body: { text: "{{query}}", count: "{{maxResults}}", lang: "{{language}}" },
      },
    };
    const { status, body: shown } = await setUp().send("POST", "/search/providers", body);
    expect(status).toBe(201);
    expect(shown).toMatchObject({ name: "acme-post", priority: 7 });
    expect(acme.calls.at(-1)).toMatchObject({ method: "POST", body: { text: "cloudflare workers", count: 5 } });
    expect(acme.calls.at(-1)?.headers["content-type"]).toBe("application/json");
  });

  test("of one name by many at once is won by one", async () => {
    const documents = createMemoryDocuments();
    const scenes = [setUp({ documents }), setUp({ documents })];
    const replies = await Promise.all(
      Array.from({ length: 6 }, (_, i) => scenes[i % 2]?.send("POST", "/search/providers", bodyOf())),
    );
    const statuses = replies.map((reply) => reply?.status).sort();
    expect(statuses).toEqual([201, 409, 409, 409, 409, 409]);
    expect(replies.find((reply) => reply?.status === 409)?.body).toMatchObject({ code: "DUPLICATE" });
  });

  test("of a name that is taken does not ask the provider", async () => {
    const scene = setUp();
    await scene.send("POST", "/search/providers", bodyOf());
    const before = acme.calls.length;
    expect((await scene.send("POST", "/search/providers", bodyOf())).status).toBe(409);
    expect(acme.calls.length).toBe(before);
  });

  test.each(["tavily", "jina", "tavily-keyless", "searxng", "wikipedia", "index"])("as %s is refused", async (name) => {
    const { status, body } = await setUp().send("POST", "/search/providers", bodyOf({ name }));
    expect(status).toBe(400);
    expect(body.errors).toEqual([{ path: "name", message: "is the name of a built-in provider" }]);
  });

  test("with headers needs an ENCRYPTION_KEY, without them none", async () => {
    const scene = setUp({ env: { ENCRYPTION_KEY: "" } });
    const { status, body } = await scene.send("POST", "/search/providers", bodyOf());
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: "VALIDATION_FAILED", errors: [{ path: "request.headers" }] });
    expect(body.detail).toContain("ENCRYPTION_KEY");
    const { request, ...rest } = customDefinitionAt(acme.url);
    acme.script({ status: 200, body: { data: { items: [{ name: "T", link: { href: "https://a.example/" } }] } } });
    const open = { name: "open", ...rest, request: { method: "GET", url: request.url } };
    expect((await scene.send("POST", "/search/providers", open)).status).toBe(201);
  });

  test.each<[Behaviour, number, string]>([
    ["empty", 400, "answer.results: the test query found nothing"],
    [401, 400, "request.headers: the provider answered the test query with 401"],
    [403, 400, "request.headers: the provider answered the test query with 403"],
    [404, 400, "request: the provider answered the test query with 404"],
    ["redirect", 400, "request.url: the provider answered the test query with 302: redirects are not followed"],
    ["html", 400, "request.url: the provider's answer is no JSON"],
    ["garbage", 400, "request.url: the provider's answer is no JSON"],
    ["no-content", 400, "request.url: the provider's answer is no JSON"],
    ["huge", 400, "request.url: the provider's answer is no JSON"],
    ["array", 400, "answer.results: leads to no list"],
    [{ status: 200, body: { data: { items: [{ name: "T" }] } } }, 400, "answer.url: leads to no text"],
    [{ status: 200, body: { data: { items: [{}] } } }, 400, "answer.title: leads to no text"],
    [
      { status: 200, body: { data: { items: [{ name: "T", link: { href: "javascript:alert(1)" } }] } } },
      400,
      "answer.url: no result has a title and an http or https URL",
    ],
    [429, 502, "the provider answered the test query with 429"],
    [402, 502, "the provider answered the test query with 402"],
    [500, 502, "the provider answered the test query with 500"],
    ["reset", 502, "nobody answers at the provider's address"],
  ])("of a provider that answers %s is refused", async (behaviour, status, detail) => {
    const scene = setUp();
    acme.always(behaviour);
    const reply = await scene.send("POST", "/search/providers", bodyOf());
    expect(reply.status).toBe(status);
    expect(reply.body.detail).toContain(detail);
    expect(reply.text).not.toContain(CUSTOM_KEY);
    expect(namesIn((await scene.send("GET", "/search/providers")).body)).not.toContain("acme");
  });

  test("of a provider that hangs is given up", async () => {
    acme.always("hang");
    const { status, body } = await setUp({ env: { PROVIDER_TIMEOUT_MS: "100" } }).send(
      "POST",
      "/search/providers",
      bodyOf(),
    );
    expect(status).toBe(504);
    expect(body.detail).toContain("100 ms");
  });

  test("at an address where nobody listens is refused", async () => {
    const body = { name: "acme", ...customDefinitionAt(await refusedUrl()) };
    expect((await setUp().send("POST", "/search/providers", body)).status).toBe(502);
  });

  test("never asks the machine's own metadata", async () => {
    const asked: string[] = [];
    const scene = setUp({
      fetch: async (url) => {
        asked.push(url);
        return new Response();
      },
    });
    for (const host of ["169.254.169.254", "2852039166", "[::ffff:a9fe:a9fe]", "metadata.google.internal"]) {
      const body = { name: "acme", ...customDefinitionAt(`http://${host}`) };
      expect((await scene.send("POST", "/search/providers", body)).status).toBe(400);
    }
    expect(asked).toEqual([]);
  });

  test("is refused where twenty are registered", async () => {
    const scene = setUp();
    for (let i = 0; i < 20; i++) {
      expect((await scene.send("POST", "/search/providers", bodyOf({ name: `acme-${i}` }))).status).toBe(201);
    }
    const { status, body } = await scene.send("POST", "/search/providers", bodyOf({ name: "one-more" }));
    expect(status).toBe(400);
    expect(body.detail).toContain("20");
  });
});

describe("a removal", () => {
  test("takes a registered provider away", async () => {
    const scene = setUp();
    await scene.send("POST", "/search/providers", bodyOf());
    const { status, text } = await scene.send("DELETE", "/search/providers/acme");
    expect([status, text]).toEqual([204, ""]);
    expect(namesIn((await scene.send("GET", "/search/providers")).body)).not.toContain("acme");
    expect((await scene.send("DELETE", "/search/providers/acme")).status).toBe(404);
    expect((await scene.send("PUT", "/search/providers/acme", { enabled: true })).status).toBe(404);
    expect(await scene.documents.find(searchProviders(), { filter: {}, limit: 10 })).toEqual([]);
  });

  test("of a built-in provider is refused, also where it was changed", async () => {
    const scene = setUp();
    await scene.send("PUT", "/search/providers/jina", { priority: 5 });
    const { status, body } = await scene.send("DELETE", "/search/providers/jina");
    expect(status).toBe(400);
    expect(body.detail).toContain("disable it instead");
    expect((await scene.send("GET", "/search/providers")).body.providers[0].name).toBe("jina");
  });
});

test.each([
  ["GET", "/search/providers", undefined],
  ["POST", "/search/providers", { name: "acme", ...customDefinitionAt("https://acme.example") }],
  ["PUT", "/search/providers/tavily", { enabled: false }],
  ["DELETE", "/search/providers/acme", undefined],
])("%s %s is admin's alone", async (method, path, body) => {
  const scene = setUp();
  expect((await scene.send(method, path, body, keyOf("owner-1", ["search", "servers:write"]))).status).toBe(403);
  expect((await scene.send(method, path, body, { kind: "anonymous", id: "anonymous" })).status).toBe(401);
});
