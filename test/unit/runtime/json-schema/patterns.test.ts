import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isRegularExpression } from "../../../../src/runtime/json-schema/patterns/parse.ts";
import { compilePattern, measurePattern } from "../../../../src/runtime/json-schema/patterns/pattern.ts";

const RUNS = 3_000;
const LONGEST = 200;

/** What is searched is short, so that the platform ends. */
function agree(pattern: string, text: string): void {
  const ours = compilePattern(pattern)(text, { left: 1_000_000 });
  expect({ pattern, text, matches: ours }).toEqual({ pattern, text, matches: new RegExp(pattern, "u").test(text) });
}

function isRegularToPlatform(text: string): boolean {
  try {
    new RegExp(text, "u");
    return true;
  } catch {
    return false;
  }
}

const ATOMS = [
  ...["a", "b", "-", "é", "𝒳", ".", "\\d", "\\D", "\\w", "\\W", "\\s", "\\S", "\\.", "\\/", "\\n", "\\u0061", "\\x62"],
  ...["\\u{1d4b3}", "\\ud835\\udcb3", "\\cJ", "\\0", "[ab]", "[^ab]", "[a-c\\d]", "[\\w-]", "[^\\s\\S]", "[]", "[^]"],
  ...["\\p{L}", "\\P{Lu}", "[\\p{Ll}\\d]", "[^\\p{L}b]", "[\\b-]", "[é-\\u{1d4b3}]", "\\p{Script=Greek}", "[\\s\\S]"],
];
const PLACES = ["^", "$", "\\b", "\\B"];
const QUANTIFIERS = ["*", "+", "?", "{2}", "{0}", "{0,2}", "{1,}", "{2,3}", "*?", "+?", "??", "{1,2}?"];
const GROUPS = ["(", "(?:", "(?<n>"];
const LOOKS = ["(?=", "(?!", "(?<=", "(?<!"];

const { pattern } = fc.letrec<{ pattern: string; term: string; sequence: string }>((tie) => ({
  pattern: fc.array(tie("sequence"), { minLength: 1, maxLength: 2 }).map((options) => options.join("|")),
  sequence: fc.array(tie("term"), { maxLength: 3 }).map((terms) => terms.join("")),
  term: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(...ATOMS),
    fc.constantFrom(...PLACES),
    fc.tuple(fc.constantFrom(...ATOMS), fc.constantFrom(...QUANTIFIERS)).map((parts) => parts.join("")),
    fc
      .tuple(fc.constantFrom(...GROUPS.slice(0, 2)), tie("pattern"), fc.constantFrom("", ...QUANTIFIERS))
      .map(([open, body, quantifier]) => `${open}${body})${quantifier}`),
    fc.tuple(fc.constantFrom(...LOOKS), tie("pattern")).map(([open, body]) => `${open}${body})`),
  ),
}));
const short = pattern.filter((text) => text.length < LONGEST);
const CHARACTERS = [..."ab-.c1 _Zé\nαβ\0\b/\ud835\u2028"];
const ASTRAL = [...CHARACTERS, "𝒳", "😀", "\udcb3"];

function textOf(characters: readonly string[]): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...characters), { maxLength: 8 }).map((parts) => parts.join(""));
}

test("patterns match what the platform's own expressions match", () => {
  fc.assert(fc.property(short, textOf(CHARACTERS), agree), { numRuns: RUNS });
});

/** Anchored: looking for a beginning, V8 also looks inside of pairs, which the specification does not. */
test("patterns match what the platform's own match in characters of two units", () => {
  const anchored = short.map((text) => `^(?:${text})$`);
  fc.assert(fc.property(anchored, textOf(ASTRAL), agree), { numRuns: RUNS });
});

test("what is a regular expression is what the platform takes for one", () => {
  const parts = [...ATOMS, ...PLACES, ...QUANTIFIERS, ...GROUPS, ...LOOKS, ")", "|", "[", "]", "{", "}", "\\", "?"];
  const rest = [",", "\\1", "\\2", "\\k<n>", "\\k", "\\u", "\\x6", "\\c", "\\p{", "\\p{Nope}", "\\-", "\\a", "[b-a]"];
  const text = fc.array(fc.constantFrom(...parts, ...rest), { maxLength: 6 }).map((each) => each.join(""));
  fc.assert(
    fc.property(text, (each) => {
      // Newer platforms allow the same name in options of which only one can match.
      fc.pre(each.split("(?<n>").length < 3);
      expect({ each, isRegular: isRegularExpression(each) }).toEqual({ each, isRegular: isRegularToPlatform(each) });
    }),
    { numRuns: RUNS },
  );
});

describe("patterns that people write", () => {
  test.each<[string, string, string]>([
    ["^(?=.*[A-Z])(?=.*\\d)(?!.*\\s).{8,}$", "Passw0rdlong", "passw0rdlong"],
    ["^[^\\s@]+@[^\\s@]+\\.[^\\s@]{2,}$", "ada@example.org", "ada@example"],
    ["^\\d{4}-(?:0[1-9]|1[0-2])$", "2024-12", "2024-13"],
    ["^(?<year>\\d{4})$", "2024", "24"],
    ["colou?r", "the colour red", "collor"],
    ["^\\p{L}+$", "Ångström", "no 1"],
    ["^[\\s\\S]{1,5}$", "a\nb", "longer"],
    ["(?<!\\d)42(?!\\d)", "a 42 b", "142"],
    ["^.$", "😀", "ab"],
    ["^\\/api\\/", "/api/x", "api"],
    ["a$", "a", "a\n"],
  ])("%s", (text, right, wrong) => {
    expect(compilePattern(text)(right, { left: 1_000 })).toBe(true);
    expect(compilePattern(text)(wrong, { left: 1_000 })).toBe(false);
  });
});

describe("what is refused is told in a sentence", () => {
  test.each<[string, RegExp]>([
    ["(a)\\1", /no back-references/],
    ["(?<n>a)\\k<n>", /no back-references/],
    ["(?i:a)", /no modifiers/],
    ["^(?:(?:a{0,100}){0,100}){0,10}$", /too large/],
    ["(?:){1000000000}", /too large/],
    [`(?:${"(?:a{9}){9}".repeat(50)}){9}`, /too large/],
    [`${"(".repeat(400)}${")".repeat(400)}`, /inside each other/],
    ["a".repeat(1_001), /1000 characters/],
    ["a{2,1}", /not a regular expression/],
    ["\\p{Nope}", /not a regular expression/],
    ["[\\w-a]", /not a regular expression/],
    ["a**", /not a regular expression/],
    ["\\1", /not a regular expression/],
  ])("%.40s", (text, message) => {
    expect(measurePattern(text)).toMatch(message);
  });
});
