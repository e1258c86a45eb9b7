import { env } from "cloudflare:workers";
import { afterEach, beforeEach, vi } from "vitest";
import { systemRandom } from "../../../src/core/ids.ts";
import { createEmbeddedSharedState } from "../../../src/storage/shared-state/embedded.ts";
import { describeSharedState } from "../../contract/shared-state-contract.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});

afterEach(() => {
  vi.useRealTimers();
});

describeSharedState("Durable Objects", () => ({
  store: createEmbeddedSharedState({ namespace: env.SHARED_STATE, random: systemRandom }),
  async passTime(ms) {
    vi.setSystemTime(Date.now() + ms);
  },
}));
