import { describe, expect, test } from "vitest";
import { createIndexStore, type IndexBounds, type IndexStore } from "../../../src/search/index/index-store.ts";
import type { IndexWrite } from "../../../src/search/index/search-index.ts";
import { createSqliteSql } from "../../support/providers/sqlite-index.ts";

const MANY: IndexBounds = { maxDocuments: 10_000, whenFull: "refuse" };

let made = 0;
function document(fields: Partial<IndexWrite> & { readonly title: string }): IndexWrite {
  const n = ++made;
  return { id: null, newId: `doc_${n}`, url: `https://example.com/${n}`, content: "", publishedDate: null, ...fields };
}

function storeOf(...documents: readonly IndexWrite[]): IndexStore {
  const store = createIndexStore(createSqliteSql());
  if (documents.length > 0) store.put(documents, MANY, 1);
  return store;
}

const titles = (
  store: IndexStore,
  text: string,
  fields: { includeDomains?: string[]; excludeDomains?: string[] } = {},
) => store.query({ text, includeDomains: [], excludeDomains: [], limit: 10, ...fields }).map((hit) => hit.title);

describe("finding", () => {
  test("a match in the title ranks above one in the text, more matches above fewer", () => {
    const store = storeOf(
      document({
        title: "Gardening",
        content: "A page about roses that mentions deployment once among many other words.",
      }),
      document({ title: "Deployment of servers", content: "How it is done." }),
      document({ title: "Servers", content: "They run programs." }),
    );
    expect(titles(store, "deployment servers")[0]).toBe("Deployment of servers");
    expect(titles(store, "deployment")).toEqual(["Deployment of servers", "Gardening"]);
  });

  test("words are found in their other forms, without accents and in any case", () => {
    const store = storeOf(document({ title: "Café", content: "Deployments of the NAÏVE kind; it deploys policies." }));
    for (const text of ["cafe", "CAFÉ", "deploy", "deployment", "deploying", "naive", "policy", "ＤＥＰＬＯＹ"]) {
      expect(titles(store, text)).toEqual(["Café"]);
    }
    expect(titles(store, "destroy")).toEqual([]);
  });

  test("words that stand everywhere do not make a match, unless nothing else is asked", () => {
    const store = storeOf(
      document({ title: "The Who", content: "a band" }),
      document({ title: "Roses", content: "of the garden" }),
    );
    expect(titles(store, "what is the meaning of life")).toEqual([]);
    expect(titles(store, "the who")).toContain("The Who");
  });

  test.each([
    ["東京", "東京タワーの高さ"],
    ["タワー", "東京タワーの高さ"],
    ["東京タワーは何メートルですか", "東京タワーの高さ"],
    ["塔", "北京的塔"],
    ["北京", "北京的塔"],
    ["ﾀﾜｰ", "東京タワーの高さ"],
    ["서울", "서울에서 부산까지"],
    ["ภาษา", "ภาษาไทย"],
    ["Привет", "привет мир"],
    ["हिन्दी", "हिन्दी भाषा"],
    ["مرحبا", "مرحبا بالعالم"],
  ])("%s finds %s", (query, title) => {
    const all = [
      "東京タワーの高さ",
      "北京的塔",
      "서울에서 부산까지",
      "ภาษาไทย",
      "привет мир",
      "हिन्दी भाषा",
      "مرحبا بالعالم",
    ];
    const store = storeOf(...all.map((each) => document({ title: each, content: `${each}. ${each}` })));
    expect(titles(store, query)[0]).toBe(title);
  });

  test("the piece shown is the one that matched", () => {
    const filler = "lorem ipsum dolor sit amet ".repeat(200);
    const store = storeOf(
      document({ title: "A", content: `${filler} here stands the needle itself. ${filler}` }),
      document({ title: "B", content: `${"あいうえお".repeat(200)}富士山は高い${"かきくけこ".repeat(200)}` }),
    );
    const [needle] = store.query({ text: "needle", includeDomains: [], excludeDomains: [], limit: 1 });
    expect(needle?.content).toContain("needle");
    expect(needle?.content.length).toBeLessThan(500);
    const [fuji] = store.query({ text: "富士山", includeDomains: [], excludeDomains: [], limit: 1 });
    expect(fuji?.content).toContain("富士山は高い");
    expect(fuji?.content.length).toBeLessThan(300);
  });

  test("hosts are filtered, their subdomains with them", () => {
    const store = storeOf(
      document({ title: "one apple", url: "https://a.example/1" }),
      document({ title: "two apple", url: "https://sub.a.example/2" }),
      document({ title: "three apple", url: "https://nota.example/3" }),
    );
    expect(titles(store, "apple", { includeDomains: ["a.example"] }).sort()).toEqual(["one apple", "two apple"]);
    expect(titles(store, "apple", { excludeDomains: ["a.example"] })).toEqual(["three apple"]);
    expect(
      titles(store, "apple", { includeDomains: ["sub.a.example", "nota.example"], excludeDomains: ["nota.example"] }),
    ).toEqual(["two apple"]);
  });

  test.each([
    '"',
    '""',
    'apple" OR title:"x',
    "apple AND",
    "NOT apple",
    "NEAR(apple pear, 2)",
    "title : apple",
    "{title content} : apple",
    "^apple",
    "apple*",
    "-apple +pear",
    "apple; DROP TABLE documents",
    "' OR 1=1 --",
    "apple\u0000pear",
    "\u0301",
    "()",
    "🍎",
    "a".repeat(400),
    '"'.repeat(400),
  ])("%j is a question and never syntax", (text) => {
    const store = storeOf(document({ title: "apple", content: "pear" }));
    const containsWord = /apple|pear/.test(text);
    expect(titles(store, text)).toEqual(containsWord ? ["apple"] : []);
    expect(titles(store, "apple")).toEqual(["apple"]);
  });

  test("any text at all is a question", () => {
    const store = storeOf(document({ title: "apple", content: "pear" }));
    let seed = 7;
    const next = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % below;
    };
    for (let i = 0; i < 3_000; i++) {
      const text = Array.from({ length: 1 + next(30) }, () =>
        String.fromCodePoint(next(2) === 0 ? 32 + next(95) : next(0x20000)),
      ).join("");
      expect(() => titles(store, text)).not.toThrow();
    }
  });

  test("where nothing was ever put, nothing is found and no table is made", () => {
    const sql = createSqliteSql();
    const store = createIndexStore(sql);
    expect(titles(store, "apple")).toEqual([]);
    expect(store.remove("x")).toBe(false);
    expect(sql.run("SELECT name FROM sqlite_master")).toEqual([]);
  });
});

