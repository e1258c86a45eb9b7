import type { Actor, Call, Scope } from "../../../src/core/actor.ts";
import type { Clock } from "../../../src/core/clock.ts";
import { createIdSource, systemRandom } from "../../../src/core/ids.ts";
import type { Json } from "../../../src/core/json.ts";
import type { LogFields, Logger } from "../../../src/core/logger.ts";
import type { Metrics } from "../../../src/core/metrics.ts";
import { createCredentialCheck } from "../../../src/core/own-credentials.ts";
import { createAdmissionControl } from "../../../src/http/admission/control.ts";
import { createTracer } from "../../../src/observability/tracing/tracer.ts";
import { createAgentStore } from "../../../src/runtime/agents/agent-store.ts";
import { createCachedAgents } from "../../../src/runtime/agents/cached-agents.ts";
import { type CreateAgent, createAgentBody } from "../../../src/runtime/contract.ts";
import type { RunRequest } from "../../../src/runtime/execution/executor.ts";
import { createToRunRequest } from "../../../src/runtime/execution/run-request.ts";
import { loadExpressions } from "../../../src/runtime/expressions/load-expressions.ts";
import { createPlans } from "../../../src/runtime/plans.ts";
import { type Registry, toolRegistry } from "../../../src/runtime/registry.ts";
import { createRunAdmission } from "../../../src/runtime/run-admission.ts";
import { createRunner, type RunOptions } from "../../../src/runtime/runner.ts";
import { createRunHistory, type RunHistory } from "../../../src/runtime/runs/run-history.ts";
import { createRunRecorder } from "../../../src/runtime/runs/run-recorder.ts";
import { createRuntimeService, type RuntimeService } from "../../../src/runtime/service.ts";
import type { ToolServices } from "../../../src/runtime/tool.ts";
import { createExecutionLog } from "../../../src/servers/execution-log.ts";
import { createFakeClock } from "../fake-clock.ts";
import { createMemoryDocuments, type MemoryDocuments } from "../memory-documents.ts";
import { createMemorySharedState } from "../memory-shared-state.ts";
import { WAITS_FOR_TIME } from "../waits-for-time.ts";
import { testServices } from "./step-context.ts";

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

/** As a request over HTTP runs an agent. */
const OVER_HTTP: RunOptions = { trigger: "http", callerAddress: "192.0.2.1" };

export interface TestRuntime {
  readonly runtime: Omit<RuntimeService, "run"> & {
    run(call: Call, agentId: string, request: RunRequest, options?: RunOptions): ReturnType<RuntimeService["run"]>;
  };
  readonly documents: MemoryDocuments;
  readonly lines: LogLine[];
  readonly history: RunHistory;
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
    readonly secrets?: Readonly<Record<string, string>>;
    readonly runsPerDay?: number;
  } = {},
): TestRuntime {
  const { documents = createMemoryDocuments(), clock = createFakeClock(), registry = toolRegistry } = options;
  const ids = createIdSource(clock, systemRandom);
  const { log, lines } = createTestLog();
  const pending: Promise<unknown>[] = [];
  const defer = (what: string, work: Promise<unknown>) => {
    if (!WAITS_FOR_TIME.has(what)) pending.push(work);
  };
  const metrics: Metrics = { count() {}, observe() {}, gauge() {} };
  const agents = createCachedAgents({ store: createAgentStore({ documents, ids, clock }), clock, defer });
  const plans = createPlans({ registry, loadExpressions });
  const history = createRunHistory({ documents, clock, log, keepDays: 30 });
  const admission = createAdmissionControl({ shared: createMemorySharedState(clock), clock, defer, log, metrics });
  const runner = createRunner({
    agents,
    ids,
    clock,
    log,
    random: systemRandom,
    plans,
    admission: createRunAdmission({ admission, runsPerDay: options.runsPerDay ?? 1_000_000 }),
    history,
    recorder: createRunRecorder({
      history,
      executionLog: createExecutionLog({ documents, ids, clock }),
      clock,
      defer,
      metrics,
      log,
    }),
    tracing: createTracer({
      endpoint: undefined,
      headers: {},
      serviceName: "orchestrix",
      version: "test",
      fetch: () => Promise.reject(new Error("nobody collects")),
      clock,
      defer,
      random: systemRandom,
      metrics,
      log,
    }),
    defer,
    readSecrets: async () => new Map(Object.entries(options.secrets ?? {})),
    credentials: [],
    services: testServices({ documents, clock, ...options.services }),
  });
  const service = createRuntimeService({ agents, runner, plans, history, clock, log, defer });
  return {
    runtime: { ...service, run: (call, id, request, how = OVER_HTTP) => service.run(call, id, request, how) },
    documents,
    lines,
    history,
    async settle() {
      while (pending.length > 0) await Promise.all(pending.splice(0));
    },
  };
}

/** As a Worker reads requests that has no secrets of its own beside its keys. */
export const toRunRequest = createToRunRequest(createCredentialCheck([], systemRandom));

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
    readonly executionOrder: readonly (string | readonly string[])[];
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
