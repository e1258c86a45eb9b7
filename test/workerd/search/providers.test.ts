import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { systemClock } from "../../../src/core/clock.ts";
import { createIdSource, systemRandom } from "../../../src/core/ids.ts";
import { createEmbeddedDocuments } from "../../../src/storage/documents/embedded.ts";
import { CUSTOM_KEY, customDefinitionAt } from "../../support/providers/custom.ts";
import { createProviderScene } from "../../support/providers/scene.ts";

const documents = createEmbeddedDocuments({
  namespace: env.DOCUMENTS,
  ids: createIdSource(systemClock, systemRandom),
});

test("providers are registered, found by another isolate and removed, on the embedded store", async () => {
  const sent: (string | null)[] = [];
  const fetch = async (_url: string, init: RequestInit) => {
    sent.push(new Headers(init.headers).get("x-acme-key"));
    return Response.json({ data: { items: [{ name: "T", link: { href: "https://a.example/" }, text: "C" }] } });
  };
  const [here, elsewhere] = [createProviderScene({ documents, fetch }), createProviderScene({ documents, fetch })];
  const body = { name: "acme", ...customDefinitionAt("https://acme.example") };
  const replies = await Promise.all([here, elsewhere].map((scene) => scene.send("POST", "/search/providers", body)));
  expect(replies.map(({ status }) => status).sort()).toEqual([201, 409]);
  await here.send("PUT", "/search/providers/acme", { priority: 1 });

  const { providers, policy } = await createProviderScene({ documents, fetch }).registry.chain();
  expect(providers[0]?.name).toBe("acme");
  expect(policy[0]).toMatch(/^acme@/);
  expect((await here.send("GET", "/search/providers")).body.providers[0]).toMatchObject({
    name: "acme",
    configured: true,
  });
  expect(new Set(sent)).toEqual(new Set([CUSTOM_KEY]));

  expect((await elsewhere.send("DELETE", "/search/providers/acme")).status).toBe(204);
  expect((await elsewhere.registry.chain()).providers.map(({ name }) => name)).not.toContain("acme");
});

test.each([
  "http://2852039166",
  "http://0xa9fea9fe",
  "http://0251.0376.0251.0376",
  "http://169.254.43518",
  "http://[::ffff:169.254.169.254]",
  "http://[::ffff:a9fe:a9fe]",
  "http://[fe80::1]",
  "http://[64:ff9b::169.254.169.254]",
  "http://METADATA.google.internal.",
  "http://169。254。169。254",
  "http://１６９.254.169.254",
])("%s is refused by this platform's URL parser too", async (origin) => {
  const body = { name: "sly", ...customDefinitionAt(origin) };
  const { status } = await createProviderScene({
    documents,
    fetch: () => Promise.reject(new Error("must not be asked")),
  }).send("POST", "/search/providers", body);
  expect(status).toBe(400);
});
