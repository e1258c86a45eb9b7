import type { Call } from "../../../src/core/actor.ts";
import type { Clock } from "../../../src/core/clock.ts";
import type { CreateAgent } from "../../../src/runtime/contract.ts";

export const CALL: Call = {
  actor: { kind: "admin", id: "admin" },
  requestId: "req_1",
  origin: "https://orchestrix.test",
};

export function agentOf(metadata: Partial<CreateAgent["metadata"]> = {}, name = "Echo"): CreateAgent {
  return {
    name,
    description: "",
    tools: [{ toolId: "input", name: "input", config: {} }],
    executionOrder: ["input"],
    inputSchema: { type: "object" },
    metadata: {
      createdBy: "orchestrix",
      serverId: "mcp_1",
      createdAt: "2026-02-13T10:30:00.000Z",
      ownerId: "user-123",
      version: 1,
      access: "public",
      policy: {},
      ...metadata,
    },
  };
}

/** Time that passes so many times faster than it does: pauses of a fifth of a second take hundredths. */
export function createFastClock(factor = 20): Clock {
  const start = Date.now();
  return {
    now: () => start + (Date.now() - start) * factor,
    after(ms, action) {
      const timer = setTimeout(action, ms / factor);
      return () => clearTimeout(timer);
    },
  };
}

/** Chance without chance. */
export function fixedRandom(length: number): Uint8Array {
  return new Uint8Array(length).fill(128);
}
