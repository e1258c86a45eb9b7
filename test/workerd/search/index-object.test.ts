import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/core/clock.ts";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import { createDurableSearchIndex, objectName } from "../../../src/search/index/durable-index.ts";
import type { SearchIndexObject } from "../../../src/search/index/index-object.ts";
import type { IndexPartition, IndexWrite } from "../../../src/search/index/search-index.ts";
import { INDEX_MAX_DOCUMENTS } from "../../../src/search/limits.ts";

const { SEARCH_INDEX } = env;
const index = createDurableSearchIndex(SEARCH_INDEX, systemClock);

const newOwner = (): IndexPartition => ({ kind: "owner", ownerId: crypto.randomUUID() });

let made = 0;
function document(fields: Partial<IndexWrite> & { readonly title: string }): IndexWrite {
  const n = ++made;
  return { id: null, newId: `doc_${n}`, url: `https://example.com/${n}`, content: "", publishedDate: null, ...fields };
}

async function titles(partition: IndexPartition, text: string, fields: { readonly includeDomains?: string[] } = {}) {
  const hits = await index.query(partition, { text, includeDomains: [], excludeDomains: [], limit: 5, ...fields });
  return hits.map((hit) => hit.title);
}

describe("the index in a Durable Object", () => {
  test("ranks by where and how often a word stands, and shows the piece that matched", async () => {
    const owner = newOwner();
    const filler = "lorem ipsum ".repeat(500);
    await index.put(owner, [
      document({ title: "Gardens", content: `${filler} a deployment among many words ${filler}` }),
      document({ title: "Deployment", content: "How it is done.", publishedDate: "Jan 2, 2026" }),
      document({ title: "Servers", content: "They run." }),
    ]);
    const hits = await index.query(owner, { text: "deploy", includeDomains: [], excludeDomains: [], limit: 5 });
    expect(hits.map((hit) => hit.title)).toEqual(["Deployment", "Gardens"]);
    expect(hits[0]).toMatchObject({ content: "How it is done.", publishedDate: "Jan 2, 2026" });
    expect(hits[1]?.content).toContain("a deployment among many words");
    expect(hits[1]?.content.length).toBeLessThan(500);
  });

  test("finds Chinese, Japanese and Korean words", async () => {
    const owner = newOwner();
    await index.put(owner, [
      document({ title: "東京タワーの高さ" }),
      document({ title: "北京的塔" }),
      document({ title: "서울에서 부산까지" }),
    ]);
    expect((await titles(owner, "タワー"))[0]).toBe("東京タワーの高さ");
    expect((await titles(owner, "塔"))[0]).toBe("北京的塔");
    expect((await titles(owner, "서울"))[0]).toBe("서울에서 부산까지");
  });

  test("filters hosts, subdomains with them", async () => {
    const owner = newOwner();
    await index.put(owner, [
      document({ title: "one apple", url: "https://docs.a.example/" }),
      document({ title: "two apple", url: "https://b.example/" }),
    ]);
    expect(await titles(owner, "apple", { includeDomains: ["a.example"] })).toEqual(["one apple"]);
  });

  test("takes a question for nothing but a question", async () => {
    const owner = newOwner();
    await index.put(owner, [document({ title: "apple", content: "pear" })]);
    for (const text of [
      '"',
      'apple" OR "x',
      "title:apple",
      "NEAR(apple pear)",
      "apple AND NOT pear",
      "'; DROP TABLE texts; --",
    ]) {
      expect(await titles(owner, text)).toEqual(/apple/.test(text) ? ["apple"] : []);
    }
    expect(await titles(owner, "apple")).toEqual(["apple"]);
  });

  test("replaces by id and by URL, and forgets at once", async () => {
    const owner = newOwner();
    await index.put(owner, [document({ id: "d", title: "old", url: "https://a.example/1" })]);
    expect(await index.put(owner, [document({ title: "fresh", url: "http://www.a.example/1/" })])).toEqual({
      ok: true,
      ids: ["d"],
    });
    expect(await titles(owner, "old fresh")).toEqual(["fresh"]);
    expect(await index.remove(owner, "d")).toBe(true);
    expect(await titles(owner, "old fresh")).toEqual([]);
    expect(await index.remove(owner, "d")).toBe(false);
  });

  test("keeps owners apart, also from an owner called like the shared partition", async () => {
    const [one, other] = [newOwner(), newOwner()];
    await index.put(one, [document({ title: "apple" })]);
    expect(await titles(other, "apple")).toEqual([]);
    expect(objectName({ kind: "owner", ownerId: "public" })).not.toBe(objectName({ kind: "public" }));
  });

  test("stores all of a batch or none", async () => {
    const stub = SEARCH_INDEX.getByName(crypto.randomUUID());
    const bounds = { maxDocuments: 2, whenFull: "refuse" } as const;
    await stub.put([document({ title: "one" })], bounds, 1);
    expect(await stub.put([document({ title: "two" }), document({ title: "three" })], bounds, 2)).toEqual({
      ok: false,
      limit: 2,
    });
    const hits = await stub.query({ text: "one two three", includeDomains: [], excludeDomains: [], limit: 5 });
    expect(hits.map((hit) => hit.title)).toEqual(["one"]);
  });

  test("forgets its oldest where it may", async () => {
    const stub = SEARCH_INDEX.getByName(crypto.randomUUID());
    const bounds = { maxDocuments: 2, whenFull: "forget_oldest" } as const;
    for (const [i, title] of ["one", "two", "three"].entries()) await stub.put([document({ title })], bounds, i);
    const hits = await stub.query({ text: "one two three", includeDomains: [], excludeDomains: [], limit: 5 });
    expect(hits.map((hit) => hit.title).sort()).toEqual(["three", "two"]);
  });

  test("writes that come at once all count", async () => {
    const owner = newOwner();
    const puts = Array.from({ length: 20 }, (_, i) => index.put(owner, [document({ title: `apple ${i}` })]));
    await Promise.all(puts);
    const hits = await index.query(owner, { text: "apple", includeDomains: [], excludeDomains: [], limit: 100 });
    expect(hits).toHaveLength(20);
    expect(INDEX_MAX_DOCUMENTS).toBeGreaterThan(20);
  });

  test("that does not answer is unavailable storage", async () => {
    const broken = {
      getByName: () => ({ query: () => Promise.reject(new Error("overloaded")) }),
    } as unknown as DurableObjectNamespace<SearchIndexObject>;
    const question = { text: "a", includeDomains: [], excludeDomains: [], limit: 1 };
    await expect(createDurableSearchIndex(broken, systemClock).query(newOwner(), question)).rejects.toThrow(
      StorageUnavailable,
    );
  });
});
