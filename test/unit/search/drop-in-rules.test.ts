import { describe, expect, test } from "vitest";
import { endOfDay, mayLieWithin, parseDay, parsePublished, rangeCovering } from "../../../src/search/drop-in/dates.ts";
import { hostsOf, matchesAny, parseDomainRule, wholeHosts } from "../../../src/search/drop-in/domain-rules.ts";
import { countryCode } from "../../../src/search/drop-in/tavily-country-codes.ts";

const NOW = Date.parse("2026-02-13T10:30:00.000Z");
const at = (iso: string) => Date.parse(iso);

describe("a domain as clients write it", () => {
  test.each<[string, string, string | null]>([
    ["example.com", "example.com", null],
    [" Example.COM ", "example.com", null],
    ["https://www.example.com/", "example.com", null],
    ["http://docs.example.com:8080?x=1", "docs.example.com", null],
    ["*.example.com", "example.com", null],
    ["linkedin.com/in", "linkedin.com", "/in"],
    ["https://example.com/Blog/2026/", "example.com", "/blog/2026"],
    ["münchen.de", "xn--mnchen-3ya.de", null],
  ])("%s is understood", (text, host, path) => {
    expect(parseDomainRule(text)).toEqual({ host, path });
  });

  test.each([
    "",
    " ",
    "com",
    "*.com",
    ".gov",
    "-",
    "a b.com",
    "user:pw@example.com",
    "ftp://example.com",
    "exa\u0000mple.com",
  ])("%j is none", (text) => {
    expect(parseDomainRule(text)).toBeNull();
  });

  test("matches its host with all under it, and where it names one its path", () => {
    const rules = ["example.com/in", "other.example"].flatMap((text) => parseDomainRule(text) ?? []);
    const matches = (url: string) => matchesAny(url, rules);
    expect(["https://example.com/in", "https://www.example.com/IN/x", "http://a.other.example/"].map(matches)).toEqual([
      true,
      true,
      true,
    ]);
    expect(
      ["https://example.com/", "https://example.com/inside", "https://badother.example/", "x"].map(matches),
    ).toEqual([false, false, false, false]);
    expect([hostsOf(rules), wholeHosts(rules)]).toEqual([["example.com", "other.example"], ["other.example"]]);
  });
});

describe("a date", () => {
  test.each<[string, string | null]>([
    ["2026-02-13", "2026-02-13T00:00:00.000Z"],
    ["2/3/2026", "2026-02-03T00:00:00.000Z"],
    ["12/31/2025", "2025-12-31T00:00:00.000Z"],
    ["2024-02-29", "2024-02-29T00:00:00.000Z"],
    ["2026-02-30", null],
    ["13/1/2026", null],
    ["2026-02-13T10:00:00Z", null],
    ["yesterday", null],
    ["", null],
  ])("%j as a day is %s", (text, expected) => {
    expect(parseDay(text)).toBe(expected === null ? null : at(expected));
  });

  test.each<[string, string | null]>([
    ["Fri, 13 Feb 2026 10:30:00 GMT", "2026-02-13T10:30:00.000Z"],
    ["Jan 2, 2026", "2026-01-02T00:00:00.000Z"],
    ["2026-01-02", "2026-01-02T00:00:00.000Z"],
    ["2026-01-02T03:04:05", "2026-01-02T03:04:05.000Z"],
    ["2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05.000Z"],
    ["3 days ago", "2026-02-10T10:30:00.000Z"],
    ["1 Hour ago", "2026-02-13T09:30:00.000Z"],
    ["last week", null],
    ["Part 3", null],
    ["", null],
    ["2026".repeat(100), null],
  ])("of a page, %j is %s", (text, expected) => {
    expect(parsePublished(text, NOW)).toBe(expected === null ? null : at(expected));
  });

  test.each<[string | null, string | null]>([
    ["2026-02-13", "day"],
    ["2026-02-12", "week"],
    ["2026-01-20", "month"],
    ["2025-06-01", "year"],
    ["2020-01-01", null],
    [null, null],
  ])("from %s on, the range to ask for is %s", (from, range) => {
    const fromMs = from === null ? null : parseDay(from);
    expect(rangeCovering({ fromMs, toMs: null }, NOW)).toBe(range);
  });

  test("lies within a period with both its days, and stays where it is not known", () => {
    const period = { fromMs: at("2026-01-02T00:00:00Z"), toMs: endOfDay(at("2026-01-03T00:00:00Z")) };
    const within = (text: string | null) => mayLieWithin(period, text, NOW);
    expect(["2026-01-01T23:59:59Z", "2026-01-02", "2026-01-03T23:59:59Z", "2026-01-04"].map(within)).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect([null, "some day"].map(within)).toEqual([true, true]);
  });
});

test.each<[string, string | null]>([
  ["germany", "de"],
  [" United Kingdom ", "gb"],
  ["south korea", "kr"],
  ["DE", "de"],
  ["atlantis", null],
  ["zz", null],
  ["constructor", null],
  ["", null],
])("the country %j has the code %s", (name, code) => {
  expect(countryCode(name)).toBe(code);
});
