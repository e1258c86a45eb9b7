import packageJson from "../../package.json" with { type: "json" };
import { withPrefix } from "../core/ids.ts";
import { createCredentialCheck } from "../core/own-credentials.ts";
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
import { createAdmissionControl } from "../http/admission/control.ts";
import { IDEMPOTENCY_SHARDS } from "../http/idempotency-records.ts";
import { createKeyService } from "../keys/service.ts";
import { createProductMcpEndpoints } from "../mcp/product-endpoint.ts";
import { createMcpServing } from "../mcp/serving.ts";
import { withEventMetrics } from "../observability/event-metrics.ts";
import { createAgentCleanUp } from "../runtime/agents/agent-clean-up.ts";
import { createAgentIndex } from "../runtime/agents/agent-index.ts";
import { createAgentStore } from "../runtime/agents/agent-store.ts";
import { createToRunRequest } from "../runtime/execution/run-request.ts";
import { resolveInputSchema } from "../runtime/graph/graph.ts";
import { createAgentMcpEndpoints } from "../runtime/mcp/mcp-endpoint.ts";
import { toolRegistry } from "../runtime/registry.ts";
import { testRunsOf } from "../runtime/runs/run-ids.ts";
import { createTestRun, testRunAnswer } from "../runtime/test-run-routes.ts";
import { describeTools } from "../runtime/tools-page.ts";
import { createSecretService } from "../secrets/service.ts";
import { createExecutionLog, logEventSchema } from "../servers/execution-log.ts";
import { createAgentLogs } from "../servers/log-retention.ts";
import { createPlaces } from "../servers/places.ts";
import { createRemovedServers } from "../servers/removed-servers.ts";
import { createCleanUp } from "../servers/retention.ts";
import { createServerService } from "../servers/service.ts";
import { createServerStore, definitionOf, type ServerKey } from "../servers/store.ts";
import { executionLogs } from "../storage/documents/collections.ts";
import type { Kit } from "./kit.ts";
import { composeRuntime, createFindTestedServer, createRunServer } from "./runtime.ts";
import { composeSearch } from "./search.ts";
import { composeTargets } from "./targets.ts";

export type Services = ReturnType<typeof composeServices>;

/** Every feature's service, each given what it needs of the others. */
export function composeServices(kit: Kit) {
  const { config, platform, log, clock, random, ids, defer, systemKey } = kit;
  const { documents } = platform;
  const executionLog = withEventMetrics(createExecutionLog({ documents, ids, clock }), kit.metrics);
  const places = createPlaces({ documents, ids, clock });
  const store = createServerStore({ documents, places, clock });
  const keys = createKeyService({ documents, ids, random, clock, adminApiKey: config.ADMIN_API_KEY, systemKey });
  const { search, providers, warmCache } = composeSearch(kit);
  const secrets = createSecretService({
    documents,
    encryptionKey: config.ENCRYPTION_KEY,
    random,
    clock,
    log,
    quota: config.QUOTA_SECRETS,
  });
  const admission = createAdmissionControl({ shared: kit.sharedState, clock, defer, log, metrics: kit.metrics });
  const { runtime, plans, agents, history } = composeRuntime(kit, { executionLog, search, secrets, admission });
  const servers = createServerService({
    store,
    places,
    ids,
    clock,
    defer,
    executionLog,
    graphs: {
      resolveInputSchema,
      async check(graph) {
        const plan = await plans.plan(graph, graph.policy);
        return plan.ok ? [] : plan.error;
      },
    },
    maxServersOfOwner: config.QUOTA_SERVERS,
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
  async function forgetServer(server: ServerKey, before: string): Promise<void> {
    const { serverId, ownerId } = server;
    const earlier = { _id: { $lt: withPrefix("log", before) } };
    await documents.deleteMany(executionLogs(serverId), { serverId, ownerId, ...earlier });
    await history.forget(testRunsOf(server), withPrefix("run", before));
  }
  const removed = createRemovedServers({ documents, clock, forget: forgetServer });
  const deleteServer = createServerRemoval({
    store,
    ledger,
    deploys,
    defer,
    removed,
    forget: forgetServer,
    ids,
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
  const agentIndex = createAgentIndex({ documents });
  const cleanUp = createCleanUp({
    documents,
    store,
    idempotencyShards: IDEMPOTENCY_SHARDS,
    places,
    removed,
    async trimRuns(server) {
      const { serverId, ownerId } = server;
      // Agents that were made before there was an index are entered where their server's record leads to them.
      const agent = await agents.findByServer(serverId, ownerId);
      if (agent !== null) await agentIndex.noteFound({ agentId: agent._id, serverId, ownerId });
      return history.cleanUpRuns(testRunsOf(server));
    },
    agents: {
      pages: agentIndex.pages,
      // Past the cache, in which agents that nobody asks for have no place.
      cleanUp: createAgentCleanUp({
        index: agentIndex,
        agents: createAgentStore({ documents, ids, clock }),
        history,
        logs: createAgentLogs({ documents, clock }),
        clock,
      }),
    },
    ids,
    clock,
    log,
  });
  const testRun = createTestRun(runtime, createFindTestedServer(store));
  const serving = createMcpServing({ publicUrl: config.PUBLIC_URL, allowedOrigins: config.CORS_ORIGINS, log });
  const toRunRequest = createToRunRequest(createCredentialCheck(kit.credentials, random));
  const mcpEndpoints = createAgentMcpEndpoints({ runtime, agents, tokens: kit.accessTokens, serving, toRunRequest });
  const productMcp = createProductMcpEndpoints({
    serving,
    version: packageJson.version,
    servers,
    deploys,
    async search(call, request, ownerId) {
      const found = await search.search(call, request, ownerId);
      return found.ok ? ok(found.value.answer) : found;
    },
    runServer: createRunServer({ store, agents, runtime, testRun }),
    schemas: { runAnswer: testRunAnswer, logEvent: logEventSchema },
    graphTools: () => describeTools(toolRegistry),
  });
  return {
    productMcp,
    executionLog,
    admission,
    secrets,
    testRun,
    cleanUp,
    mcpEndpoints,
    toRunRequest,
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
