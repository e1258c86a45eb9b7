import { afterAll, beforeAll, describe } from "vitest";
import { describeSharedState } from "../contract/shared-state-contract.ts";
import { type AdapterWorker, startUpstashWorker } from "../support/upstash/adapter-worker.ts";
import { createRemoteSharedState } from "../support/upstash/remote-shared-state.ts";
import { hasRedis, type LocalUpstash, startUpstash } from "../support/upstash/upstash.ts";

describe.skipIf(!hasRedis())("Upstash inside workerd", () => {
  let upstash: LocalUpstash;
  let worker: AdapterWorker;

  beforeAll(async () => {
    upstash = await startUpstash();
    worker = await startUpstashWorker(upstash);
  });

  afterAll(async () => {
    await worker?.stop();
    await upstash?.close();
  });

  describeSharedState("Upstash, asked from a bundled Worker", () => ({
    store: createRemoteSharedState(worker.url),
    passTime: (ms) => upstash.passTime(ms),
  }));
});
