import * as fc from "fast-check";
import { expect, test } from "vitest";
import { stateName } from "../../../src/storage/shared-state/state-names.ts";
import { packText, unpackText } from "../../../src/storage/shared-state/stored-text.ts";

/** Any UTF-16, halves of pairs included. */
const anyText = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units));
const throughUtf8 = (text: string) => new TextDecoder().decode(new TextEncoder().encode(text));

test("every text comes back from a store of UTF-8 as it went in", () => {
  fc.assert(fc.property(anyText, (text) => unpackText(throughUtf8(packText(text))) === text));
});

test.each(["", "x", "j", "j{", 'j{"a":1}', "j1"])("what was never packed is nothing: %s", (text) => {
  expect(unpackText(text)).toBeNull();
});

test("two names never meet in a store of UTF-8", () => {
  fc.assert(
    fc.property(anyText, anyText, (one, other) => {
      fc.pre(one !== other);
      return throughUtf8(stateName("kind", one)) !== throughUtf8(stateName("kind", other));
    }),
  );
  expect(stateName("a", "\ud800")).not.toBe(stateName("a", '"\\ud800"'));
  expect(stateName("a", "b")).not.toBe(stateName("ab", ""));
});
