import { expect, test } from "vitest";
import { looksPrivate } from "../../../src/search/warming/popularity-private.ts";

test.each([
  "mail jane.doe+work@example.co.uk",
  "jane＠example.com",
  "orx_abcdefgh12345678 is this leaked",
  "tvly-0123456789abcdef",
  "Authorization: Bearer abc.def",
  "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig",
  "postgres://user:secret@db/x",
  "my password: hunter2",
  "api key = 1234",
  "AKIAIOSFODNN7EXAMPLE",
  "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
  "call +1 (555) 010-9999 now",
  "card 4111 1111 1111 1111",
  "iban DE89 3704 0044 0532 0130 00",
])("takes %j for private", (text) => {
  expect(looksPrivate(text)).toBe(true);
});

test.each([
  "how to reset a password",
  "what is an api key",
  "weather in São Paulo 2026-02-13",
  "東京タワーの高さ",
  "typescript 5.9 release notes",
  "best internationalization-frameworks",
  "1984 george orwell 9780451",
  "site:example.com mcp server",
])("takes %j for nothing private", (text) => {
  expect(looksPrivate(text)).toBe(false);
});
