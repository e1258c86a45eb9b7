import { expect, test } from "vitest";
import type { ProviderQuota, SearchProvider } from "../../../src/search/providers/provider.ts";
import { createQuotas, quotaLeft } from "../../../src/search/providers/provider-quotas.ts";
import { createFakeClock } from "../../support/fake-clock.ts";

function providerWith(name: string, quota?: () => Promise<ProviderQuota | null>, configured = true): SearchProvider {
  const search = () => Promise.reject(new Error("not asked here"));
  return { name, configured, degraded: false, personal: false, search, ...(quota === undefined ? {} : { quota }) };
}

function setUp() {
  const clock = createFakeClock();
  const quotaOf = createQuotas({ clock, fetch: () => Promise.reject(new Error("no network")) });
  return { clock, quotaOf };
}

const told = (used: number, limit: number | null) => async () => ({ used, limit });

test("what is left is of the provider with the least, of those that can tell", async () => {
  const { quotaOf } = setUp();
  const providers = [
    providerWith("a", told(20, 100)),
    providerWith("b", told(90, 100)),
    providerWith("c", told(5, null)),
    providerWith("d", async () => null),
    providerWith("e"),
    providerWith("f", told(100, 100), false),
  ];
  expect(await quotaLeft(providers, quotaOf)).toBeCloseTo(0.1);
});

test.each([
  ["nobody can tell", [providerWith("a"), providerWith("b", told(1, null))], null],
  ["there is nobody", [], null],
  ["more was used than there is", [providerWith("a", told(200, 100))], 0],
  ["the plan has nothing", [providerWith("a", told(0, 0))], 0],
])("where %s, %j", async (_name, providers, expected) => {
  expect(await quotaLeft(providers, setUp().quotaOf)).toBe(expected);
});

test("a quota is asked once a minute, also where it was not told", async () => {
  const { clock, quotaOf } = setUp();
  let asked = 0;
  const silent = providerWith("a", async () => {
    asked++;
    return null;
  });
  await quotaOf(silent);
  await quotaOf(silent);
  await clock.advance(59_999);
  await quotaOf(silent);
  expect(asked).toBe(1);
  await clock.advance(1);
  await quotaOf(silent);
  expect(asked).toBe(2);
});

test("a caller who hangs up leaves the question open for the next", async () => {
  const { quotaOf } = setUp();
  let asked = 0;
  const provider = providerWith("a", async () => {
    asked++;
    return { used: 1, limit: 2 };
  });
  expect(await quotaOf(provider, AbortSignal.abort())).toBeNull();
  expect(await quotaOf(provider)).toEqual({ used: 1, limit: 2 });
  expect(asked).toBe(1);
});
