import { describe, expect, test } from "vitest";
import { addToMask, createSecretMask } from "../../../../src/runtime/execution/secret-mask.ts";
import { startCpuTimer } from "../../../support/cpu-time.ts";

const inJson = (text: string) => JSON.stringify(text).slice(1, -1);
const inUnicodeEscapes = (text: string) =>
  text
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
const inPercents = (text: string) => Buffer.from(text).toString("hex").replaceAll(/../g, "%$&");
const inHtml = (text: string) =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#039;");

const WRITERS: Readonly<Record<string, (text: string) => string>> = {
  plainly: (text) => text,
  "as JSON": inJson,
  "as JSON inside JSON": (text) => inJson(inJson(text)),
  "as JSON with its slashes escaped": (text) => inJson(text).replaceAll("/", "\\/"),
  "as JSON with its slashes escaped, twice": (text) =>
    inJson(inJson(text).replaceAll("/", "\\/")).replaceAll("/", "\\/"),
  "as JSON for ASCII": (text) => inJson(text).replaceAll(/[^ -~]/g, inUnicodeEscapes),
  "as JSON that is safe in HTML": (text) => inJson(text).replaceAll(/[<>&'=]/g, inUnicodeEscapes),
  "as JSON for ASCII inside JSON": (text) => inJson(inJson(text).replaceAll(/[^ -~]/g, inUnicodeEscapes)),
  "in Unicode escapes": inUnicodeEscapes,
  "in upper-case Unicode escapes": (text) => inUnicodeEscapes(text).toUpperCase().replaceAll("\\U", "\\u"),
  "in Unicode escapes inside JSON": (text) => inJson(inUnicodeEscapes(text)),
  "as a part of a URL": (text) => encodeURIComponent(text),
  "as a URL": (text) => encodeURI(text),
  "as a URL in lower case": (text) => encodeURIComponent(text).replaceAll(/%../g, (found) => found.toLowerCase()),
  "as a URL that escapes more": (text) =>
    encodeURIComponent(text).replaceAll(/[!'()*~]/g, (char) => inPercents(char).toUpperCase()),
  "as a form": (text) => new URLSearchParams({ q: text }).toString().slice(2),
  "with each byte escaped": inPercents,
  "with each byte escaped in upper case": (text) => inPercents(text).toUpperCase(),
  "as HTML": inHtml,
  "as HTML in decimals": (text) => text.replaceAll(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`),
  "as HTML in hexadecimals": (text) =>
    text.replaceAll(/[&<>"'/`=]/g, (char) => `&#x${Buffer.from(char).toString("hex")};`),
  "in hexadecimals": (text) => Buffer.from(text).toString("hex"),
  "in upper-case hexadecimals": (text) => Buffer.from(text).toString("hex").toUpperCase(),
};

const SECRETS: readonly (readonly [string, string])[] = [
  ["a password", `p@ss "w/ord" & <more>'s 100%+~(1)!*=\`x`],
  ["characters of expressions", "(a+)+$|[b]{2,}\\d.*?^-/"],
  ["backslashes", "\\".repeat(40)],
  ["quotes", `"'`.repeat(20)],
  ["percents", "%25%2525%%"],
  ["ampersands", "&amp;&#38;&&"],
  ["line ends", "-----BEGIN-----\r\nabc\tdef\n-----END-----"],
  ["letters of many scripts", "kürzer 密码 пароль 🦉🦉"],
  ["control characters", "a\u0000b\u001fc\u2028d\u007f"],
  ["8 KiB", `s3cret/+ "ü🦉`.repeat(600)],
];

test.each(
  SECRETS.flatMap(([kind, secret]) =>
    Object.entries(WRITERS).map(([how, write]) => [kind, how, secret, write] as const),
  ),
)("a secret of %s is masked where it is written %s", (_kind, _how, secret, write) => {
  const mask = createSecretMask([secret, "another-secret"]);
  const written = write(secret);
  expect(mask?.text(`before ${written} after ${written}`)).toBe("before [masked] after [masked]");
  expect(mask?.longestChars).toBeGreaterThanOrEqual(written.length);
});

test.each(['Tr0ub4dor&3-secret value/with"quote', "a'b <c> `d` {e} |f| ^g^ [h] ü🦉 ~!$&'()*+,;=:@/%"])(
  "%s is masked as the URL parser writes a path, a query and a fragment",
  (secret) => {
    const { href } = new URL(`https://example.org/${secret}?q=${secret}#${secret}`);
    const masked = createSecretMask([secret])?.text(href);
    expect(masked).toBe("https://example.org/[masked]?q=[masked]#[masked]");
  },
);

test("a secret is masked as the name of a host that it became", () => {
  const mask = createSecretMask(["MySuperSecretToken123", "Bücher-Straße", "1234567890"]);
  for (const secret of ["MySuperSecretToken123", "Bücher-Straße"]) {
    expect(mask?.text(`${new URL(`https://${secret}.Example.com/v1`).host} was not found`)).toBe(
      "[masked].example.com was not found",
    );
  }
  expect(mask?.text(`at ${new URL("https://1234567890/").host}`)).toBe("at 73.150.2.210");
});

test("a secret is masked without the blanks at its ends, and in one line", () => {
  const mask = createSecretMask([" tok-en 12 \n", "-----BEGIN-----\r\nabc\tdef\n-----END-----\n", "   ab   "]);
  const seen = ["tok-en 12", "-----BEGIN----- abc def -----END-----", "tok-en%2012", "   ab   ", "ab"];
  expect(seen.map((text) => mask?.text(`<${text}>`))).toEqual([
    "<[masked]>",
    "<[masked]>",
    "<[masked]>",
    "<[masked]>",
    "<ab>",
  ]);
});

test("a secret URL is masked as its parser gives it back, and from a path that holds a key on", () => {
  const hook = "https://Hooks.Example.com:443/services/T00000000/B00000000/XYZ abc?wait=1#a";
  const short = "https://api.example.com?key=0123456789abcdef";
  const mask = createSecretMask([hook, short]);
  const { href, origin, pathname, search } = new URL(hook);
  const seen = [href, `${origin}${pathname}`, `POST ${pathname} 404`, `GET ${pathname}${search}`, JSON.stringify(href)];
  for (const text of seen) expect(mask?.text(text)).not.toMatch(/XYZ|T00000000/);
  expect(mask?.text(new URL(short).href)).toBe("[masked]");
  expect(mask?.text("https://api.example.com/v1 of hooks.example.com/")).toBe(
    "https://api.example.com/v1 of hooks.example.com/",
  );
});

test("a lone surrogate is masked plainly and in JSON", () => {
  const secret = "\ud800bcd\udc00";
  const mask = createSecretMask([secret]);
  expect(mask?.text(`x${secret}y${inJson(secret)}z`)).toBe("x[masked]y[masked]z");
});

test("of secrets that begin alike, and of one inside another, nothing stays", () => {
  const begin = `-----BEGIN PRIVATE KEY-----\n${"MIIEvQIBADANBgkqhkiG9w0BAQEFAASC".repeat(4)}`;
  const secrets = [begin, `${begin}/first"`, `${begin}/second"`];
  const mask = createSecretMask(secrets);
  for (const secret of secrets) {
    for (const write of Object.values(WRITERS)) expect(mask?.text(`a${write(secret)}b`)).toBe("a[masked]b");
  }
});

test("what only begins like a secret, or has its characters in another order, stays", () => {
  const mask = createSecretMask(["abcd", "p/w/d", "correct horse"]);
  const text = 'abc dcba 616263 %61%62%63 p/w p%2Fw correct%20hors {"a":"p\\/w"} 0123456789abc';
  expect(mask?.text(text)).toBe(text);
});

test("only the longest name of a secret is taken, and what stands beside it stays", () => {
  const mask = createSecretMask(["1234"]);
  expect(mask?.text("<31323334> 0x31323334, 313233 1234567")).toBe("<[masked]> 0x[masked], 313233 [masked]567");
});

test("the same secrets have the same mask, others have their own", () => {
  expect(createSecretMask(["first-secret", "b".repeat(9)])).toBe(createSecretMask(["first-secret", "b".repeat(9)]));
  expect(createSecretMask(["secret,one"])?.text("secret one")).toBe("secret one");
  expect(createSecretMask(['a","b', "cccc"])?.text('a","b')).toBe("[masked]");
  expect(createSecretMask(["aaaa", "bbbb", "cccc"])?.text('a","b aaaa')).toBe('a","b [masked]');
});

test("many secrets of the largest size are found in a large text in bounded time", () => {
  const secrets = Array.from({ length: 20 }, (_, i) => `${i}"s3cret/+ü_`.repeat(1_300));
  const [first = ""] = secrets;
  const cpuMs = startCpuTimer();
  const masked = createSecretMask(secrets)?.text(`${inPercents(first)} ${"the quick brown fox ".repeat(10_000)}`);
  expect(masked?.startsWith("[masked] the")).toBe(true);
  expect(cpuMs()).toBeLessThan(2_000);
});

test.each([
  ["repeats one character", "a".repeat(16_384), "a".repeat(250_000)],
  ["is backslashes", "\\".repeat(16_384), "\\".repeat(16_383)],
  ["repeats what may be escaped", `${"/".repeat(2_000)}x`, "/".repeat(4_000)],
])("a secret that %s costs no unbounded time", (_what, secret, text) => {
  const mask = createSecretMask([secret]);
  const cpuMs = startCpuTimer();
  mask?.text(text);
  expect(cpuMs()).toBeLessThan(2_000);
});

test("of names that are the same once masked none takes another's value", () => {
  const mask = createSecretMask(["s3cret-value", "another-secret"]);
  const value = { "s3cret-value": 1, "[masked]": 2, "another-secret": 3, "s3cret-value!": 4, other: 5 };
  expect(mask?.value(value)).toEqual({
    "[masked] (2)": 1,
    "[masked]": 2,
    "[masked] (3)": 3,
    "[masked]!": 4,
    other: 5,
  });
});

describe("a secret of digits is masked where it is a number", () => {
  const LONG = "12345678901234567890";
  test.each<[string, string, string, unknown]>([
    ["as it is", "9876543210123", "9876543210123", "[masked]"],
    ["with an exponent", "9876543210123", "9.876543210123e12", "[masked]"],
    ["with a fraction of zeros", "9876543210123", "9876543210123.00", "[masked]"],
    ["with another sign", "9876543210123", "-9876543210123", "-[masked]"],
    ["inside a longer one", "98765432", "9876543210123", "[masked]10123"],
    ["with a fraction", "12345678.25", "12345678.25", "[masked]"],
    ["without the zeros at its end", "12345678.50", "12345678.50", "[masked]"],
    ["without the zeros at its beginning", "0012345678", "12345678", "[masked]"],
    ["without its plus", "+15551234567", "15551234567", "[masked]"],
    ["as far as a double is exact", LONG, LONG, "[masked]"],
    ["rounded, with an exponent", `${LONG}123`, `${LONG}123`, "[masked]"],
    ["written with an exponent", "1e30", "1e30", "[masked]"],
    ["as the hexadecimals of another", "2345", "32333435", "[masked]"],
    ["not as another number", "9876543210123", "9876543210124", 9876543210124],
    ["not as a part of it", "9876543210123", "987654321012", 987654321012],
  ])("%s", (_how, secret, written, shown) => {
    const mask = createSecretMask([secret]);
    expect(mask?.value(JSON.parse(`{"a": [${written}], "b": 200}`))).toEqual({ a: [shown], b: 200 });
    expect(addToMask(mask, ["another"])?.value(JSON.parse(written))).toEqual(shown);
  });

  test("and as what a double leaves of it in a text", () => {
    expect(createSecretMask([LONG])?.text('{"n":12345678901234567000}')).toBe('{"n":[masked]}');
  });

  test("true, false, null and short numbers keep nothing secret", () => {
    const value = [true, false, null, 42, 42.5, -0];
    expect(createSecretMask(["true", "false", "null", "42", "a"])?.value(value)).toEqual(value);
  });

  test("many numbers cost little, whether the secret is one or not", () => {
    const numbers = Array.from({ length: 200_000 }, (_, i) => i * 7_919.5);
    for (const secret of ["9876543210123", "sk_live_0123456789"]) {
      const mask = createSecretMask([secret]);
      const cpuMs = startCpuTimer();
      const masked = mask?.value(numbers);
      expect(cpuMs()).toBeLessThan(1_000);
      expect(masked).toEqual(numbers);
    }
  });
});
