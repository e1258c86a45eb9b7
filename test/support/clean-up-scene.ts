import { expect } from "vitest";
import type { Collection } from "../../src/storage/documents/documents.ts";
import type { DeployScene, Process } from "./deploy-scene.ts";
import type { Mortal } from "./run-crash-mortal.ts";

/** Longer than the clean-up waits before it takes what is gone for gone for good. */
export const GONE_MS = 601_000;

/** A process whose calls about the collection `slow` wait while it is held. */
export function startHeldProcess(startProcess: DeployScene["startProcess"]) {
  let held: Promise<void> | null = null;
  let reach: () => void = () => {};
  const process = startProcess((documents) => {
    const wait = async (place: Collection) => {
      if (place.name !== "slow" || held === null) return;
      reach();
      await held;
    };
    return {
      ...documents,
      find: async (place, query) => wait(place).then(() => documents.find(place, query)),
      insertOne: async (place, document, options) =>
        wait(place).then(() => documents.insertOne(place, document, options)),
    };
  });
  function hold() {
    let release: () => void = () => {};
    held = new Promise((resolve) => {
      release = resolve;
    });
    const reached = new Promise<void>((resolve) => {
      reach = resolve;
    });
    return { release, reached };
  }
  return { process, hold };
}

/** Until a round is finished; what its runs reported, added up. */
export async function cleanUp(process: Process) {
  const sums = { agentsVisited: 0, runsRemoved: 0, jobs: 0 };
  for (let finished = false; !finished; ) {
    const report = await process.jobs["clean-up"]({ thorough: false });
    expect(report).toMatchObject({ skipped: false, failures: 0 });
    sums.jobs++;
    sums.agentsVisited += Number(report.agentsVisited);
    sums.runsRemoved += Number(report.runsRemoved);
    finished = report.roundFinished === true;
  }
  return sums;
}

/** Whether the process ends before the work does. */
export async function endsUnder(work: Promise<unknown>, mortal: Mortal): Promise<boolean> {
  let done = false;
  void work.then(() => {
    done = true;
  });
  const tick = () => new Promise((resolve) => setImmediate(resolve));
  while (!done && !mortal.isDead()) await tick();
  // What the last call does is done.
  await tick();
  return mortal.isDead();
}
