import fc from "fast-check";
import { expect, test } from "vitest";
import { systemRandom } from "../../../src/core/ids.ts";
import { createCredentialCheck } from "../../../src/core/own-credentials.ts";

const ADMIN = "admin.key-with-two.dots-and-length";
const METRICS = "metrics-of-16-ch";
const KEY = `orx_0f_${"aB3_-".repeat(8)}xyz`;
const TOKEN = `orxa_${"aB3_-".repeat(8)}xyz`;

const holds = createCredentialCheck([ADMIN, METRICS], systemRandom);

test.each([ADMIN, METRICS, KEY, TOKEN])("%s is found as it is, and inside any text", (secret) => {
  for (const text of [
    secret,
    `Bearer ${secret}`,
    `bearer  ${secret} `,
    `Token token="${secret}", x=1`,
    `https://example.com/?key=${secret}&x=1`,
    `before${secret}after`,
    `Basic ${btoa(`${secret}:`)}`,
    `Basic ${btoa(`user:${secret}`)}`,
    `Basic ${btoa(`ü~?>${secret}`).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`,
    `%42earer%20${secret}`,
    [...secret].map((char) => `%${char.charCodeAt(0).toString(16)}`).join(""),
    `Bearer eyJhbGciOiJub25lIn0.${btoa(JSON.stringify({ key: secret })).replaceAll("=", "")}.x`,
  ]) {
    expect(holds(text), text).toBe(true);
  }
});

test.each(["orx_mistyped", "Bearer ORX_0F_ABC", "orxa_short", 'key="orx_1"'])(
  "%s means to be a key of ours",
  (text) => {
    expect(holds(text)).toBe(true);
  },
);

test.each([
  "",
  ADMIN.slice(1),
  ADMIN.slice(0, -1),
  `${ADMIN.slice(0, 20)} ${ADMIN.slice(20)}`,
  "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.NHVaYe26MbtOYhSKkoKYdFVomg4i8ZJd8_-RU8VNbftc",
  "Bearer eyJhbGciOiJIUzI1NiJ9.eyJvcnhfIjoxfQ.ab-orx_cd.ef",
  "Basic dXNlcjpwYXNzd29yZA==",
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
  "100% wool, 5 %zz",
  "a word such as worx_ is no key",
])("%j holds none", (text) => {
  expect(holds(text)).toBe(false);
});

test("a secret is found wherever it stands, and only where it stands", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 80 }), fc.string({ maxLength: 80 }), (before, after) => {
      fc.pre(!/orx/i.test(before + after));
      expect(holds(`${before}${METRICS}${after}`)).toBe(true);
      expect(holds(`${before}${METRICS.slice(1)}${after}`)).toBe(`${before}${METRICS.slice(1)}`.includes(METRICS));
    }),
  );
});
