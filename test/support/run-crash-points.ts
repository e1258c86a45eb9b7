import { goOn } from "../../src/core/at-once.ts";
import type { OutboundOutcome, OutboundRequest } from "../../src/runtime/outbound/outbound.ts";
import { RUN_DEAD_AFTER_MS } from "../../src/runtime/runs/limits.ts";
import { createFakeClock } from "./fake-clock.ts";
import { createMemoryDocuments } from "./memory-documents.ts";
import { type AskedRun, COLLECTIONS, type CrashGraph, type Evidence } from "./run-crash.ts";
import { createMortal } from "./run-crash-mortal.ts";
import { ANYBODY, agentBody, callBy, createTestRuntime, requestOf, SYSTEM } from "./runtime/runtime.ts";

/** More than all pauses between attempts, less than any time limit. */
const RUN_MS = 100;

/** Runs a graph in a process that ends at one of its calls, and looks at what is left when the run's time is over. */
export async function crashAt(graph: CrashGraph, lastCall: number, ends: "before" | "after") {
  const documents = createMemoryDocuments();
  const mortal = createMortal(lastCall, ends);
  const clock = createFakeClock();
  const calls = new Map<string, number>();

  async function send({ url, headers }: OutboundRequest): Promise<OutboundOutcome> {
    const key = headers["idempotency-key"] ?? "";
    const count = (calls.get(key) ?? 0) + 1;
    calls.set(key, count);
    return { kind: "answer", status: url.endsWith("/busy") && count === 1 ? 503 : 200, headers: {}, text: "" };
  }

  const made = await createTestRuntime({ documents }).runtime.createAgent(callBy(SYSTEM), agentBody(graph.definition));
  if (!made.ok) throw new Error(JSON.stringify(made.error));
  const { agentId } = made.value.agent;
  const reachable = mortal.documents(documents);
  const dying = createTestRuntime({
    documents: reachable,
    clock,
    services: { documents: reachable, outbound: { judge: async () => null, send: mortal.call(send) } },
  });
  const asked: { mark: string; runId: string | null } = { mark: "only", runId: null };
  void goOn(dying.runtime.run(callBy(ANYBODY), agentId, requestOf({ mark: "only", round: "1" })), (run) => {
    if (run.ok && run.value.result.ok) asked.runId = run.value.runId;
  });
  await clock.advance(RUN_MS);

  const later = createFakeClock(clock.now() + RUN_DEAD_AFTER_MS);
  const { history } = createTestRuntime({ documents, clock: later });
  const evidence: Evidence = {
    traces: await history.list(agentId, 10),
    documents: Object.fromEntries(COLLECTIONS.map((name) => [name, documents.named(name) as any])),
    calls,
  };
  const run: AskedRun = asked;
  return { isDead: mortal.isDead(), asked: [run], evidence, stats: await history.stats(agentId) };
}
