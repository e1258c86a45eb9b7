import { expect } from "vitest";
import type { DeployScene, Process } from "./deploy-scene.ts";

/** Until real time has let the process come to where it ends or waits. */
export async function letRun(reached: () => boolean): Promise<void> {
  while (!reached()) await new Promise((resolve) => setImmediate(resolve));
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Moves the clock on, a little at a time, until the work is done: hashing takes real time, and no timers. */
export async function underTime<T>(scene: Pick<DeployScene, "clock">, work: Promise<T>): Promise<T> {
  let done = false;
  const marked = work.finally(() => {
    done = true;
  });
  while (!done) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    await scene.clock.advance(10);
  }
  return marked;
}

export async function reconcile(scene: Pick<DeployScene, "clock">, worker: Process) {
  await scene.clock.advance(1);
  const { status, body } = await worker.call("POST", "/admin/jobs/reconcile-deployments");
  expect(status).toBe(200);
  await worker.settle();
  return body.report;
}

/** Something that waits until it is let go. */
export function createHold() {
  const { promise, resolve } = Promise.withResolvers<void>();
  let reached = false;
  return {
    hold() {
      reached = true;
      return promise;
    },
    release: () => resolve(),
    isReached: () => reached,
  };
}
