import { describe } from "vitest";
import { describeFilters } from "./documents/filters.ts";
import type { MakeDocuments, ServerLacks } from "./documents/harness.ts";
import { describeHostile } from "./documents/hostile.ts";
import { describeReading } from "./documents/reading.ts";
import { describeUniqueness } from "./documents/uniqueness.ts";
import { describeUpdates } from "./documents/updates.ts";

/**
 * What every adapter of the documents port must do. `makeStore` is called in each test, and may give the same store
 * again: each test uses collections of its own.
 */
export function describeDocuments(name: string, makeStore: MakeDocuments, lacks: ServerLacks = {}): void {
  describe(`documents on ${name}`, () => {
    describeReading(makeStore);
    describeFilters(makeStore, lacks);
    describeUpdates(makeStore, lacks);
    describeUniqueness(makeStore);
    describeHostile(makeStore, lacks);
  });
}
