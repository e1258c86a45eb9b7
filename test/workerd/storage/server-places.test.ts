import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { systemClock } from "../../../src/core/clock.ts";
import { createIdSource, systemRandom } from "../../../src/core/ids.ts";
import { servers } from "../../../src/storage/documents/collections.ts";
import { createEmbeddedDocuments } from "../../../src/storage/documents/embedded.ts";
import { ECHO_API } from "../../support/graphs.ts";
import { createServersProcess, lookAtPlaces } from "../../support/servers-process.ts";

test("on the embedded store an owner gets as many servers as there are places, however many are asked for at once", async () => {
  const documents = createEmbeddedDocuments({
    namespace: env.DOCUMENTS,
    ids: createIdSource(systemClock, systemRandom),
  });
  const ownerId = crypto.randomUUID();
  for (const serverId of [`old-${crypto.randomUUID()}`, `old-${crypto.randomUUID()}`]) {
    await documents.insertOne(servers(ownerId), { ...ECHO_API, serverId, ownerId });
  }
  const process = createServersProcess({ documents, clock: systemClock, quota: 6, ownerId });
  const made = await Promise.all(Array.from({ length: 12 }, () => process.create()));
  expect(made.filter(({ ok }) => ok)).toHaveLength(4);
  await process.settle();
  const [gone] = made.flatMap((create) => (create.ok ? [create.value.serverId] : []));
  expect((await process.remove(String(gone))).ok).toBe(true);
  expect((await process.create()).ok).toBe(true);
  expect((await process.create()).ok).toBe(false);
  await process.settle();
  expect(await lookAtPlaces(documents, ownerId)).toEqual({ counted: 6, records: 6, underWay: 0 });
});
