import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ADMIN, createSearchHarness, keyOf, requestOf, type SearchHarness } from "../../support/providers/harness.ts";
import { createSearchHttp, type SearchHttp } from "../../support/providers/http.ts";
import { startJina } from "../../support/providers/jina.ts";
import type { StandIn } from "../../support/providers/stand-in.ts";
import { startTavily } from "../../support/providers/tavily.ts";

/** Two owners with documents of their own on the same subject, in one isolate, with one shared cache. */

let tavily: StandIn;
let jina: StandIn;
let harness: SearchHarness;
let alice: SearchHttp;
let bob: SearchHttp;

const SECRET_OF_ALICE = "aliceonlyword";

beforeAll(async () => {
  tavily = await startTavily();
  jina = await startJina();
});

afterAll(async () => {
  await Promise.all([tavily.close(), jina.close()]);
});

beforeEach(async () => {
  tavily.always("empty");
  jina.always("empty");
  harness = createSearchHarness({ tavily: tavily.url, jina: jina.url });
  alice = createSearchHttp(harness.service, keyOf("alice"));
  bob = createSearchHttp(harness.service, keyOf("bob"));
  await alice.put("/search/documents", {
    documents: [
      { id: "d", url: "https://alice.example/plan", title: "Merger plan", content: `The merger: ${SECRET_OF_ALICE}.` },
    ],
  });
  await bob.put("/search/documents", {
    documents: [
      { id: "d", url: "https://bob.example/notes", title: "Merger notes", content: "What I heard of the merger." },
    ],
  });
});

const titles = async (http: SearchHttp, query: string, fields: object = {}) =>
  (await http.post("/search", { query, ...fields })).body.results.map(({ title }) => title);

test("the same question is answered to each from their own documents", async () => {
  for (let round = 0; round < 3; round++) {
    expect(await titles(alice, "merger")).toEqual(["Merger plan"]);
    expect(await titles(bob, "merger")).toEqual(["Merger notes"]);
    await harness.settle();
  }
});

test("a word that one alone has finds nothing for the others", async () => {
  expect(await titles(alice, SECRET_OF_ALICE)).toEqual(["Merger plan"]);
  expect(await titles(bob, SECRET_OF_ALICE)).toEqual([]);
  expect(await titles(alice.as(ADMIN), SECRET_OF_ALICE)).toEqual([]);
  expect(await titles(alice.as(ADMIN), SECRET_OF_ALICE, { ownerId: "alice" })).toEqual(["Merger plan"]);
});

test("an answer with an owner's document enters no cache, whatever the caches are told", async () => {
  for (const cache of ["default", "bypass", "default"]) {
    const { body, headers } = await alice.post("/search", { query: "merger", cache });
    expect(body).toMatchObject({ provider: "index", degraded: true, results: [{ title: "Merger plan" }] });
    expect(body.cache.status).toBe(cache === "bypass" ? "bypass" : "miss");
    expect(headers.get("cache-status")).not.toContain("stored");
  }
  await harness.settle();
  // What is kept is that the web has nothing, for all alike.
  expect([...harness.cache.entries.values()].join()).not.toMatch(/merger|alice/i);
  for (const http of [alice, bob]) {
    const { body } = await http.post("/search", { query: "merger", cache: "only" });
    expect(body).toMatchObject({ provider: "tavily", results: [], cache: { status: "l1" } });
  }
});

test("nor does it enter the index that all share", async () => {
  await alice.post("/search", { query: "merger" });
  await harness.settle();
  expect(
    await harness.index.query({ kind: "public" }, { text: "merger", includeDomains: [], excludeDomains: [], limit: 5 }),
  ).toEqual([]);
});

test("that the web has nothing is cached, and hides no owner's documents", async () => {
  expect(await titles(bob, SECRET_OF_ALICE)).toEqual([]);
  await harness.settle();
  expect(harness.cache.entries.size).toBe(1);
  const calls = tavily.calls.length;
  expect(await titles(alice, SECRET_OF_ALICE)).toEqual(["Merger plan"]);
  expect(await titles(bob, SECRET_OF_ALICE)).toEqual([]);
  expect(tavily.calls.length).toBe(calls);
  await harness.settle();
  expect([...harness.cache.entries.values()].join()).not.toContain(SECRET_OF_ALICE);
});

test("a document put after nothing was found is found at once", async () => {
  expect(await titles(bob, "quokka")).toEqual([]);
  await bob.put("/search/documents", { documents: [{ url: "https://bob.example/q", title: "Quokka", content: "" }] });
  expect(await titles(bob, "quokka")).toEqual(["Quokka"]);
});

test("an owner can neither replace nor delete what another has under the same id", async () => {
  expect((await bob.delete("/search/documents/d")).status).toBe(204);
  expect(await titles(alice, "merger")).toEqual(["Merger plan"]);
  expect((await bob.delete("/search/documents/d")).status).toBe(404);
});

test("an owner called like the shared index is an owner", async () => {
  const impostor = alice.as(keyOf("public"));
  await impostor.put("/search/documents", {
    documents: [{ url: "https://x.example/", title: "Merger hoax", content: "" }],
  });
  expect(await titles(bob, "merger")).toEqual(["Merger notes"]);
  expect(await titles(impostor, "merger")).toEqual(["Merger hoax"]);
});

test("what the web answered to one, the index answers to all while the web is away", async () => {
  tavily.always("ok");
  await alice.post("/search", { query: "tides of the sea", maxResults: 2 });
  await harness.settle();
  tavily.always(500);
  jina.always(500);
  const { body } = await bob.post("/search", { query: "sea tides" });
  expect(body).toMatchObject({ provider: "index", degraded: true });
  expect(body.results.map(({ url }) => url).sort()).toEqual([
    "https://site0.tavily.example/page/1",
    "https://site1.tavily.example/page/2",
  ]);
});

test("an owner's best documents stand among the shared ones", async () => {
  tavily.always("ok");
  await bob.post("/search", { query: "merger", maxResults: 4 });
  await harness.settle();
  tavily.always(500);
  jina.always(500);
  const found = await titles(alice, "merger of two", { maxResults: 3 });
  expect(found).toHaveLength(3);
  expect(found[0]).toBe("Merger plan");
});

test("our own code searches for an owner without a key", async () => {
  const outcome = await harness.service.searchFor("alice", requestOf("merger"));
  expect(outcome).toMatchObject({ ok: true, value: { results: [{ title: "Merger plan" }] } });
  expect(outcome.ok && outcome.value.requestId).toMatch(/^req_/);
  const nobody = await harness.service.searchFor(null, requestOf("merger"));
  expect(nobody).toMatchObject({ ok: true, value: { results: [] } });
});
