import { describe, expect, test } from "vitest";
import { type CacheEntry, decodeEntry, encodeEntry } from "../../../src/search/cache/cache-entry.ts";

const NOW = 1_770_000_000_000;
const HOUR = 3_600_000;

const result = {
  title: "A title",
  url: "https://example.com/",
  content: "Text with 1 < 2",
  score: 0.5,
  publishedDate: null,
  provider: "tavily",
};

const entry: CacheEntry = {
  value: { results: [result], answer: null, provider: "tavily" },
  storedAt: NOW - 1_000,
  freshUntil: NOW - 1_000 + HOUR,
  staleUntil: NOW - 1_000 + 2 * HOUR,
  errorUntil: NOW - 1_000 + 3 * HOUR,
};

const decode = (text: string) => decodeEntry(text, NOW, 3 * HOUR);
const later = (ms: number): CacheEntry => ({
  ...entry,
  storedAt: entry.storedAt + ms,
  freshUntil: entry.freshUntil + ms,
  staleUntil: entry.staleUntil + ms,
  errorUntil: entry.errorUntil + ms,
});
const withResult = (fields: object) =>
  JSON.stringify({ ...JSON.parse(encodeEntry(entry)), value: { ...entry.value, results: [{ ...result, ...fields }] } });

describe("an entry of the shared cache", () => {
  test("comes back as it was", () => {
    expect(decode(encodeEntry(entry))).toEqual(entry);
  });

  test.each([
    ["text that is no JSON", "garbage"],
    ["null", "null"],
    ["a list", "[]"],
    ["an older version", JSON.stringify({ ...JSON.parse(encodeEntry(entry)), v: 1 })],
    ["no version", JSON.stringify(entry)],
    ["a field too many", JSON.stringify({ ...JSON.parse(encodeEntry(entry)), ownerId: "x" })],
    ["a prototype", encodeEntry(entry).replace('"v":2', '"v":2,"__proto__":{}')],
    ["a script address", withResult({ url: "javascript:alert(1)" })],
    ["an address with credentials", withResult({ url: "https://a:b@example.com/" })],
    ["markup in a title", withResult({ title: "<img src=x onerror=alert(1)>" })],
    ["markup in the content", withResult({ content: "<script>alert(1)</script>" })],
    ["markup in raw content", withResult({ rawContent: "<svg/onload=alert(1)>" })],
    ["a score out of range", withResult({ score: 2 })],
    ["a result of the index", withResult({ provider: "index" })],
    ["a field of a result too many", withResult({ ownerId: "x" })],
    ["a title too long", withResult({ title: "x".repeat(301) })],
    ["content too long", withResult({ content: "x".repeat(2_001) })],
    ["a control character", withResult({ content: "a\u0007b" })],
    ["a turned direction", withResult({ title: "a\u202eb" })],
    ["half a character", withResult({ title: "a\ud800" })],
    ["a provider with an odd name", withResult({ provider: "evil\nname" })],
    ["a date that is a novel", withResult({ publishedDate: "x".repeat(65) })],
    [
      "more results than can be asked for",
      JSON.stringify({ ...JSON.parse(encodeEntry(entry)), value: { ...entry.value, results: Array(21).fill(result) } }),
    ],
    ["a life too long", encodeEntry({ ...entry, errorUntil: NOW + 4 * HOUR })],
    ["a birth too long ago", encodeEntry({ ...entry, storedAt: NOW - 4 * HOUR })],
    ["a birth in the future", encodeEntry(later(2 * HOUR))],
    ["times out of order", encodeEntry({ ...entry, freshUntil: entry.staleUntil + 1 })],
    ["an emergency that ends before it begins", encodeEntry({ ...entry, errorUntil: entry.staleUntil - 1 })],
    ["a birth after its death", encodeEntry({ ...entry, storedAt: entry.freshUntil + 1 })],
    ["too much of it", encodeEntry({ ...entry, value: { ...entry.value, answer: "x".repeat(600_000) } })],
  ])("with %s is a miss", (_name, text) => {
    expect(decode(text)).toBeNull();
  });
});
