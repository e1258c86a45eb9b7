import fc from "fast-check";
import type { Json } from "../../../src/core/json.ts";
import { searchRequest } from "../../../src/search/contract.ts";

/** Anything that two bytes can hold, halves of characters among it. */
const codeUnits = fc.array(fc.nat({ max: 0xff_ff }), { maxLength: 40 }).map((units) => String.fromCharCode(...units));

const PIECES = [
  "<",
  "</",
  "<script>",
  "</script>",
  "<scr",
  "ipt>",
  "&lt;",
  "&#60;",
  "&#x3c;",
  "&amp;",
  "&",
  ">",
  "<!--",
  "-->",
  "<![CDATA[",
  "img src=x onerror=alert(1)",
  "<svg/onload=",
  "javascript:",
  "data:text/html,",
  '"',
  "'",
  "\u0000",
  "\u0007",
  "\u009f",
  "\u200b",
  "\u202e",
  "\u2066",
  "\ufeff",
  "\u{e0041}",
  "\ud800",
  "\udc00",
  "\r\n",
  "\t",
  "\u2028",
  " ",
  "a",
  "字",
  "ß",
  "e\u0301",
  "🎉",
  "مرحبا",
] as const;
const attacks = fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map((pieces) => pieces.join(""));

export const hostileText: fc.Arbitrary<string> = fc.oneof(
  codeUnits,
  attacks,
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom(
    "__proto__",
    "constructor",
    "https://user:pw@example.com/",
    "https://example.com/\u202e",
    "",
    "x".repeat(3_000),
  ),
);

/** A query as the contract lets it pass: 1 to 400 characters of any Unicode. */
export const anyQuery: fc.Arbitrary<string> = fc
  .oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 400 }),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 100 }),
    fc.lorem({ maxCount: 8 }),
  )
  .filter((query) => searchRequest.shape.query.safeParse(query).success)
  .map((query) => query.trim());

const anyJson: fc.Arbitrary<Json> = fc.jsonValue({ maxDepth: 4, stringUnit: "binary" }) as fc.Arbitrary<Json>;

/** Addresses that no result may have, and several of one page. */
const anyAddress = fc.oneof(
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
  fc.constantFrom(
    "https://user:pw@example.com/",
    "https://user@example.com/cats",
    "JavaScript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "//example.com/cats",
    "http://example.com:80/cats/",
    "HTTPS://WWW.EXAMPLE.COM/cats#top",
    "https://example.com/cats?UTM_Source=y&gclid=1",
    'https://example.com/"><script>alert(1)</script>',
    "https://b.example./cats",
  ),
);

interface Change {
  readonly way: readonly number[];
  readonly value: Json | undefined;
}

const change: fc.Arbitrary<Change> = fc.record({
  way: fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 4 }),
  value: fc.oneof(
    hostileText,
    anyAddress,
    anyJson,
    fc.constant(undefined),
    fc.double({ noNaN: true }).filter(Number.isFinite),
  ),
});

/** Any JSON, or `base` with other addresses and up to eight of its values replaced or taken out. */
export function answersLike(base: Json): fc.Arbitrary<Json> {
  const addressed = fc.array(anyAddress, { maxLength: 3 }).map((addresses) => withAddresses(base, addresses));
  const mutated = fc
    .tuple(addressed, fc.array(change, { maxLength: 8 }))
    .map(([start, changes]) =>
      changes.reduce((value, { way, value: other }) => replaceAt(value, way, other) ?? null, start),
    );
  return fc.oneof({ weight: 1, arbitrary: anyJson }, { weight: 6, arbitrary: mutated });
}

function withAddresses(base: Json, addresses: readonly string[]): Json {
  const left = [...addresses];
  return JSON.parse(JSON.stringify(base), (_key, value) =>
    typeof value === "string" && value.startsWith("http") ? (left.shift() ?? value) : value,
  );
}

/** Follows the n-th child of each level as far as there are any. */
function replaceAt(value: Json, way: readonly number[], other: Json | undefined): Json | undefined {
  const [first = 0, ...rest] = way;
  if (typeof value !== "object" || value === null) return other;
  const children = Object.entries(value);
  const chosen = children[first % Math.max(1, children.length)];
  if (chosen === undefined) return other;
  const changed = rest.length === 0 ? other : replaceAt(chosen[1], rest, other);
  const entries = children.flatMap(([key, child]) =>
    key !== chosen[0] ? [[key, child]] : changed === undefined ? [] : [[key, changed]],
  );
  return Array.isArray(value) ? entries.map(([, child]) => child as Json) : Object.fromEntries(entries);
}
