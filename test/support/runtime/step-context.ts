import { systemClock } from "../../../src/core/clock.ts";
import { systemRandom } from "../../../src/core/ids.ts";
import type { Json, JsonObject } from "../../../src/core/json.ts";
import { err } from "../../../src/core/result.ts";
import { deriveSigningKey } from "../../../src/runtime/agents/signing-key.ts";
import { createPasswords } from "../../../src/runtime/passwords/passwords.ts";
import { createRunWork } from "../../../src/runtime/run-work.ts";
import type { BoundStep, RunContext, StepContext, Tool, ToolResult, ToolServices } from "../../../src/runtime/tool.ts";
import { createFakeClock } from "../fake-clock.ts";
import { createMemoryDocuments } from "../memory-documents.ts";

export const TEST_ENCRYPTION_KEY = btoa("0123456789abcdef0123456789abcdef");
export const TEST_AGENT = "agent_00000000000000000000000001";
export const TEST_OWNER = "user-1";

const NO_NETWORK = { kind: "refused", message: "there is no network here", rule: null } as const;

/** Documents in memory, time that stands still but for those who hash passwords, no network, no other agents. */
export function testServices(changes: Partial<ToolServices> = {}): ToolServices {
  return {
    documents: createMemoryDocuments(),
    clock: createFakeClock(),
    passwords: createPasswords({ random: systemRandom, clock: systemClock }),
    signingKey: (agentId) => deriveSigningKey(TEST_ENCRYPTION_KEY, agentId),
    search: async () =>
      err({ code: "SEARCH_UNAVAILABLE", detail: "no provider answered", attempts: [], retryAfterSeconds: 5 }),
    outbound: { judge: async () => NO_NETWORK, send: async () => NO_NETWORK },
    email: null,
    sandbox: null,
    ownsAgent: async () => false,
    callAgent: async () => ({ kind: "fail", message: "there are no other agents here" }),
    ...changes,
  };
}

/** One step as its tool sees it. `ownerId` and `agentId` are those of its run too. */
export function testContext(changes: Partial<Omit<StepContext, "run">> = {}): StepContext {
  const { agentId = TEST_AGENT, ownerId = TEST_OWNER, input = null, requestHeaders = {} } = changes;
  const request = { method: "POST", headers: requestHeaders, query: {} };
  return {
    services: testServices(),
    run: testRun(agentId, ownerId),
    agentId,
    ownerId,
    toolId: "step",
    stepKey: "run_00000000000000000000000001:step",
    input,
    inputSchema: { type: "object" },
    scope: new Map<string, Json>([
      ["request", request],
      ["input", input],
    ]),
    evaluate: () => err("there are no expressions here"),
    isHostSecret: false,
    requestHeaders,
    asOwner: {
      actor: { kind: "key", id: agentId, ownerId, scopes: new Set(["search"]) },
      requestId: "req_test",
      origin: "https://orchestrix.test",
    },
    signal: new AbortController().signal,
    ...changes,
  };
}

function testRun(agentId: string, ownerId: string): RunContext {
  return {
    runId: "run_00000000000000000000000001",
    ownerId,
    agentId,
    issuer: agentId,
    dryRun: false,
    allowedHosts: null,
    maxOutputBytes: 1_048_576,
    chain: [agentId],
    family: { runs: 1, work: createRunWork() },
    deadlineAtMs: Date.parse("2026-02-13T10:30:30.000Z"),
  };
}

/** Runs a tool on a config whose references are resolved. Its outputs must be of the form that it declares. */
export function runTool(tool: Tool, config: JsonObject, context: StepContext = testContext()): Promise<ToolResult> {
  return perform(tool, config, context, ({ run }) => run);
}

/** What a dry run does. */
export function previewTool(tool: Tool, config: JsonObject, context: StepContext = testContext()): Promise<ToolResult> {
  return perform(tool, config, context, ({ preview }) => preview);
}

async function perform(
  tool: Tool,
  config: JsonObject,
  context: StepContext,
  pick: (bound: { readonly run: BoundStep; readonly preview: BoundStep }) => BoundStep,
): Promise<ToolResult> {
  const bound = tool.bind(config);
  if (!bound.ok) throw new Error(JSON.stringify(bound.error));
  const result = await pick(bound.value)(context);
  if (result.kind === "output") tool.output.parse(result.value);
  return result;
}
