import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { composeSearch } from "../../../src/composition/search.ts";
import { loadConfig } from "../../../src/config/config.ts";
import type { Actor } from "../../../src/core/actor.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { createIdSource, systemRandom } from "../../../src/core/ids.ts";
import { searchRequest } from "../../../src/search/contract.ts";
import { createDurableSearchIndex } from "../../../src/search/index/durable-index.ts";
import { createDurablePopularityStore } from "../../../src/search/warming/popularity-durable.ts";
import { createEmbeddedDocuments } from "../../../src/storage/documents/embedded.ts";
import { createEmbeddedSharedState } from "../../../src/storage/shared-state/embedded.ts";

/** One isolate's service on the real Durable Objects; only the network is missing. */
function startIsolate(respond: () => Response) {
  const deferred: Promise<unknown>[] = [];
  const asked: string[] = [];
  const ignore = () => {};
  const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  const metrics = { count: ignore, observe: ignore, gauge: ignore };
  const { search: service } = composeSearch({
    config: loadConfig({ TAVILY_API_KEY: "tvly-key", SEARCH_KEYLESS: "off" }),
    platform: {
      documents: createEmbeddedDocuments({ namespace: env.DOCUMENTS, ids: createIdSource(systemClock, systemRandom) }),
      searchIndex: createDurableSearchIndex(env.SEARCH_INDEX, systemClock),
      popularity: createDurablePopularityStore(env.POPULAR),
      async fetch(url) {
        asked.push(url);
        return respond();
      },
    },
    log: logger,
    clock: systemClock,
    random: systemRandom,
    ids: createIdSource(systemClock, systemRandom),
    defer: (_what, work) => void deferred.push(work),
    metrics,
    totalsOf: async () => ({}),
    // Without its limit on time: a busy machine must not look like a store that is down.
    sharedState: createEmbeddedSharedState({ namespace: env.SHARED_STATE, random: systemRandom }),
  });
  return { service, asked, settle: () => Promise.all(deferred.splice(0)) };
}

const callBy = (ownerId: string) => {
  const actor: Actor = { kind: "key", id: "k", ownerId, scopes: new Set(["search"]) };
  return { actor, requestId: "req-test", origin: "http://localhost" };
};

const tavilyFinds = (subject: string) => () =>
  Response.json({
    results: [{ title: subject, url: `https://${subject}.example/`, content: `On ${subject}.`, score: 0.9 }],
  });

describe("search inside workerd", () => {
  test("an answer reaches other isolates by the shared cache, and the index by itself", async () => {
    const subject = `subject${crypto.randomUUID().slice(0, 8)}`;
    const request = searchRequest.parse({ query: subject });
    const one = startIsolate(tavilyFinds(subject));
    const miss = await one.service.search(callBy("owner-1"), request);
    expect(miss).toMatchObject({ ok: true, value: { answer: { provider: "tavily", cache: { status: "miss" } } } });
    await one.settle();

    const other = startIsolate(() => new Response(null, { status: 500 }));
    const far = await other.service.search(callBy("owner-2"), request);
    expect(far).toMatchObject({
      ok: true,
      value: { answer: { cache: { status: "l2" }, results: [{ title: subject }] } },
    });
    expect(other.asked).toEqual([]);

    const degraded = await other.service.searchFor("owner-2", searchRequest.parse({ query: `${subject} again` }));
    expect(degraded).toMatchObject({
      ok: true,
      value: { provider: "index", degraded: true, results: [{ title: subject }] },
    });
    // A 500 may pass: asked once more.
    expect(other.asked).toEqual(["https://api.tavily.com/search", "https://api.tavily.com/search"]);
  });

  test("an owner's documents answer that owner alone", async () => {
    const word = `word${crypto.randomUUID().slice(0, 8)}`;
    const { service } = startIsolate(() => Response.json({ results: [] }));
    const [alice, bob] = [callBy(crypto.randomUUID()), callBy(crypto.randomUUID())];
    const put = await service.putDocuments(alice, {
      documents: [{ url: "https://a.example/", title: word, content: "" }],
    });
    expect(put.ok).toBe(true);
    const request = searchRequest.parse({ query: word });
    expect(await service.search(bob, request)).toMatchObject({ ok: true, value: { answer: { results: [] } } });
    expect(await service.search(alice, request)).toMatchObject({
      ok: true,
      value: { answer: { results: [{ title: word }] } },
    });
    const id = put.ok ? (put.value.ids[0] ?? "") : "";
    expect(await service.deleteDocument(bob, id)).toMatchObject({ ok: false, error: { code: "NOT_FOUND" } });
    expect(await service.deleteDocument(alice, id)).toMatchObject({ ok: true });
    expect(await service.search(alice, request)).toMatchObject({ ok: true, value: { answer: { results: [] } } });
  });
});
