import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startJina } from "../support/providers/jina.ts";
import { refusedUrl, type StandIn } from "../support/providers/stand-in.ts";
import { startTavily } from "../support/providers/tavily.ts";
import { hasRedis, type LocalUpstash, startUpstash } from "../support/upstash/upstash.ts";
import { createIsolate, createShiftedClock, type Isolate } from "./search-isolate.ts";

const ENV = { PROVIDER_TIMEOUT_MS: "5000", SEARCH_DEADLINE_MS: "20000" };
const YEAR_MS = 31_536_000_000;
const BOMB_BYTES = 100_000_000;
const TIMES = ["storedAt", "freshUntil", "staleUntil", "errorUntil"] as const;

type Entry = Record<string, unknown> & {
  value: { results: Record<string, unknown>[]; [field: string]: unknown };
} & Record<(typeof TIMES)[number], number>;

/** What is found in place of an answer, made of a good one. */
type Poison = (entry: Entry) => string;

const plain = (entry: unknown) => `p${JSON.stringify(entry)}`;
const zipped = (text: string | Buffer) => `z${gzipSync(text).toString("base64")}`;

function withResult(fields: Record<string, unknown>): Poison {
  return (entry) => {
    const [first, ...rest] = entry.value.results;
    return plain({ ...entry, value: { ...entry.value, results: [{ ...first, ...fields }, ...rest] } });
  };
}

function withTimes(change: (time: number, name: (typeof TIMES)[number]) => number): Poison {
  return (entry) => plain({ ...entry, ...Object.fromEntries(TIMES.map((name) => [name, change(entry[name], name)])) });
}

const POISONS: Readonly<Record<string, Poison>> = {
  "markup in a title": withResult({ title: "Tides <img src=x onerror=alert(1)>" }),
  "markup in a text": withResult({ content: "<script>alert(1)</script>" }),
  "markup in raw text": withResult({ rawContent: "<svg onload=alert(1)>" }),
  "markup in the answer": (entry) => plain({ ...entry, value: { ...entry.value, answer: "<b>42</b>" } }),
  "a javascript: address": withResult({ url: "javascript:alert(document.cookie)" }),
  "a data: address": withResult({ url: "data:text/html,<script>alert(1)</script>" }),
  "an address with a password": withResult({ url: "https://user:secret@tides.example/" }),
  "a score above 1": withResult({ score: 7 }),
  "a title that is no text": withResult({ title: { toString: "x" } }),
  "an empty title": withResult({ title: "" }),
  "a field that nobody knows": withResult({ onclick: "alert(1)" }),
  "a result from an index": withResult({ provider: "index" }),
  "an answer from an index": (entry) => plain({ ...entry, value: { ...entry.value, provider: "index" } }),
  "a prototype": (entry) => plain(entry).replace('"value":{', '"value":{"__proto__":{"polluted":true},'),
  "an older version": (entry) => plain({ ...entry, v: 1 }),
  "a newer version": (entry) => plain({ ...entry, v: 99 }),
  "no version": ({ v: _, ...entry }) => plain(entry),
  "times of next year": withTimes((time) => time + YEAR_MS),
  "a life of a year": withTimes((time, name) => (name === "storedAt" ? time : time + YEAR_MS)),
  "a birth a year ago and an end that is near": withTimes((time, name) =>
    name === "storedAt" ? time - YEAR_MS : time,
  ),
  "times out of order": withTimes((time, name) => (name === "freshUntil" ? time + 100_000_000 : time)),
  "times that are no numbers": (entry) => plain({ ...entry, freshUntil: String(entry.freshUntil) }),
  "times that no clock shows": withTimes(() => Number.MAX_VALUE),
  "nothing at all": () => "",
  "a letter": () => "p",
  "half an answer": (entry) => plain(entry).slice(0, 200),
  null: () => plain(null),
  "a list": (entry) => plain([entry]),
  "100,000 brackets": () => `p${"[".repeat(100_000)}`,
  "600,000 letters": () => `p${JSON.stringify("x".repeat(600_000))}`,
  "a packing that nobody knows": (entry) => `x${JSON.stringify(entry)}`,
  "garbage for base64": () => "z!!!! no base64 ????",
  "base64 that is no gzip": () => `z${Buffer.from("no gzip").toString("base64")}`,
  "gzip that breaks off": (entry) => zipped(JSON.stringify(entry)).slice(0, 101),
  "gzip of what is no text": () => zipped(Buffer.from([0xff, 0xfe, 0x00, 0xc3])),
  "gzip of markup": (entry) => zipped(withResult({ title: "<b>Tides</b>" })(entry).slice(1)),
  "a zip bomb": () => zipped(Buffer.alloc(BOMB_BYTES, " ")),
};

