import { expect, test } from "vitest";
import { createDnsOverHttps } from "../../../../src/runtime/outbound/dns-over-https.ts";
import {
  DNS_ANSWER_MAX_BYTES,
  DNS_CACHE_MAX_ENTRIES,
  DNS_TIMEOUT_MS,
} from "../../../../src/runtime/outbound/limits.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";
import { createInternet } from "./scene.ts";

interface Zone {
  readonly A?: readonly string[] | Response;
  readonly AAAA?: readonly string[] | Response;
  readonly ttl?: number;
}

const { signal } = new AbortController();

function resolverOn(zone: Zone) {
  const clock = createFakeClock();
  const internet = createInternet((url) => {
    const kind = new URL(url).searchParams.get("type") === "A" ? "A" : "AAAA";
    const given = zone[kind] ?? [];
    if (given instanceof Response) return given;
    const alias = { name: "a.example.com", type: 5, TTL: 300, data: "b.example.com." };
    const records = given.map((data) => ({ name: "b", type: kind === "A" ? 1 : 28, TTL: zone.ttl ?? 300, data }));
    return Response.json({ Status: 0, TC: false, Answer: [alias, ...records] });
  });
  return { clock, asked: internet.asked, resolve: createDnsOverHttps({ fetch: internet.fetch, clock }) };
}

test("both kinds of address are asked for, and aliases on the way are left out", async () => {
  const { resolve, asked } = resolverOn({ A: ["93.184.216.34"], AAAA: ["2606:2800::1"] });
  expect(await resolve("a.example.com", signal)).toEqual(["93.184.216.34", "2606:2800::1"]);
  expect(asked.map(({ url }) => url)).toEqual([
    "https://cloudflare-dns.com/dns-query?name=a.example.com&type=A",
    "https://cloudflare-dns.com/dns-query?name=a.example.com&type=AAAA",
  ]);
  expect(asked[0]?.headers.get("accept")).toBe("application/dns-json");
});

test("a host's name stays a name in the resolver's address", async () => {
  const { resolve, asked } = resolverOn({ A: ["93.184.216.34"] });
  await resolve("a.example.com&type=TXT", signal);
  expect(new URL(asked[0]?.url ?? "").searchParams.getAll("type")).toEqual(["A"]);
});

test("addresses are remembered for their lifetime", async () => {
  const { resolve, asked, clock } = resolverOn({ A: ["93.184.216.34"], ttl: 20 });
  await resolve("a.example.com", signal);
  await clock.advance(19_999);
  await resolve("a.example.com", signal);
  expect(asked).toHaveLength(2);
  await clock.advance(1);
  await resolve("a.example.com", signal);
  expect(asked).toHaveLength(4);
});

test("and for a minute at most", async () => {
  const { resolve, asked, clock } = resolverOn({ A: ["93.184.216.34"], ttl: 86_400 });
  await resolve("a.example.com", signal);
  await clock.advance(60_000);
  await resolve("a.example.com", signal);
  expect(asked).toHaveLength(4);
});

test("an address without a lifetime is asked for every time", async () => {
  const { resolve, asked } = resolverOn({ A: ["93.184.216.34"], ttl: 0 });
  await resolve("a.example.com", signal);
  await resolve("a.example.com", signal);
  expect(asked).toHaveLength(4);
});

test("what is remembered is bounded, the oldest goes first", async () => {
  const { resolve, asked } = resolverOn({ A: ["93.184.216.34"] });
  for (let i = 0; i <= DNS_CACHE_MAX_ENTRIES; i++) await resolve(`h${i}.example.com`, signal);
  const before = asked.length;
  await resolve(`h${DNS_CACHE_MAX_ENTRIES}.example.com`, signal);
  expect(asked).toHaveLength(before);
  await resolve("h0.example.com", signal);
  expect(asked).toHaveLength(before + 2);
});

test("a name that there is not has no addresses", async () => {
  const none = () => Response.json({ Status: 3 });
  const { resolve } = resolverOn({ A: none(), AAAA: none() });
  expect(await resolve("nothing.example.com", signal)).toEqual([]);
});

test.each([
  ["a server's failure", Response.json({ Status: 2 })],
  ["a cut answer", Response.json({ Status: 0, TC: true, Answer: [] })],
  ["another form", Response.json({ Status: "0" })],
  ["no JSON", new Response("<html>")],
  ["an error's status", Response.json({ Status: 0, Answer: [] }, { status: 500 })],
  ["a redirect", new Response(null, { status: 302, headers: { location: "https://evil.example/" } })],
  ["too long an answer", new Response(`{"Status":0,"x":"${"x".repeat(DNS_ANSWER_MAX_BYTES)}"}`)],
])("half of the addresses are none: %s", async (_what, AAAA) => {
  const { resolve } = resolverOn({ A: ["93.184.216.34"], AAAA });
  expect(await resolve("a.example.com", signal)).toBeNull();
});

test("nobody can tell where the resolver cannot be reached", async () => {
  const resolve = createDnsOverHttps({ fetch: () => Promise.reject(new Error("down")), clock: createFakeClock() });
  expect(await resolve("a.example.com", signal)).toBeNull();
});

test("a resolver that does not answer is waited for a second", async () => {
  const clock = createFakeClock();
  const answer = createDnsOverHttps({ fetch: () => new Promise(() => {}), clock })("a.example.com", signal);
  await clock.advance(DNS_TIMEOUT_MS);
  expect(await answer).toBeNull();
});
