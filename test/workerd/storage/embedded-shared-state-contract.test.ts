import { afterEach, beforeEach, vi } from "vitest";
import { systemRandom } from "../../../src/core/ids.ts";
import { createEmbeddedSharedState } from "../../../src/storage/shared-state/embedded.ts";
import { describeSharedState } from "../../contract/shared-state-contract.ts";
import { bindings } from "../../support/storage/bindings.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});

afterEach(() => {
  vi.useRealTimers();
});

describeSharedState("Durable Objects", () => ({
  store: createEmbeddedSharedState({ namespace: bindings.SHARED_STATE, random: systemRandom }),
  async passTime(ms) {
    vi.setSystemTime(Date.now() + ms);
  },
}));
