import { describe, expect, test } from "vitest";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import { searchProviders } from "../../../src/storage/documents/collections.ts";
import type { Documents } from "../../../src/storage/documents/documents.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createMemoryDocuments } from "../../support/memory-documents.ts";
import { customDefinitionAt } from "../../support/providers/custom.ts";
import { createProviderScene, type ProviderScene, type SceneOptions } from "../../support/providers/scene.ts";

const ORDER = ["tavily", "jina", "tavily-keyless", "searxng", "wikipedia", "index"];

/** Documents that answer, fail or hang as told, and count what they are asked. */
function createMoodyDocuments(inner: Documents = createMemoryDocuments()) {
  const state = { mood: "ok" as "ok" | "down" | "hang", finds: 0 };
  const documents: Documents = {
    ...inner,
    async find(collection, query) {
      state.finds++;
      if (state.mood === "down") throw new StorageUnavailable("down");
      if (state.mood === "hang") await new Promise(() => {});
      return inner.find(collection, query);
    },
  };
  return { documents, state, inner };
}

function setUp(options: SceneOptions = {}) {
  const clock = createFakeClock();
  const moody = createMoodyDocuments(options.documents);
  const scene = createProviderScene({ clock, ...options, documents: moody.documents });
  return { ...moody, clock, scene };
}

const namesOf = async ({ registry }: ProviderScene) => (await registry.chain()).providers.map(({ name }) => name);
const policyOf = async ({ registry }: ProviderScene) => (await registry.chain()).policy;
const logsOf = ({ logged }: ProviderScene) => logged.map((line) => line.split(" ")[0]);

const set = (documents: Documents, name: string, fields: Record<string, string | number | boolean>) =>
  documents.updateOne(searchProviders(), { _id: name }, { $set: fields }, { upsert: true });

describe("the chain", () => {
  test("has every provider in its order, and the configured ones in its policy", async () => {
    const { scene } = setUp();
    expect(await namesOf(scene)).toEqual(ORDER);
    expect(await policyOf(scene)).toEqual(["tavily-keyless", "wikipedia", "index"]);
  });

  test("knows what is configured", async () => {
    const env = { TAVILY_API_KEY: "tvly-key", JINA_API_KEY: "jina_key", SEARXNG_URL: "http://searx.example" };
    expect(await policyOf(setUp({ env }).scene)).toEqual(["tavily", "jina", "searxng", "wikipedia", "index"]);
    const keyed = { ...env, SEARCH_KEYLESS: "off" };
    expect(await policyOf(setUp({ env: keyed }).scene)).toEqual(["tavily", "jina", "searxng", "index"]);
    expect(await policyOf(setUp({ env: { SEARCH_KEYLESS: "off" } }).scene)).toEqual(["index"]);
  });

  test("says whose answers are makeshifts, and whose are one owner's", async () => {
    const { providers } = await setUp().scene.registry.chain();
    const named = (flag: "degraded" | "personal") => providers.filter((each) => each[flag]).map(({ name }) => name);
    expect(named("degraded")).toEqual(["wikipedia", "index"]);
    expect(named("personal")).toEqual(["index"]);
  });

  test("follows what is set: lower numbers first, names where they are equal, nobody who is disabled", async () => {
    const { scene, documents } = setUp();
    await set(documents, "wikipedia", { priority: 5 });
    await set(documents, "jina", { priority: 40 });
    await set(documents, "searxng", { enabled: false });
    expect(await namesOf(scene)).toEqual(["wikipedia", "tavily", "tavily-keyless", "jina", "index"]);
  });

  test("ends with the index, whatever stands in the store", async () => {
    const { scene, documents } = setUp();
    await set(documents, "index", { priority: 1 });
    expect((await namesOf(scene)).at(-1)).toBe("index");
  });

  test("has no index where it is disabled", async () => {
    const { scene, documents } = setUp();
    await set(documents, "index", { enabled: false });
    expect(await namesOf(scene)).not.toContain("index");
  });

  test("does without records that nobody of ours wrote, and says so once", async () => {
    const { scene, documents, clock } = setUp();
    await set(documents, "tavily", { priority: "first" });
    await set(documents, "jina", { enabled: false });
    await set(documents, "evil", { custom: true, definition: "{", sealedHeaders: "x" });
    await set(documents, "tavily-keyless", { custom: true });
    expect(await namesOf(scene)).toEqual(["tavily", "tavily-keyless", "searxng", "wikipedia", "index"]);
    await clock.advance(10_000);
    await scene.registry.chain();
    await Promise.all(scene.deferred);
    expect(logsOf(scene)).toEqual(["search_provider_records_unreadable"]);
  });
});

