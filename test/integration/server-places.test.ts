import { expect, test } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { servers } from "../../src/storage/documents/collections.ts";
import type { Documents } from "../../src/storage/documents/documents.ts";
import { ECHO_API } from "../support/graphs.ts";
import { createServersProcess, lookAtPlaces } from "../support/servers-process.ts";
import { dataApiInNode, driverInWorkerd } from "./stores.ts";

async function fillPlaces(documents: Documents) {
  const ownerId = `user-${crypto.randomUUID()}`;
  for (let i = 0; i < 2; i++) {
    await documents.insertOne(servers(ownerId), { ...ECHO_API, serverId: `old-${crypto.randomUUID()}`, ownerId });
  }
  const processes = [0, 1].map(() => createServersProcess({ documents, clock: systemClock, quota: 6, ownerId }));
  const made = await Promise.all(Array.from({ length: 10 }, (_, i) => processes[i % 2]?.create()));
  for (const process of processes) await process.settle();
  const ids = made.flatMap((create) => (create?.ok ? [create.value.serverId] : []));
  const removed = await Promise.all(processes.map((process) => process.remove(String(ids[0]))));
  return {
    made: ids.length,
    removed: removed.filter(({ ok }) => ok).length,
    left: await lookAtPlaces(documents, ownerId),
  };
}

const FILLED = { made: 4, removed: 1, left: { counted: 5, records: 5, underWay: 0 } };

test("by way of a gateway, owners get exactly their places, and a deleted server's again", async () => {
  expect(await fillPlaces(dataApiInNode())).toEqual(FILLED);
});

test("by way of the driver, owners get exactly their places, and a deleted server's again", async () => {
  expect(await fillPlaces(driverInWorkerd())).toEqual(FILLED);
});
