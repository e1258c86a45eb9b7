import { ok } from "../core/result.ts";
import { createClaims } from "../deploy/claims.ts";
import { isTargetName } from "../deploy/contract.ts";
import { createLedger } from "../deploy/ledger.ts";
import { createOperations } from "../deploy/operations.ts";
import { createReconciler } from "../deploy/reconcile.ts";
import { createServerRemoval } from "../deploy/removal.ts";
import { createDeployService } from "../deploy/service.ts";
import { createUnconfiguredTarget } from "../deploy/targets/unconfigured.ts";
import { createWebhookService } from "../deploy/webhooks/service.ts";
import { IDEMPOTENCY_SHARDS } from "../http/idempotency-records.ts";
import { createKeyService } from "../keys/service.ts";
import { withEventMetrics } from "../observability/event-metrics.ts";
import { createAgentStore } from "../runtime/agents/agent-store.ts";
import { deriveSigningKey } from "../runtime/agents/signing-key.ts";
import { planGraph, resolveInputSchema } from "../runtime/graph/graph.ts";
import { createAgentMcpEndpoints } from "../runtime/mcp/mcp-endpoint.ts";
import { createPasswords } from "../runtime/passwords/passwords.ts";
import { toolRegistry } from "../runtime/registry.ts";
import { createRuntimeService } from "../runtime/service.ts";
import { createExecutionLog } from "../servers/execution-log.ts";
import { createCleanUp } from "../servers/retention.ts";
import { createServerService } from "../servers/service.ts";
import { createServerStore, definitionOf } from "../servers/store.ts";
import { executionLogs } from "../storage/documents/collections.ts";
import type { Kit } from "./kit.ts";
import { composeSearch } from "./search.ts";
import { composeTargets } from "./targets.ts";

export type Services = ReturnType<typeof composeServices>;

/** Every feature's service, each given what it needs of the others. */
export function composeServices(kit: Kit) {
  const { config, platform, log, clock, random, ids, defer, systemKey } = kit;
  const { documents } = platform;
  const executionLog = withEventMetrics(createExecutionLog({ documents, ids, clock }), kit.metrics);
  const store = createServerStore({ documents, clock });
  const keys = createKeyService({ documents, ids, random, clock, adminApiKey: config.ADMIN_API_KEY, systemKey });
  const { search, providers, warmCache } = composeSearch(kit);
  const runtime = createRuntimeService({
    documents,
    ids,
    clock,
    log,
    defer,
    executionLog,
    registry: toolRegistry,
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
    },
  });
  const servers = createServerService({
    store,
    ids,
    clock,
    defer,
    executionLog,
    graphs: {
      resolveInputSchema,
      check(graph) {
        const plan = planGraph(graph, toolRegistry);
        return plan.ok ? [] : plan.error;
      },
    },
  });
  const targets = composeTargets(kit);
  const targetOf = (name: string) =>
    isTargetName(name) ? targets[name] : createUnconfiguredTarget(name, "there is no such target");
  const claims = createClaims({ store, clock });
  const ledger = createLedger({ documents, clock });
  const operations = createOperations({ store, claims, ledger, targetOf, executionLog, defer, clock });
  const { DEPLOY_TIMEOUT_MS: timeoutMs } = config;
  const deploys = createDeployService({
    store,
    claims,
    ledger,
    operations,
    defaultTarget: config.DEPLOY_TARGET,
    timeoutMs,
    runStats: (agentId) => runtime.stats(agentId),
    ids,
    clock,
  });
  const deleteServer = createServerRemoval({
    store,
    ledger,
    deploys,
    defer,
    forgetLog: (serverId, ownerId) => documents.deleteMany(executionLogs(serverId), { serverId, ownerId }),
  });
  const reconcile = createReconciler({
    store,
    claims,
    ledger,
    operations,
    definitionOf,
    targetOf,
    executionLog,
    fallbackOrigin: config.PUBLIC_URL ?? UNKNOWN_ORIGIN,
    timeoutMs,
    ids,
    clock,
    log,
  });
  const webhooks = createWebhookService({
    documents,
    ids,
    clock,
    defer,
    log,
    deploys,
    executionLog,
    findOwner: (serverId) => store.findOwner(serverId),
    secrets: { standard: config.WEBHOOK_SECRET, github: config.GITHUB_WEBHOOK_SECRET },
  });
  const cleanUp = createCleanUp({ documents, store, idempotencyShards: IDEMPOTENCY_SHARDS, ids, clock, log });
  const mcpEndpoints = createAgentMcpEndpoints({
    runtime,
    agents: createAgentStore({ documents, ids, clock }),
    tokens: kit.accessTokens,
    allowedOrigins: config.CORS_ORIGINS,
    log,
  });
  return {
    executionLog,
    cleanUp,
    mcpEndpoints,
    keys,
    servers,
    deploys,
    webhooks,
    deleteServer,
    reconcile,
    runtime,
    search,
    providers,
    warmCache,
    targetOf,
  };
}

/** Reconciling an agent of a record that does not say where it was deployed from: nothing is built on it. */
export const UNKNOWN_ORIGIN = "http://localhost";
