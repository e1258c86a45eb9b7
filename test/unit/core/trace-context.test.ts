import { describe, expect, test } from "vitest";
import { systemRandom } from "../../../src/core/ids.ts";
import {
  boundTracestate,
  childTraceparent,
  continueTrace,
  formatTraceparent,
  newSpanIds,
  parseTraceparent,
} from "../../../src/core/trace-context.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const UNSAMPLED = { traceId: TRACE, spanId: SPAN, sampled: false };
const SAMPLED = { traceId: TRACE, spanId: SPAN, sampled: true };

describe("traceparent", () => {
  test.each([
    ["sampled", `00-${TRACE}-${SPAN}-01`, SAMPLED],
    ["not sampled", `00-${TRACE}-${SPAN}-00`, UNSAMPLED],
    ["sampled beside other flags", `00-${TRACE}-${SPAN}-09`, SAMPLED],
    ["other flags alone", `00-${TRACE}-${SPAN}-08`, UNSAMPLED],
    ["all flags", `00-${TRACE}-${SPAN}-ff`, SAMPLED],
    [
      "ids with one digit that is not zero",
      `00-${"0".repeat(31)}1-${"0".repeat(15)}1-01`,
      { traceId: `${"0".repeat(31)}1`, spanId: `${"0".repeat(15)}1`, sampled: true },
    ],
    ["a later version of the same length", `01-${TRACE}-${SPAN}-01`, SAMPLED],
    ["a later version with more behind a dash", `cc-${TRACE}-${SPAN}-00-what-the-future-will-be-like`, UNSAMPLED],
    ["a later version with a dash at the end", `fe-${TRACE}-${SPAN}-01-`, SAMPLED],
  ])("%s is read", (_, header, context) => {
    expect(parseTraceparent(header)).toEqual(context);
  });

  test.each([
    ["absent", null],
    ["undefined", undefined],
    ["empty", ""],
    ["version ff", `ff-${TRACE}-${SPAN}-01`],
    ["version ff with more", `ff-${TRACE}-${SPAN}-01-more`],
    ["version in upper case", `0A-${TRACE}-${SPAN}-01`],
    ["version of one digit", `0-${TRACE}-${SPAN}-01`],
    ["version of three digits", `000-${TRACE}-${SPAN}-01`],
    ["version that is no hex", `.0-${TRACE}-${SPAN}-01`],
    ["version 00 with more", `00-${TRACE}-${SPAN}-01-more`],
    ["version 00 with a dash at the end", `00-${TRACE}-${SPAN}-01-`],
    ["a later version with more and no dash", `cc-${TRACE}-${SPAN}-01.what`],
    ["a later version that is cut", `cc-${TRACE}-${SPAN}-0`],
    ["all-zero trace id", `00-${"0".repeat(32)}-${SPAN}-01`],
    ["all-zero span id", `00-${TRACE}-${"0".repeat(16)}-01`],
    ["all-zero trace id of a later version", `01-${"0".repeat(32)}-${SPAN}-01`],
    ["trace id in upper case", `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ["trace id with a letter that is no hex", `00-${TRACE.replace("4", "g")}-${SPAN}-01`],
    ["trace id that is short", `00-${TRACE.slice(1)}-${SPAN}-01`],
    ["trace id that is long", `00-${TRACE}0-${SPAN}-01`],
    ["span id in upper case", `00-${TRACE}-${SPAN.toUpperCase()}-01`],
    ["span id that is short", `00-${TRACE}-${SPAN.slice(1)}-01`],
    ["span id that is long", `00-${TRACE}-${SPAN}0-01`],
    ["flags in upper case", `00-${TRACE}-${SPAN}-0A`],
    ["flags of one digit", `00-${TRACE}-${SPAN}-1`],
    ["flags of three digits", `00-${TRACE}-${SPAN}-001`],
    ["no flags", `00-${TRACE}-${SPAN}`],
    ["other separators", `00_${TRACE}_${SPAN}_01`],
    ["spaces around", ` 00-${TRACE}-${SPAN}-01`],
    ["a line break behind", `00-${TRACE}-${SPAN}-01\n`],
    ["two headers in one", `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
    ["full-width digits", `00-${TRACE}-${SPAN}-0１`],
    ["a later version that never ends", `01-${TRACE}-${SPAN}-01-${"x".repeat(1_000)}`],
  ])("%s is none", (_, header) => {
    expect(parseTraceparent(header)).toBeNull();
  });

  test("what is written is read as the same", () => {
    for (const context of [SAMPLED, UNSAMPLED]) expect(parseTraceparent(formatTraceparent(context))).toEqual(context);
    expect(formatTraceparent(SAMPLED)).toBe(`00-${TRACE}-${SPAN}-01`);
  });
});

describe("a trace", () => {
  test("is continued under the parent's id and decision, with a span of its own", () => {
    for (const parent of [SAMPLED, UNSAMPLED]) {
      const child = continueTrace(parent, systemRandom, !parent.sampled);
      expect(child).toMatchObject({ traceId: TRACE, sampled: parent.sampled });
      expect(child.spanId).toMatch(/^[0-9a-f]{16}$/);
      expect(child.spanId).not.toBe(SPAN);
    }
  });

  test("begins where there is no parent, under ids that are right", () => {
    const begun = continueTrace(null, systemRandom, true);
    expect(parseTraceparent(formatTraceparent(begun))).toEqual(begun);
    expect(continueTrace(null, systemRandom, false).sampled).toBe(false);
    expect(continueTrace(null, systemRandom, true).traceId).not.toBe(begun.traceId);
  });

  test("never gets an id of zeros", () => {
    const zeros = (length: number) => new Uint8Array(length);
    const begun = continueTrace(null, zeros, true);
    expect(parseTraceparent(formatTraceparent(begun))).toEqual(begun);
    expect(newSpanIds(2, zeros)).toEqual(["0000000000000001", "0000000000000001"]);
  });

  test("gets as many span ids as are asked for, each another", () => {
    expect(new Set(newSpanIds(100, systemRandom)).size).toBe(100);
    expect(newSpanIds(0, systemRandom)).toEqual([]);
  });
});

describe("childTraceparent", () => {
  test("is another span of the same trace, sampled or not as the caller's", () => {
    for (const context of [SAMPLED, UNSAMPLED]) {
      const child = parseTraceparent(childTraceparent(formatTraceparent(context), systemRandom));
      expect(child).toMatchObject({ traceId: TRACE, sampled: context.sampled });
      expect(child?.spanId).not.toBe(SPAN);
    }
  });

  test("is none where the header is wrong", () => {
    expect(childTraceparent("00-a-b-01", systemRandom)).toBeNull();
    expect(childTraceparent("", systemRandom)).toBeNull();
  });
});

describe("tracestate", () => {
  const long = (key: string, chars: number) => `${key}=${"v".repeat(chars - key.length - 1)}`;

  test.each([
    ["one member", "congo=t61rcWkgMzE", "congo=t61rcWkgMzE"],
    ["members in their order", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"],
    ["white space around members", " a=1 ,\tb=2\t", "a=1,b=2"],
    ["empty members", ",a=1,, ,b=2,", "a=1,b=2"],
    ["spaces inside a value", "a=x y", "a=x y"],
    ["keys of tenants", "0t@vendor=1,a_-*/b=2", "0t@vendor=1,a_-*/b=2"],
    [
      "32 members",
      Array.from({ length: 32 }, (_, i) => `k${i}=v`).join(","),
      Array.from({ length: 32 }, (_, i) => `k${i}=v`).join(","),
    ],
    [
      "512 characters",
      `${long("a", 128)},${long("b", 128)},${long("c", 128)},${long("d", 125)}`,
      `${long("a", 128)},${long("b", 128)},${long("c", 128)},${long("d", 125)}`,
    ],
    [
      "long members first to go",
      `${long("a", 250)},${long("b", 100)},${long("c", 200)}`,
      `${long("a", 250)},${long("b", 100)}`,
    ],
    [
      "then the last ones",
      `${long("a", 120)},${long("b", 120)},${long("c", 120)},${long("d", 120)},${long("e", 120)}`,
      `${long("a", 120)},${long("b", 120)},${long("c", 120)},${long("d", 120)}`,
    ],
  ])("%s: passed on", (_, header, expected) => {
    expect(boundTracestate(header)).toBe(expected);
    expect(expected.length).toBeLessThanOrEqual(512);
  });

  test.each([
    ["absent", null],
    ["undefined", undefined],
    ["empty", ""],
    ["empty members alone", " , ,"],
    ["no value", "a"],
    ["an empty value", "a="],
    ["an empty key", "=1"],
    ["a key in upper case", "Congo=1"],
    ["a key that begins with a dash", "-a=1"],
    ["a second equals sign", "a=1=2"],
    ["a value beyond ASCII", "a=é"],
    ["a line break", "a=1\nb=2"],
    ["a key that is too long", `${"k".repeat(257)}=1`],
    ["a value that is too long", `a=${"v".repeat(257)}`],
    ["33 members", Array.from({ length: 33 }, (_, i) => `k${i}=v`).join(",")],
    ["one wrong member among others", "a=1,B=2"],
    ["nothing left after cutting", long("k".repeat(256), 513)],
    ["a header without end", `a=1,${" ".repeat(10_000)}`],
  ])("%s: nothing to pass on", (_, header) => {
    expect(boundTracestate(header)).toBeNull();
  });
});
