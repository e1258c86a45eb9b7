import { describe, expect, test } from "vitest";
import { hostBelongsTo, safeUrl, urlIdentity } from "../../../src/search/quality/urls.ts";

describe("the identity of a URL", () => {
  test.each([
    ["https://Example.com/a", "https://example.com/a"],
    ["http://example.com/a", "https://example.com/a"],
    ["https://www.example.com/a", "https://example.com/a"],
    ["https://example.com/a/", "https://example.com/a"],
    ["https://example.com", "https://example.com/"],
    ["https://example.com:443/a", "https://example.com/a"],
    ["http://example.com:80/a", "https://example.com/a"],
    ["https://example.com/a#part", "https://example.com/a"],
    ["https://example.com/a?utm_source=x&UTM_medium=y&gclid=1&fbclid=2", "https://example.com/a"],
    ["https://example.com/a?utm_source=x&id=1", "https://example.com/a?id=1"],
    ["https://example.com./a", "https://example.com/a"],
    ["https://münchen.example/ä", "https://xn--mnchen-3ya.example/%C3%A4"],
  ])("%s and %s are one page", (a, b) => {
    expect(urlIdentity(a)).toBe(urlIdentity(b));
  });

  test.each([
    ["https://example.com/a", "https://example.com/b"],
    ["https://example.com/a", "https://example.com/A"],
    ["https://example.com/a?id=1", "https://example.com/a?id=2"],
    ["https://example.com:8443/a", "https://example.com/a"],
    ["https://sub.example.com/a", "https://example.com/a"],
    ["https://example.com/?gclidish=1", "https://example.com/"],
  ])("%s and %s are two", (a, b) => {
    expect(urlIdentity(a)).not.toBe(urlIdentity(b));
  });

  test("what is no http URL has none", () => {
    expect(urlIdentity("javascript:alert(1)")).toBeNull();
    expect(urlIdentity("not a url")).toBeNull();
  });
});

test("a host belongs to its domain and to the ones above, not to one that ends alike", () => {
  expect(hostBelongsTo("example.com", "example.com")).toBe(true);
  expect(hostBelongsTo("docs.example.com", "example.com")).toBe(true);
  expect(hostBelongsTo("badexample.com", "example.com")).toBe(false);
  expect(hostBelongsTo("example.com.evil.net", "example.com")).toBe(false);
});

test.each([
  "javascript:alert(1)",
  "JaVaScRiPt:alert(1)",
  "data:text/html,<script>alert(1)</script>",
  "vbscript:x",
  "file:///etc/passwd",
  "ftp://example.com/",
  "https://user:pass@example.com/",
  "https://user@example.com/",
  "//example.com/a",
  "/relative",
  "https://",
  "",
  `https://example.com/${"a".repeat(3_000)}`,
])("%s is no address for a result", (address) => {
  expect(safeUrl(address)).toBeNull();
});

test("what could leave an attribute is encoded", () => {
  expect(safeUrl(`https://example.com/"><script>alert(1)</script>?q="<x>`)?.href).not.toMatch(/["<>]/);
});