const rows: string[] = [];

describe.skipIf(!hasRedis())("a shared cache that lies", () => {
  let upstash: LocalUpstash;
  let tavily: StandIn;
  let jina: StandIn;
  let nobody: string;
  let asked = 0;

  beforeAll(async () => {
    [upstash, tavily, jina, nobody] = await Promise.all([startUpstash(), startTavily(), startJina(), refusedUrl()]);
  });

  afterAll(async () => {
    console.log(
      [row("in place of the answer", "by", "cache", "calls", "took", "the next isolate"), ...rows].join("\n"),
    );
    await Promise.all([upstash?.close(), tavily?.close(), jina?.close()]);
  });

  function row(...cells: readonly (string | number)[]): string {
    const widths = [46, 8, 7, 7, 8, 0];
    return cells.map((cell, i) => String(cell).padEnd(widths[i] ?? 0)).join(" ");
  }

  /** With an empty memory. */
  const newIsolate = (): Isolate =>
    createIsolate({ upstash, tavily: tavily.url, jina: jina.url, nobody, clock: createShiftedClock(), env: ENV });

  /** Has a question answered and kept, and gives the name under which it is. */
  async function keepAnswer(query: string): Promise<string> {
    await upstash.redis("FLUSHALL");
    const isolate = newIsolate();
    expect((await isolate.ask(query)).body.cache.status).toBe("miss");
    await isolate.settle();
    const names = (await upstash.redis("KEYS", "orchestrix:entry:v*:search:*")) as unknown[];
    expect(names).toHaveLength(1);
    return String(names[0]);
  }

  /** Puts something else in the answer's place, as fresh as that was. */
  async function replaceStored(name: string, poison: Poison): Promise<void> {
    const stored = String(await upstash.redis("GET", name));
    const [head = "", text] = stored.split(/:tp(.*)/s);
    const poisoned = poison(JSON.parse(text ?? "null") as Entry);
    await upstash.redis("SET", name, `${head}:t${poisoned}`, "KEEPTTL");
  }

  test.each(Object.entries(POISONS))(
    "%s is never shown: the provider answers, and its answer is kept",
    async (what, poison) => {
      const query = `tide tables number ${asked++}`;
      const name = await keepAnswer(query);
      await replaceStored(name, poison);
      const callsBefore = tavily.calls.length;
      const isolate = newIsolate();
      const before = performance.now();
      const { status, body } = await isolate.ask(query);
      const ms = Math.round(performance.now() - before);
      await isolate.settle();
      expect(status).toBe(200);
      expect(body).toMatchObject({ provider: "tavily", degraded: false, cache: { status: "miss", ageSeconds: 0 } });
      expect(body.results.map(({ title }) => title)).toEqual([1, 2, 3, 4, 5].map((n) => `${query} · Tavily ${n}`));
      expect(JSON.stringify(body)).not.toMatch(/[<>]|javascript:|data:|secret|polluted/);
      expect(tavily.calls.length - callsBefore).toBe(1);
      expect(isolate.logged).not.toContain("shared_state_unavailable");

      const next = (await newIsolate().ask(query)).body;
      expect(next.cache.status).toBe("l2");
      expect(next.results).toEqual(body.results);
      rows.push(
        row(what, body.provider, body.cache.status, tavily.calls.length - callsBefore, `${ms} ms`, "l2, clean"),
      );
    },
  );

  test("the answer that is not tampered with is found", async () => {
    const query = `tide tables number ${asked++}`;
    const name = await keepAnswer(query);
    for (const same of [plain, (entry: Entry) => zipped(JSON.stringify(entry))]) {
      await replaceStored(name, same);
      expect((await newIsolate().ask(query)).body.cache.status).toBe("l2");
    }
  });
});
