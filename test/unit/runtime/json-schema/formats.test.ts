import { Validator } from "@cfworker/json-schema";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isFormat } from "../../../../src/runtime/json-schema/formats.ts";
import { startCpuTimer } from "../../../support/cpu-time.ts";
import { evaluate } from "./support.ts";

const RUNS = 1_500;
const unbounded = { left: Number.POSITIVE_INFINITY };

/** Pieces that texts of the format are made of, and some that break them. */
const PIECES: Readonly<Record<string, readonly string[]>> = {
  date: ["2024", "1900", "-", "02", "29", "30", "13", "00", "1", "٢"],
  time: ["12", "23", "59", "60", ":", ".", "5", "z", "Z", "+", "-", "01:00", "00", "24"],
  "date-time": ["2024-02-29", "t", "T", " ", "12:00:00", "23:59:60", "Z", ".5", "+01:00", "z"],
  duration: ["P", "T", "1", "12", "Y", "M", "D", "W", "H", "S"],
  email: ["a", ".", "@", '"', " ", "\\", "b.co", "[127.0.0.1]", "[IPv6:::1]", "-", "a".repeat(64), "é"],
  hostname: ["a", "A", "0", "-", ".", "_", "a".repeat(63), "é"],
  ipv4: ["0.", "1.", "25", "255", "256", ".", "1.1.1"],
  ipv6: ["::", ":", "1", "ffff", "FFFFF", "1.2.3.4", "g", "1:2:3", "%eth0"],
  uuid: ["deadbeef", "-", "0000", "ABCD", "0123456789ab", "g"],
  uri: [
    "http",
    ":",
    "//",
    "/",
    "a",
    "?",
    "#",
    "//[::1]",
    "//[v1.a]:8",
    "@",
    "80",
    "%41",
    "%4",
    " ",
    "é",
    "[",
    "]",
    "\\",
  ],
  "uri-template": ["{", "}", "a", "_", ",", "*", ":3", ":0", "+", "#", ".", "%41", "%", "/", " ", "é", "'"],
  "json-pointer": ["/", "~0", "~1", "~2", "a", "~", "#", "é", "\n"],
  "relative-json-pointer": ["0", "1", "01", "#", "/", "~0", "~", "a", "-"],
};

test.each(Object.entries(PIECES))("a library agrees about the format %s", (format, pieces) => {
  const library = new Validator({ format }, "2020-12");
  const text = fc.array(fc.constantFrom(...pieces), { maxLength: 9 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, (each) => {
      expect({ each, isValid: isFormat(format, each, unbounded) }).toEqual({
        each,
        isValid: library.validate(each).valid,
      });
    }),
    { numRuns: RUNS },
  );
});

test("where the library is lax, the standard counts", () => {
  const isValid = (format: string, text: string) => isFormat(format, text, unbounded);
  expect(isValid("ipv4", "127.0.0.01")).toBe(false);
  expect(isValid("uri", "http:/[::1]")).toBe(false);
  expect(isValid("uri-reference", "1:a")).toBe(false);
  expect(isValid("uri-reference", "./1:a")).toBe(true);
  expect(isValid("uri", "http:")).toBe(false);
});

const FORMATS = [...Object.keys(PIECES), "regex", "uri-reference"];

test.each(FORMATS)("the format %s decides about long texts without going back over them", (format) => {
  const parts = [
    "a",
    "a-",
    "a.",
    "1:",
    ":",
    "%41",
    "{a}",
    "{a,",
    "http://a",
    "/",
    "a@",
    "P1D",
    "0-",
    "~0",
    "(",
    "[",
    " ",
    "\\(",
  ];
  const texts = parts.flatMap((part) => {
    const long = part.repeat(100_000);
    return [`${long}!`, `http://${long}\u0000`, `x@${long} `, `P${long}`, `"${long}`, `12:00:00.${long}`];
  });
  const cpuMs = startCpuTimer();
  for (const text of texts) isFormat(format, text, unbounded);
  expect(cpuMs()).toBeLessThan(10_000);
});

test("a long text of a format takes work that grows with it", () => {
  const workOf = (length: number) => evaluate({ format: "uri" }, `http://a/${"b".repeat(length)}`).work;
  expect(workOf(200_000) / workOf(100_000)).toBeLessThan(2.1);
});
