import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Json } from "../../../src/core/json.ts";
import { escapeFieldNames, unescapeFieldNames } from "../../../src/storage/documents/field-names.ts";
import { checkDocument } from "../../../src/storage/documents/operators.ts";

/** Of the characters that mean something, and of any others. */
const name = fc.oneof(
  fc.string({ unit: fc.constantFrom("$", "＄", ".", "．", "␛", "a"), maxLength: 6 }),
  fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0") && text !== "__proto__"),
);
const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Json>(null, true, 1, "$a.b＄．␛"),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(name, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

test("every name reads back as it was, and a store takes what is written for it", () => {
  fc.assert(
    fc.property(value, (given) => {
      const written = escapeFieldNames(given);
      expect(checkDocument({ written })).toEqual([]);
      expect(unescapeFieldNames(written)).toEqual(given);
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ["$ref", "＄ref"],
  ["＄ref", "␛＄ref"],
  ["a.b", "a．b"],
  ["a．b", "a␛．b"],
  ["price $ ＄", "price $ ＄"],
  ["$.␛", "＄．␛␛"],
  ["plain", "plain"],
])("%s is written as %s", (given, written) => {
  expect(escapeFieldNames([{ [given]: { [given]: 1 } }])).toEqual([{ [written]: { [written]: 1 } }]);
});

/** The rule by which names were written before there was an escape, and that by which they were read. */
const writeEarlier = (text: string) => text.replace(/^\$/, "＄").replaceAll(".", "．");
const readEarlier = (text: string) => text.replace(/^＄/, "$").replaceAll("．", ".");

test("what was stored before there was an escape reads as it did, but where an escape would stand", () => {
  fc.assert(
    fc.property(name, (given) => {
      const stored = writeEarlier(given);
      fc.pre(!/␛[＄．␛]/.test(stored));
      expect(unescapeFieldNames({ [stored]: 1 })).toEqual({ [readEarlier(stored)]: 1 });
    }),
    { numRuns: 2_000 },
  );
});
