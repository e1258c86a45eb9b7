import packageJson from "../../package.json" with { type: "json" };
import type { Config } from "../config/config.ts";
import { authorize } from "../core/actor.ts";
import { notFound } from "../core/errors.ts";
import { ok } from "../core/result.ts";
import type { AdmissionControl } from "../http/admission/contract.ts";
import type { ProductMcpDeps } from "../mcp/deps.ts";
import { createTracer } from "../observability/tracing/tracer.ts";
import { type AgentStore, createAgentStore } from "../runtime/agents/agent-store.ts";
import { createCachedAgents } from "../runtime/agents/cached-agents.ts";
import { deriveSigningKey } from "../runtime/agents/signing-key.ts";
import type { EmailSender } from "../runtime/email/email-sender.ts";
import { createResendEmail } from "../runtime/email/resend-email.ts";
import { loadExpressions } from "../runtime/expressions/load-expressions.ts";
import { createDnsOverHttps } from "../runtime/outbound/dns-over-https.ts";
import { createOutbound } from "../runtime/outbound/guarded-outbound.ts";
import { createPasswords } from "../runtime/passwords/passwords.ts";
import { createPlans } from "../runtime/plans.ts";
import { toolRegistry } from "../runtime/registry.ts";
import { createRunAdmission } from "../runtime/run-admission.ts";
import { createRunner } from "../runtime/runner.ts";
import { createRunHistory } from "../runtime/runs/run-history.ts";
import { createRunRecorder } from "../runtime/runs/run-recorder.ts";
import { createRuntimeService, type RuntimeService } from "../runtime/service.ts";
import { type FindTestedServer, type TestRun, toAnswer } from "../runtime/test-run-routes.ts";
import type { SearchService } from "../search/service.ts";
import type { SecretService } from "../secrets/service.ts";
import type { ExecutionLog } from "../servers/execution-log.ts";
import type { ServerStore } from "../servers/store.ts";
import type { Kit } from "./kit.ts";

/** The data plane: agents, their runs, and what their tools may use of the world. */
export function composeRuntime(
  kit: Kit,
  needs: {
    readonly executionLog: ExecutionLog;
    readonly search: Pick<SearchService, "search">;
    readonly secrets: Pick<SecretService, "readValues">;
    readonly admission: AdmissionControl;
  },
) {
  const { config, platform, log, clock, random, ids, defer, metrics } = kit;
  const { documents, fetch } = platform;
  const { executionLog, search, secrets } = needs;
  const agents = createCachedAgents({ store: createAgentStore({ documents, ids, clock }), clock, defer });
  const plans = createPlans({ registry: toolRegistry, loadExpressions });
  const history = createRunHistory({ documents, clock, log, keepDays: config.RUN_KEEP_DAYS });
  const tracing = createTracer({
    endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
    headers: config.OTEL_EXPORTER_OTLP_HEADERS,
    serviceName: config.OTEL_SERVICE_NAME,
    version: packageJson.version,
    fetch,
    clock,
    defer,
    random,
    metrics,
    log,
  });
  const runner = createRunner({
    agents,
    ids,
    clock,
    log,
    random,
    plans,
    admission: createRunAdmission({ admission: needs.admission, runsPerDay: config.QUOTA_RUNS_PER_DAY }),
    history,
    recorder: createRunRecorder({ history, executionLog, clock, defer, metrics, log }),
    tracing,
    defer,
    readSecrets: (ownerId, names) => secrets.readValues(ownerId, names),
    credentials: kit.credentials,
    services: {
      documents,
      clock,
      passwords: createPasswords({ random, clock }),
      async signingKey(agentId) {
        return config.ENCRYPTION_KEY === undefined ? null : deriveSigningKey(config.ENCRYPTION_KEY, agentId);
      },
      async search(call, request) {
        const found = await search.search(call, request);
        return found.ok ? ok(found.value.answer) : found;
      },
      outbound: createOutbound({
        fetch,
        resolve: createDnsOverHttps({ fetch, clock }),
        privateHosts: config.OUTBOUND_PRIVATE_HOSTS,
        ownHosts: config.PUBLIC_URL === undefined ? [] : [new URL(config.PUBLIC_URL).host],
      }),
      email: createEmail(config, kit),
      sandbox: platform.sandbox,
    },
  });
  const runtime = createRuntimeService({ agents, runner, plans, history, clock, log, defer });
  return { runtime, plans, agents, history };
}

function createEmail(config: Config, { platform, clock }: Kit): EmailSender | null {
  if (config.EMAIL_API_KEY === undefined) return null;
  return createResendEmail({
    baseUrl: config.EMAIL_API_URL,
    apiKey: config.EMAIL_API_KEY,
    from: config.EMAIL_FROM ?? null,
    fetch: platform.fetch,
    clock,
  });
}

/** A server's graph for a test run: its current definition, or an earlier one. */
export function createFindTestedServer(store: Pick<ServerStore, "load" | "definitionAt">): FindTestedServer {
  return async (call, serverId, { ownerId, version }) => {
    const access = authorize(call.actor, "agents:run", ownerId);
    if (!access.ok) return access;
    const loaded = await store.load(access.value, serverId);
    if (!loaded.ok) return loaded;
    const { record } = loaded.value;
    const definition = version === undefined ? record : await store.definitionAt(record, version);
    return definition === null ? notFound(`version ${version}`) : ok({ ...definition, ownerId: record.ownerId });
  };
}

/** Targets whose agents live in this Worker. Elsewhere than at `edge` the record names the host's own id. */
const HERE: ReadonlySet<string | null> = new Set(["edge", "archestra-platform"]);

/** The server's agent where it lives here, else its graph as it stands. */
export function createRunServer(deps: {
  readonly agents: Pick<AgentStore, "findByServer">;
  readonly store: Pick<ServerStore, "load">;
  readonly runtime: Pick<RuntimeService, "run">;
  readonly testRun: TestRun;
}): ProductMcpDeps["runServer"] {
  return async (call, serverId, { ownerId, input, dryRun, callerAddress }) => {
    const access = authorize(call.actor, "agents:run", ownerId);
    if (!access.ok) return access;
    const loaded = await deps.store.load(access.value, serverId);
    if (!loaded.ok) return loaded;
    const { record } = loaded.value;
    const isHere = record.deployment.state === "deployed" && HERE.has(record.deployment.target);
    const request = { method: "POST", headers: {}, query: {} };
    if (dryRun || !isHere) return deps.testRun(call, serverId, { ownerId, input, dryRun, request });
    const agentId =
      record.deployment.target === "edge"
        ? record.archestraAgentId
        : ((await deps.agents.findByServer(serverId, record.ownerId))?._id ?? null);
    if (agentId === null) return notFound("agent");
    const how = { trigger: "mcp", callerAddress } as const;
    const run = await deps.runtime.run(call, agentId, { ...request, input }, how);
    return run.ok ? ok(toAnswer(run.value)) : run;
  };
}
