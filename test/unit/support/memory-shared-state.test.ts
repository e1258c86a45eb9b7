import { describeSharedState } from "../../contract/shared-state-contract.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createMemorySharedState } from "../../support/memory-shared-state.ts";

describeSharedState("memory", () => {
  const clock = createFakeClock();
  return { store: createMemorySharedState(clock), passTime: (ms) => clock.advance(ms) };
});
