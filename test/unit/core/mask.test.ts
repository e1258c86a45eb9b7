import { expect, test } from "vitest";
import { MASK, maskText, maskValue } from "../../../src/core/mask.ts";

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
