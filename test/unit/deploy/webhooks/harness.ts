import { Hono } from "hono";
import type { Call } from "../../../../src/core/actor.ts";
import type { Clock } from "../../../../src/core/clock.ts";
import { type AppError, notFound, StorageUnavailable } from "../../../../src/core/errors.ts";
import { createIdSource, systemRandom } from "../../../../src/core/ids.ts";
import { err, ok, type Result } from "../../../../src/core/result.ts";
import { createWebhookEndpoints } from "../../../../src/deploy/webhooks/routes.ts";
import { createWebhookService, type WebhookService } from "../../../../src/deploy/webhooks/service.ts";
import type { DeployActions } from "../../../../src/deploy/webhooks/worker.ts";
import type { AppEnv } from "../../../../src/http/context.ts";
import { mountEndpoints, refusal } from "../../../../src/http/endpoint.ts";
import { createLogger } from "../../../../src/observability/logger.ts";
import { createExecutionLog, type ExecutionLog } from "../../../../src/servers/execution-log.ts";
import type { Documents } from "../../../../src/storage/documents/documents.ts";

export const ORIGIN = "https://orchestrix.test";
export const OWNER = "user-1";
export const SERVER = "mcp_1";
export const GITHUB_SECRET = "It's a Secret to Everybody";

/** `whsec_` and that many bytes, all of one value. */
export function secretOf(value: number, bytes = 32): string {
  return `whsec_${btoa(String.fromCharCode(...new Array<number>(bytes).fill(value)))}`;
}

export const SECRET = secretOf(1);

type Bytes = Uint8Array<ArrayBuffer>;

export function toBytes(body: string | Bytes): Bytes {
  return typeof body === "string" ? Uint8Array.from(new TextEncoder().encode(body)) : body;
}

export async function hmac(key: Bytes, signed: Bytes): Promise<Uint8Array> {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, signed));
}

/** One entry of `webhook-signature`, made as a sender makes it. */
export async function signMessage(
  id: string,
  timestamp: string,
  body: string | Bytes,
  secret = SECRET,
): Promise<string> {
  const key = Uint8Array.from(atob(secret.replace("whsec_", "")), (char) => char.charCodeAt(0));
  const prefix = toBytes(`${id}.${timestamp}.`);
  const signed = new Uint8Array([...prefix, ...toBytes(body)]);
  return `v1,${btoa(String.fromCharCode(...(await hmac(key, signed))))}`;
}

