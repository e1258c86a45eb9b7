import { expect, test } from "vitest";
import { retryAfterMs } from "../../../src/search/providers/upstream.ts";

const NOW = Date.parse("2026-02-13T10:30:00Z");

test.each([
  [null, null],
  ["60", 60_000],
  [" 0 ", 0],
  ["Fri, 13 Feb 2026 10:30:30 GMT", 30_000],
  ["Fri, 13 Feb 2026 10:29:00 GMT", null],
  ["999999999", 86_400_000],
  ["Fri, 13 Feb 2099 10:30:30 GMT", 86_400_000],
  ["-5", null],
  ["soon", null],
  ["", null],
])("a Retry-After of %j is %s ms", (header, expected) => {
  expect(retryAfterMs(header, NOW)).toBe(expected);
});
