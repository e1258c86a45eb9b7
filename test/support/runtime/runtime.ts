import type { Actor, Call, Scope } from "../../../src/core/actor.ts";
import type { Clock } from "../../../src/core/clock.ts";
import { createIdSource, systemRandom } from "../../../src/core/ids.ts";
import type { Json } from "../../../src/core/json.ts";
import type { LogFields, Logger } from "../../../src/core/logger.ts";
import { err } from "../../../src/core/result.ts";
import { deriveSigningKey } from "../../../src/runtime/agents/signing-key.ts";
import { type CreateAgent, createAgentBody } from "../../../src/runtime/contract.ts";
import type { RunRequest } from "../../../src/runtime/execution/executor.ts";
import { createPasswords } from "../../../src/runtime/passwords/passwords.ts";
import { type Registry, toolRegistry } from "../../../src/runtime/registry.ts";
import { createRuntimeService, type RuntimeService } from "../../../src/runtime/service.ts";
import type { StepContext, ToolServices } from "../../../src/runtime/tool.ts";
import { createExecutionLog } from "../../../src/servers/execution-log.ts";
import type { Documents } from "../../../src/storage/documents/documents.ts";
import { createFakeClock } from "../fake-clock.ts";
import { createMemoryDocuments, type MemoryDocuments } from "../memory-documents.ts";

export const ENCRYPTION_KEY = btoa("0123456789abcdef0123456789abcdef");
export const ORIGIN = "https://orchestrix.test";

export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly fields: LogFields;
}

export function createTestLog(): { readonly log: Logger; readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const write =
    (level: string) =>
    (event: string, fields: LogFields = {}) => {
      lines.push({ level, event, fields });
    };
  return { lines, log: { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") } };
}

export function createToolServices(
  documents: Documents,
  clock: Clock,
  changes: Partial<ToolServices> = {},
): ToolServices {
  return {
    documents,
    clock,
    passwords: createPasswords({ random: systemRandom, clock }),
    signingKey: (agentId) => deriveSigningKey(ENCRYPTION_KEY, agentId),
    search: async () =>
      err({ code: "SEARCH_UNAVAILABLE", detail: "no provider answered", attempts: [], retryAfterSeconds: 5 }),
    ...changes,
  };
}

export interface TestRuntime {
  readonly runtime: RuntimeService;
  readonly documents: MemoryDocuments;
  readonly lines: LogLine[];
  /** Waits for what goes on after answers have left. */
  settle(): Promise<void>;
}

/** The runtime on documents in memory. Another isolate on the same store is one more with the same `documents`. */
export function createTestRuntime(
  options: {
    readonly documents?: MemoryDocuments;
    readonly clock?: Clock;
    readonly registry?: Registry;
    readonly services?: Partial<ToolServices>;
  } = {},
): TestRuntime {
  const { documents = createMemoryDocuments(), clock = createFakeClock(), registry = toolRegistry } = options;
  const ids = createIdSource(clock, systemRandom);
  const { log, lines } = createTestLog();
  const pending: Promise<unknown>[] = [];
  const runtime = createRuntimeService({
    documents,
    ids,
    clock,
    log,
    defer: (_what, work) => pending.push(work),
    executionLog: createExecutionLog({ documents, ids, clock }),
    registry,
    services: createToolServices(documents, clock, options.services),
  });
  return {
    runtime,
    documents,
    lines,
    async settle() {
      await Promise.all(pending.splice(0));
    },
  };
}

export const SYSTEM: Actor = { kind: "system", id: "system" };
export const ANYBODY: Actor = { kind: "anonymous", id: "anonymous" };

export function keyOf(ownerId: string, ...scopes: Scope[]): Actor {
  return { kind: "key", id: `key_${ownerId}`, ownerId, scopes: new Set(scopes) };
}

export function callBy(actor: Actor, changes: Partial<Call> = {}): Call {
  return { actor, requestId: "req_test", origin: ORIGIN, ...changes };
}

/** A body for `POST /mcp/agents`, parsed as the route would. */
export function agentBody(
  graph: {
    readonly tools: readonly object[];
    readonly executionOrder: readonly string[];
    readonly inputSchema?: object;
  },
  metadata: Partial<CreateAgent["metadata"]> = {},
): CreateAgent {
  return createAgentBody.parse({
    name: "Test API",
    description: "",
    inputSchema: { type: "object" },
    ...graph,
    metadata: {
      createdBy: "orchestrix",
      serverId: "mcp_1",
      createdAt: "2026-02-13T10:30:00.000Z",
      ownerId: "user-1",
      ...metadata,
    },
  });
}

export function requestOf(input: Json, changes: Partial<RunRequest> = {}): RunRequest {
  return { input, method: "POST", headers: {}, query: {}, ...changes };
}

export function stepContext(services: ToolServices, changes: Partial<StepContext> = {}): StepContext {
  return {
    services,
    agentId: "agent_00000000000000000000000001",
    ownerId: "user-1",
    input: null,
    inputSchema: { type: "object" },
    asOwner: callBy(keyOf("user-1", "search")),
    signal: new AbortController().signal,
    ...changes,
  };
}
