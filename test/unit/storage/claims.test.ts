import { expect, test } from "vitest";
import { createClaims } from "../../../src/storage/shared-state/claims.ts";

test("claims that have ended make room first, then the oldest", () => {
  const claims = createClaims(3);
  claims.take("oldest", { token: "t", ttlMs: 100 }, 0);
  claims.take("short", { token: "t", ttlMs: 10 }, 0);
  claims.take("third", { token: "t", ttlMs: 100 }, 0);
  expect(claims.take("fourth", { token: "t", ttlMs: 100 }, 10)).toBe("held");
  expect(claims.take("oldest", { token: "u", ttlMs: 100 }, 10)).toBe("busy");
  expect(claims.take("fifth", { token: "t", ttlMs: 100 }, 10)).toBe("held");
  expect(claims.take("oldest", { token: "u", ttlMs: 100 }, 10)).toBe("held");
});

test("a claim of its own does not cost a holder another", () => {
  const claims = createClaims(2);
  claims.take("a", { token: "t", ttlMs: 100 }, 0);
  claims.take("b", { token: "t", ttlMs: 100 }, 0);
  expect(claims.take("b", { token: "t", ttlMs: 100 }, 1)).toBe("held");
  expect(claims.take("a", { token: "u", ttlMs: 100 }, 1)).toBe("busy");
});

test("a claim ends by its holder's token alone, and not after its time", () => {
  const claims = createClaims(10);
  claims.take("a", { token: "t", ttlMs: 100 }, 0);
  claims.end("a", "u", 1);
  expect(claims.take("a", { token: "u", ttlMs: 100 }, 1)).toBe("busy");
  claims.end("a", "t", 1);
  expect(claims.take("a", { token: "u", ttlMs: 100 }, 1)).toBe("held");
});