describe("the settings", () => {
  test("are read once by all that come first, and not again while they are fresh", async () => {
    const { scene, state, clock } = setUp();
    const chains = await Promise.all(Array.from({ length: 20 }, () => scene.registry.chain()));
    expect(new Set(chains).size).toBe(1);
    await clock.advance(9_000);
    expect(await scene.registry.chain()).toBe(chains[0]);
    expect(state.finds).toBe(1);
  });

  test("are read anew after the answer while questions come, and hold within 15 s", async () => {
    const { scene, documents, state, clock } = setUp();
    const before = await scene.registry.chain();
    await set(documents, "tavily", { enabled: false });
    await clock.advance(10_000);
    expect(await scene.registry.chain()).toBe(before);
    await Promise.all(scene.deferred);
    expect(state.finds).toBe(2);
    expect(await namesOf(scene)).not.toContain("tavily");
  });

  test("are read before the answer after a pause", async () => {
    const { scene, documents, clock } = setUp();
    await scene.registry.chain();
    await set(documents, "tavily", { enabled: false });
    await clock.advance(15_000);
    expect(await namesOf(scene)).not.toContain("tavily");
  });

  test("that did not change leave the chain the same object", async () => {
    const { scene, clock } = setUp();
    const before = await scene.registry.chain();
    await clock.advance(60_000);
    expect(await scene.registry.chain()).toBe(before);
  });

  test("that cannot be read leave the defaults, tried again without a wait", async () => {
    const { scene, documents, state, clock } = setUp();
    await set(documents, "tavily", { enabled: false });
    state.mood = "down";
    expect(await namesOf(scene)).toEqual(ORDER);
    await clock.advance(4_000);
    expect(await namesOf(scene)).toEqual(ORDER);
    expect(state.finds).toBe(1);
    await clock.advance(1_000);
    state.mood = "ok";
    expect(await namesOf(scene)).toEqual(ORDER);
    await Promise.all(scene.deferred);
    expect(await namesOf(scene)).not.toContain("tavily");
    expect(logsOf(scene)).toEqual(["search_provider_settings_unread", "search_provider_settings_read_again"]);
  });

  test("that were known hold while the store is down, which is said once", async () => {
    const { scene, documents, state, clock } = setUp();
    await set(documents, "tavily", { enabled: false });
    const known = await scene.registry.chain();
    state.mood = "down";
    for (let i = 0; i < 10; i++) {
      await clock.advance(20_000);
      expect(await scene.registry.chain()).toBe(known);
      await Promise.all(scene.deferred);
    }
    expect(logsOf(scene)).toEqual(["search_provider_settings_unread"]);
  });

  test("of a store that hangs are waited for 300 ms, once", async () => {
    const { scene, state, clock } = setUp();
    state.mood = "hang";
    const startedAt = clock.now();
    const first = scene.registry.chain().then(() => clock.now() - startedAt);
    await clock.advance(200);
    const second = scene.registry.chain().then(() => clock.now() - startedAt);
    await clock.advance(200);
    expect(await Promise.all([first, second])).toEqual([300, 300]);
    expect(await namesOf(scene)).toEqual(ORDER);
    await clock.advance(60_000);
    expect(await namesOf(scene)).toEqual(ORDER);
    expect(state.finds).toBe(2);
    expect(logsOf(scene)).toEqual(["search_provider_settings_unread"]);
  });

  test("read by an earlier turn never replace those of a later one", async () => {
    const { documents, inner } = createMoodyDocuments();
    let release = () => {};
    let held = true;
    const slowFirst: Documents = {
      ...documents,
      async find(collection, query) {
        const found = await inner.find(collection, query);
        if (held) {
          held = false;
          await new Promise<void>((resolve) => {
            release = resolve;
          });
        }
        return found;
      },
    };
    const scene = createProviderScene({ documents: slowFirst, clock: createFakeClock() });
    const early = scene.registry.chain();
    await new Promise((resolve) => setImmediate(resolve));
    await set(inner, "tavily", { enabled: false });
    await scene.registry.reload();
    release();
    await early;
    expect(await namesOf(scene)).not.toContain("tavily");
  });
});