describe("storing", () => {
  test("ids come back in order: given, known by the URL, or new", () => {
    const store = storeOf();
    const put = (...documents: IndexWrite[]) => store.put(documents, MANY, 1);
    expect(
      put(document({ title: "a", id: "mine" }), document({ title: "b", newId: "doc_b", url: "https://b.example/x" })),
    ).toEqual({
      ok: true,
      ids: ["mine", "doc_b"],
    });
    expect(put(document({ title: "b again", url: "http://www.b.example/x/#part" }))).toEqual({
      ok: true,
      ids: ["doc_b"],
    });
    expect(titles(store, "b")).toEqual(["b again"]);
  });

  test("a known id replaces the document, also under a new URL", () => {
    const store = storeOf(document({ title: "old", id: "d", url: "https://a.example/1" }));
    store.put([document({ title: "fresh", id: "d", url: "https://a.example/2" })], MANY, 1);
    expect(titles(store, "old")).toEqual([]);
    expect(titles(store, "fresh")).toEqual(["fresh"]);
  });

  test("a new id at a known URL takes its place", () => {
    const store = storeOf(document({ title: "old", id: "d1", url: "https://a.example/1" }));
    store.put([document({ title: "fresh", id: "d2", url: "https://a.example/1/" })], MANY, 1);
    expect(store.remove("d1")).toBe(false);
    expect(store.remove("d2")).toBe(true);
  });

  test("what is removed is found no more", () => {
    const store = storeOf(document({ title: "apple", id: "d" }));
    expect(store.remove("d")).toBe(true);
    expect(titles(store, "apple")).toEqual([]);
    expect(store.remove("d")).toBe(false);
  });

  test("a full owner's index refuses the whole batch", () => {
    const store = storeOf(document({ title: "one" }));
    const bounds: IndexBounds = { maxDocuments: 2, whenFull: "refuse" };
    expect(store.put([document({ title: "two" }), document({ title: "three" })], bounds, 2)).toEqual({
      ok: false,
      limit: 2,
    });
    expect(titles(store, "one two three")).toEqual(["one"]);
    expect(store.put([document({ title: "two" })], bounds, 2)).toMatchObject({ ok: true });
  });

  test("a full public index forgets the oldest; what was seen again is not old", () => {
    const store = storeOf();
    const bounds: IndexBounds = { maxDocuments: 2, whenFull: "forget_oldest" };
    store.put([document({ title: "one", url: "https://a.example/1" })], bounds, 1);
    store.put([document({ title: "two" })], bounds, 2);
    store.put([document({ title: "one", url: "https://a.example/1" })], bounds, 3);
    store.put([document({ title: "three" })], bounds, 4);
    expect(titles(store, "one two three").sort()).toEqual(["one", "three"]);
  });
});
