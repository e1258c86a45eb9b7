import { expect, test } from "vitest";
import { MASK, maskText, maskValue } from "../../../src/core/mask.ts";
import { startCpuTimer } from "../../support/cpu-time.ts";

test("secrets known by their look are masked wherever they stand", () => {
  const secrets = [
    `orx_0f_${"a".repeat(43)}`,
    `ORX_0F_${"A".repeat(43)}`,
    `orxa_${"a".repeat(43)}`,
    "tvly-dev-0123456789abcdef",
    "jina_0123456789abcdef",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
  ];
  for (const secret of secrets) expect(maskText(`before ${secret} after`)).toBe(`before ${MASK} after`);
});

test("credentials inside a URL are masked and its host stays", () => {
  expect(maskText("mongodb+srv://user:p4ss@db.example.com/x")).toBe(`mongodb+srv://${MASK}@db.example.com/x`);
});

test("an authorization header loses its value", () => {
  expect(maskText("Authorization: Bearer abc.def")).toBe(`Authorization: ${MASK}`);
});

test("values known from the configuration are masked whatever they look like", () => {
  expect(maskText("connect with hunter2-hunter2", ["hunter2-hunter2"])).toBe(`connect with ${MASK}`);
});

test("whatever stands under a secret name is masked, at any depth, and the rest stays", () => {
  const value = { user: { email: "a@b.c", password: "x", apiKey: ["y"] }, headers: { Cookie: "z" }, count: 1 };
  expect(maskValue(value)).toEqual({
    user: { email: "a@b.c", password: MASK, apiKey: MASK },
    headers: { Cookie: MASK },
    count: 1,
  });
});

test("an error is written with its causes, masked", () => {
  const error = new Error("cannot reach mongodb://u:secret@h/", { cause: new Error("key tvly-0123456789") });
  const text = JSON.stringify(maskValue({ error }));
  expect(text).toContain("cannot reach");
  expect(text).not.toContain("u:secret");
  expect(text).not.toContain("tvly-0123456789");
});

test("a value that holds itself ends", () => {
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  expect(JSON.stringify(maskValue(loop))).toContain("[deep]");
});

test.each([
  `orx_0f_${"a".repeat(43)}`,
  `orxa_${"a".repeat(43)}`,
  "tvly-0123456789abcdef",
  "re_0123456789",
  "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
  "Bearer abc",
  "ftp://user:p4ss@h",
  "hunter2plainletters",
])("a secret that is a property's name is masked, and its value stays: %s", (name) => {
  const masked = maskText(name, ["hunter2plainletters"]);
  expect(masked).toContain(MASK);
  expect(maskValue({ deep: [{ [name]: 1 }] }, ["hunter2plainletters"])).toEqual({ deep: [{ [masked]: 1 }] });
});

test("of names that are the same once masked none takes another's value", () => {
  const key = (letter: string) => `orx_0f_${letter.repeat(43)}`;
  const value = { [key("a")]: 1, [MASK]: 2, [`${MASK} (2)`]: 3, [key("b")]: 4, [`${key("c")} (3)`]: 5, other: 6 };
  expect(maskValue(value)).toEqual({
    [`${MASK} (3)`]: 1,
    [MASK]: 2,
    [`${MASK} (2)`]: 3,
    [`${MASK} (4)`]: 4,
    [`${MASK} (3) (2)`]: 5,
    other: 6,
  });
});

test("many names that are the same once masked are told apart in no time", () => {
  const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`tvly-${String(i).padStart(8, "0")}`, i]));
  const cpuMs = startCpuTimer();
  expect(Object.values(maskValue(many) as object)).toEqual(Object.values(many));
  expect(cpuMs()).toBeLessThan(500);
});

test("a property called __proto__ stays one, and changes no prototype", () => {
  const value = JSON.parse(`{"__proto__": {"polluted": "Bearer abc"}, "orx_0f_${"a".repeat(43)}": 1}`);
  const masked = maskValue(value) as object;
  expect(JSON.stringify(masked)).toBe(`{"__proto__":{"polluted":"${MASK}"},"${MASK}":1}`);
  expect(Object.getPrototypeOf(masked)).toBe(Object.prototype);
  expect("polluted" in masked).toBe(false);
});

test("a value of digits known from the configuration is masked as a number too", () => {
  const secrets = ["1234567890123456"];
  expect(maskValue({ n: 1234567890123456, list: [-1234567890123456, 12345678, 0.5] }, secrets)).toEqual({
    n: MASK,
    list: [`-${MASK}`, 12345678, 0.5],
  });
});