describe("a registered provider", () => {
  const answer = {
    data: { items: [{ name: "T", link: { href: "https://a.example/" }, text: "C" }] },
  };
  const fetch = async () => Response.json(answer);
  const body = { name: "acme", ...customDefinitionAt("https://acme.example") };

  test("has its place between the keyed and the keyless ones, and its digest in the policy", async () => {
    const { scene } = setUp({ fetch });
    expect((await scene.send("POST", "/search/providers", body)).status).toBe(201);
    expect(await namesOf(scene)).toEqual(["tavily", "jina", "acme", "tavily-keyless", "searxng", "wikipedia", "index"]);
    expect(await policyOf(scene)).toEqual([
      expect.stringMatching(/^acme@[0-9a-f]{16}$/),
      "tavily-keyless",
      "wikipedia",
      "index",
    ]);
  });

  test("is the same in every isolate, and another once its definition is another", async () => {
    const { scene, documents } = setUp({ fetch });
    await scene.send("POST", "/search/providers", body);
    const [before] = await policyOf(scene);
    expect((await policyOf(createProviderScene({ documents, fetch })))[0]).toBe(before);
    await scene.send("DELETE", "/search/providers/acme");
    await scene.send("POST", "/search/providers", { ...body, answer: { ...body.answer, content: "name" } });
    expect((await policyOf(scene))[0]).toMatch(/^acme@/);
    expect((await policyOf(scene))[0]).not.toBe(before);
  });

  test.each([
    ["another ENCRYPTION_KEY", { ENCRYPTION_KEY: btoa("fedcba9876543210fedcba9876543210") }],
    ["no ENCRYPTION_KEY", { ENCRYPTION_KEY: "" }],
  ])("under %s is there and not configured", async (_name, env) => {
    const { scene, documents } = setUp({ fetch });
    await scene.send("POST", "/search/providers", body);
    const other = createProviderScene({ documents, env });
    expect(await namesOf(other)).toContain("acme");
    expect(await policyOf(other)).toEqual(["tavily-keyless", "wikipedia", "index"]);
  });

  test("whose address was changed in the store does not send its headers there", async () => {
    const { scene, documents } = setUp({ fetch });
    await scene.send("POST", "/search/providers", body);
    const [stored] = await documents.find(searchProviders(), { filter: { _id: "acme" }, limit: 1 });
    const definition = String(stored?.definition).replace("acme.example", "evil.example");
    await set(documents, "acme", { definition });
    const { providers } = await createProviderScene({ documents }).registry.chain();
    expect(providers.find(({ name }) => name === "acme")?.configured).toBe(false);
  });

  test("whose address in the store leads to the machine's credentials counts for nothing", async () => {
    const { scene, documents } = setUp({ fetch });
    await scene.send("POST", "/search/providers", body);
    const [stored] = await documents.find(searchProviders(), { filter: { _id: "acme" }, limit: 1 });
    const definition = String(stored?.definition).replace("acme.example", "169.254.169.254");
    await set(documents, "acme", { definition });
    expect(await namesOf(createProviderScene({ documents }))).not.toContain("acme");
  });
});
