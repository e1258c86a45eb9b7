import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { CONFIG_VARIABLES, loadConfig } from "../../../src/config/config.ts";

test("without any variable the defaults hold", () => {
  const config = loadConfig({});
  expect(config.ADMIN_API_KEY).toBeUndefined();
  expect(config.BODY_LIMIT_BYTES).toBe(262_144);
  expect([config.RATE_LIMIT_BURST, config.RATE_LIMIT_PER_MINUTE, config.RATE_LIMIT_PER_HOUR]).toEqual([20, 120, 3_000]);
  expect(config.TAVILY_BASE_URL).toBe("https://api.tavily.com");
  expect(config.DEPLOY_TARGET).toBe("edge");
});

test("an empty variable counts as absent", () => {
  expect(loadConfig({ RATE_LIMIT_BURST: "", ADMIN_API_KEY: "" }).RATE_LIMIT_BURST).toBe(20);
});

test("bindings beside the variables are ignored", () => {
  expect(() => loadConfig({ DOCUMENTS: { get() {} }, ASSETS: {} })).not.toThrow();
});

test("every bad variable is named with what is allowed, and none of the values", () => {
  const bad = {
    ADMIN_API_KEY: "too-short-s3cret",
    ENCRYPTION_KEY: "bm90IGxvbmcgZW5vdWdo",
    LOG_LEVEL: "loud",
    BODY_LIMIT_BYTES: "1e9",
    PUBLIC_URL: "https://user:pa55@example.com",
    TAVILY_API_KEY: "tvly-split\r\nX-Evil: 1",
    CORS_ORIGINS: "no-scheme.test",
    EMAIL_FROM: "nonsense",
  };
  let message = "";
  try {
    loadConfig(bad);
  } catch (error) {
    message = String(error);
  }
  for (const [name, value] of Object.entries(bad)) {
    expect(message).toContain(`${name}: `);
    expect(message).not.toContain(value);
  }
  expect(message).toContain("one of debug, info, warn, error");
  expect(message).toContain("at least 24 characters");
});

test("an admin key that looks like a JSON Web Token is refused, one with dots is not", () => {
  const token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";
  expect(() => loadConfig({ ADMIN_API_KEY: token })).toThrow("ADMIN_API_KEY: no JSON Web Token");
  const dotted = "admin.key-with-two.dots-and-length";
  expect(loadConfig({ ADMIN_API_KEY: dotted }).ADMIN_API_KEY).toBe(dotted);
  expect(() => loadConfig({ ADMIN_API_KEY: "x".repeat(513) })).toThrow("ADMIN_API_KEY: at most 512 characters");
});

test.each(["ada@example.com", "Ada <ada@example.com>", "Ada Lovelace <ada@mail.example.com>"])(
  "messages may come from %s",
  (address) => expect(loadConfig({ EMAIL_FROM: address }).EMAIL_FROM).toBe(address),
);

test.each(["Ada", "ada@", "Ada <ada>", "a@example.com, b@example.com", "Ada <ada@example.com", "a@b.c\r\nBcc: x@y.z"])(
  "messages come from no %j",
  (text) => expect(() => loadConfig({ EMAIL_FROM: text })).toThrow("EMAIL_FROM: an address such as"),
);

test("URLs lose the slash at their end", () => {
  expect(loadConfig({ PUBLIC_URL: "https://example.com/" }).PUBLIC_URL).toBe("https://example.com");
});

test("the example file lists exactly the variables that are read", async () => {
  const text = await readFile(new URL("../../../.dev.vars.example", import.meta.url).pathname, "utf8");
  const listed = [...text.matchAll(/^#? ?([A-Z][A-Z0-9_]+)=/gm)].map((match) => match[1]);
  expect(listed.sort()).toEqual([...CONFIG_VARIABLES].sort());
});
