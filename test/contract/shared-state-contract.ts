import { describe, expect, test } from "vitest";
import { describeAdmission } from "./shared-state/admission.ts";
import { describeCache, describeClaims } from "./shared-state/cache.ts";
import { describeConsult } from "./shared-state/consult.ts";
import type { MakeSharedState } from "./shared-state/harness.ts";
import { describeCounters, describeLeases } from "./shared-state/leases-and-counters.ts";

/** What every adapter of the shared-state port must do. `makeStore` is called in each test, and may give the same store. */
export function describeSharedState(name: string, makeStore: MakeSharedState): void {
  describe(`shared state on ${name}`, () => {
    describeAdmission(makeStore);
    describeCache(makeStore);
    describeClaims(makeStore);
    describeConsult(makeStore);
    describeLeases(makeStore);
    describeCounters(makeStore);

    test("ping answers", async () => {
      const { store } = await makeStore();
      await expect(store.ping()).resolves.toBeUndefined();
    });
  });
}
