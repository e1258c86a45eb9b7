import { expect, test } from "vitest";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import { createAdmission } from "../../../src/http/admission.ts";
import { createLogger } from "../../../src/observability/logger.ts";
import type { Admission, Admissions } from "../../../src/storage/shared-state/shared-state.ts";
import { createFakeClock } from "../../support/fake-clock.ts";

const TIERS = [{ name: "minute", limit: 2, windowSeconds: 60 }];
const ADMITTED: Admission = { admitted: true, tiers: [], violated: [] };

function createScene(answer: Admissions["admit"]) {
  const clock = createFakeClock();
  const logs: string[] = [];
  let asked = 0;
  const shared: Admissions = {
    admit(...call) {
      asked++;
      return answer(...call);
    },
  };
  const log = createLogger({ level: "info", clock, secrets: [], write: (line) => logs.push(line) });
  return { clock, logs, admit: createAdmission({ shared, clock, log }), asked: () => asked };
}

test("while the shared limiter answers, it decides", async () => {
  const scene = createScene(async () => ADMITTED);
  expect(await scene.admit("key:a", TIERS)).toBe(ADMITTED);
  expect(scene.logs).toEqual([]);
});

test("when it is down the isolate counts by itself, says so once and leaves it alone for a while", async () => {
  const scene = createScene(() => Promise.reject(new StorageUnavailable("no answer")));
  const admitted = [];
  for (let i = 0; i < 3; i++) admitted.push((await scene.admit("key:a", TIERS)).admitted);
  expect(admitted).toEqual([true, true, false]);
  expect((await scene.admit("key:b", TIERS)).admitted).toBe(true);
  expect(scene.asked()).toBe(1);
  expect(scene.logs.filter((line) => line.includes("admission_degraded"))).toHaveLength(1);
});

test("when it is slow the answer does not wait for it, and it is asked again after the pause", async () => {
  let slow = true;
  const scene = createScene(() => (slow ? new Promise(() => {}) : Promise.resolve(ADMITTED)));
  const first = scene.admit("key:a", TIERS);
  await scene.clock.advance(300);
  expect((await first).tiers).toEqual([{ ...TIERS[0], remaining: 1, resetSeconds: 60 }]);
  slow = false;
  await scene.clock.advance(4_999);
  await scene.admit("key:a", TIERS);
  expect(scene.asked()).toBe(1);
  await scene.clock.advance(1);
  expect(await scene.admit("key:a", TIERS)).toBe(ADMITTED);
  expect(scene.asked()).toBe(2);
});
