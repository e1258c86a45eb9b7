import { afterAll, beforeAll, describe } from "vitest";
import { describeSharedState } from "../contract/shared-state-contract.ts";
import { hasRedis, type LocalUpstash, startUpstash } from "../support/upstash/upstash.ts";
import { createUpstashStore } from "./upstash-stores.ts";

describe.skipIf(!hasRedis())("Upstash", () => {
  let upstash: LocalUpstash;

  beforeAll(async () => {
    upstash = await startUpstash();
  });

  afterAll(async () => {
    await upstash?.close();
  });

  describeSharedState("Redis by way of Upstash's REST", () => ({
    store: createUpstashStore(upstash),
    passTime: (ms) => upstash.passTime(ms),
  }));
});
