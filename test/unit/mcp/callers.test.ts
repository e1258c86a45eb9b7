import { expect, test } from "vitest";
import { createCallerCheck } from "../../../src/mcp/callers.ts";

const PUBLIC = "https://orx.example.com";

function check(
  url: string,
  origin: string | undefined,
  { publicUrl, allowed = [] }: { publicUrl?: string; allowed?: readonly string[] } = {},
): boolean {
  return createCallerCheck({ publicUrl, allowedOrigins: allowed })({ url, origin }).ok;
}

test.each<[string, string | undefined, boolean]>([
  [`${PUBLIC}/mcp`, undefined, true],
  [`${PUBLIC}/mcp`, PUBLIC, true],
  [`${PUBLIC}/mcp`, "https://evil.example", false],
  [`${PUBLIC}/mcp`, "null", false],
  [`${PUBLIC}/mcp`, "http://orx.example.com", false],
  ["https://evil.example/mcp", undefined, false],
  ["https://evil.example/mcp", "https://evil.example", false],
  ["https://orx.example.com.evil.example/mcp", undefined, false],
  ["https://orx.example.com:8443/mcp", undefined, false],
  ["http://localhost:8787/mcp", undefined, true],
  ["http://localhost:8787/mcp", "http://localhost:8787", true],
  ["http://localhost:8787/mcp", "http://localhost:3000", false],
  ["http://localhost:8787/mcp", PUBLIC, true],
  ["http://orchestrix:8787/mcp", undefined, true],
  ["http://host.docker.internal:8787/mcp", undefined, true],
  ["http://10.0.0.7:8787/mcp", undefined, true],
])("with PUBLIC_URL, a request to %s from %s is let in: %s", (url, origin, expected) => {
  expect(check(url, origin, { publicUrl: PUBLIC })).toBe(expected);
});

test.each<[string, string | undefined, boolean]>([
  ["https://my.workers.dev/mcp", undefined, true],
  // Whether the page is ours or one whose name was made to point here can't be told.
  ["https://my.workers.dev/mcp", "https://my.workers.dev", false],
  ["http://evil.example/mcp", "http://evil.example", false],
  ["http://evil.example:8787/mcp", "http://evil.example:8787", false],
  ["http://127.0.0.1:8787/mcp", "http://127.0.0.1:8787", true],
  ["http://[::1]:8787/mcp", "http://[::1]:8787", true],
  ["http://app.localhost:8787/mcp", "http://app.localhost:8787", true],
  ["http://127.0.0.1.evil.example/mcp", "http://127.0.0.1.evil.example", false],
  ["http://localhost.evil.example/mcp", "http://localhost.evil.example", false],
])("without PUBLIC_URL, a request to %s from %s is let in: %s", (url, origin, expected) => {
  expect(check(url, origin)).toBe(expected);
});

test("listed origins may call, and all of them where * is listed", () => {
  const url = `${PUBLIC}/mcp`;
  expect(check(url, "https://app.example", { publicUrl: PUBLIC, allowed: ["https://app.example"] })).toBe(true);
  expect(check(url, "https://other.example", { publicUrl: PUBLIC, allowed: ["https://app.example"] })).toBe(false);
  expect(check(url, "https://other.example", { publicUrl: PUBLIC, allowed: ["*"] })).toBe(true);
  // No list opens another host.
  expect(check("https://evil.example/mcp", "https://evil.example", { publicUrl: PUBLIC, allowed: ["*"] })).toBe(false);
});