export async function signGithub(body: string | Bytes, secret = GITHUB_SECRET): Promise<string> {
  const signature = await hmac(toBytes(secret), toBytes(body));
  return `sha256=${[...signature].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/**
 * Servers that can be deployed, kept outside of any isolate. Like the real ones they refuse strangers and say what is
 * so already; `failNext` makes the next calls fail, `hang` makes them never come back.
 */
export function createFakeServers(owners: Readonly<Record<string, string>> = { [SERVER]: OWNER }) {
  const deployed = new Set<string>();
  const acts: string[] = [];
  const calls: { readonly operation: string; readonly call: Call; readonly body: object }[] = [];
  const failures: (AppError | Error)[] = [];
  let hanging: "before" | "after" | null = null;

  async function run(operation: string, call: Call, serverId: string, body: { readonly ownerId: string }) {
    calls.push({ operation, call, body });
    if (hanging === "before") await never();
    const failure = failures.shift();
    if (failure instanceof Error) throw failure;
    if (failure !== undefined) return err(failure);
    const outcome = change(operation, serverId, body.ownerId);
    if (hanging === "after") await never();
    return outcome;
  }

  function change(operation: string, serverId: string, ownerId: string): Result<unknown> {
    if (owners[serverId] !== ownerId) return notFound("server");
    const isDeployed = deployed.has(serverId);
    if (operation === "deploy" && isDeployed) {
      return err({
        code: "ALREADY_DEPLOYED",
        detail: `${serverId} is already deployed`,
        agentId: "agent_1",
        endpoint: `${ORIGIN}/agents/agent_1`,
        dashboardUrl: `${ORIGIN}/dashboard/agents/agent_1`,
      });
    }
    if (operation !== "deploy" && !isDeployed) return err({ code: "NOT_DEPLOYED", detail: "it is not deployed" });
    if (operation === "undeploy") deployed.delete(serverId);
    else deployed.add(serverId);
    acts.push(`${operation} ${serverId}`);
    return ok({ success: true });
  }

  const deploys: DeployActions = {
    deploy: (call, serverId, body) => run("deploy", call, serverId, body),
    redeploy: (call, serverId, body) => run("redeploy", call, serverId, body),
    undeploy: (call, serverId, body) => run("undeploy", call, serverId, body),
  };
  return {
    deploys,
    findOwner: async (serverId: string) => owners[serverId] ?? null,
    /** What changed, in order. */
    acts,
    calls,
    isDeployed: (serverId = SERVER) => deployed.has(serverId),
    failNext: (...errors: (AppError | Error)[]) => failures.push(...errors),
    hang(when: "before" | "after" | null) {
      hanging = when;
    },
  };
}

export type FakeServers = ReturnType<typeof createFakeServers>;

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly body: any;
}

export interface Isolate {
  readonly service: WebhookService;
  readonly executionLog: ExecutionLog;
  /** Lines of the log. */
  readonly lines: string[];
  /** Waits for what goes on after answers have left. */
  settle(): Promise<void>;
  post(path: string, body: BodyInit, headers: Readonly<Record<string, string>>): Promise<Answer>;
  /** A signed Standard Webhooks message; headers may be replaced, or left out with null. */
  send(
    message: object | string,
    options?: {
      readonly id?: string;
      readonly atMs?: number;
      readonly secret?: string;
      readonly headers?: Readonly<Record<string, string | null>>;
    },
  ): Promise<Answer>;
  /** A signed GitHub delivery. */
  sendGithub(
    event: string,
    payload: object | string,
    options?: { readonly delivery?: string; readonly serverId?: string; readonly secret?: string },
  ): Promise<Answer>;
}

/** One isolate of the Worker: its own service and app, on documents and servers that it shares with others. */
export function createIsolate(world: {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly servers: FakeServers;
  readonly secrets?: readonly string[] | undefined;
  readonly githubSecrets?: readonly string[] | undefined;
}): Isolate {
  const { documents, clock, servers } = world;
  const { secrets = [SECRET], githubSecrets = [GITHUB_SECRET] } = world;
  const lines: string[] = [];
  const pending: Promise<unknown>[] = [];
  const log = createLogger({ level: "debug", clock, secrets: [], write: (line) => lines.push(line) });
  const ids = createIdSource(clock, systemRandom);
  const executionLog = createExecutionLog({ documents, ids, clock });
  const service = createWebhookService({
    documents,
    ids,
    clock,
    log,
    executionLog,
    deploys: servers.deploys,
    findOwner: servers.findOwner,
    defer: (what, work) =>
      pending.push(work.catch((error: unknown) => log.error("deferred", { what, error: error as Error }))),
    secrets: {
      standard: secrets.length === 0 ? undefined : secrets,
      github: githubSecrets.length === 0 ? undefined : githubSecrets,
    },
  });
  const app = createApp(service, ids.next);

  const isolate: Isolate = {
    service,
    executionLog,
    lines,
    async settle() {
      while (pending.length > 0) await Promise.all(pending.splice(0));
    },
    async post(path, body, headers) {
      const request = new Request(`${ORIGIN}${path}`, { method: "POST", body, headers, duplex: "half" } as RequestInit);
      const response = await app.fetch(request);
      const text = await response.text();
      return { status: response.status, text, body: JSON.parse(text) };
    },
    async send(message, { id = "msg_1", atMs = clock.now(), secret = SECRET, headers = {} } = {}) {
      const body = typeof message === "string" ? message : JSON.stringify(message);
      const timestamp = String(Math.floor(atMs / 1_000));
      const all = {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": await signMessage(id, timestamp, body, secret),
        ...headers,
      };
      const sent = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null);
      return isolate.post("/webhooks/deploy", body, Object.fromEntries(sent));
    },
    async sendGithub(event, payload, options = {}) {
      const { delivery = crypto.randomUUID(), serverId = SERVER, secret = GITHUB_SECRET } = options;
      const body = typeof payload === "string" ? payload : JSON.stringify(payload);
      return isolate.post(`/webhooks/github/${serverId}`, body, {
        "content-type": "application/json",
        "x-github-event": event,
        "x-github-delivery": delivery,
        "x-hub-signature-256": await signGithub(body, secret),
      });
    },
  };
  return isolate;
}

export const BODY_LIMIT_BYTES = 262_144;

function createApp(service: WebhookService, nextId: (prefix: string) => string): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    c.set("requestId", nextId("req"));
    c.set("origin", ORIGIN);
    c.set("event", {});
    c.set("actor", { kind: "anonymous", id: "anonymous" });
    await next();
  });
  const endpoints = createWebhookEndpoints(service, { bodyLimitBytes: BODY_LIMIT_BYTES });
  app.route(
    "/",
    mountEndpoints(endpoints, async () => ok(null), BODY_LIMIT_BYTES),
  );
  app.onError((error, c) =>
    refusal(
      c,
      error instanceof StorageUnavailable
        ? { code: "STORAGE_UNAVAILABLE", detail: "the documents store does not answer" }
        : { code: "INTERNAL", detail: "internal error" },
    ),
  );
  return app;
}

/** A message that asks for an operation on the one server there is. */
export function messageOf(type: string, data: object = {}): object {
  return { type, timestamp: "2026-02-13T10:29:58.123456Z", data: { serverId: SERVER, ownerId: OWNER, ...data } };
}

/** The fields of GitHub's payload that matter, among some that do not. */
export function pushTo(branch: string, more: object = {}): object {
  return {
    ref: `refs/heads/${branch}`,
    before: "0".repeat(40),
    after: "1".repeat(40),
    repository: { id: 1, full_name: "octo/hello", default_branch: "main" },
    commits: [],
    ...more,
  };
}

function never(): Promise<never> {
  return new Promise(() => {});
}
