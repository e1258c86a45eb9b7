import type { Call } from "../../core/actor.ts";
import type { Clock } from "../../core/clock.ts";
import { type AppError, notFound } from "../../core/errors.ts";
import type { IdSource } from "../../core/ids.ts";
import type { Defer, Logger } from "../../core/logger.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { ExecutionLog } from "../../servers/execution-log.ts";
import type { Documents } from "../../storage/documents/documents.ts";
import type { WebhookAnswer, WebhookSource } from "./contract.ts";
import { createDeliveries } from "./deliveries.ts";
import { type DeployOrder, readGithubEvent, readGithubHeaders, readStandardEvent } from "./events.ts";
import { verifyGithubWebhook, verifyStandardWebhook } from "./signatures.ts";
import { createDeliveryWorker, type DeployActions, type ResumeReport } from "./worker.ts";

/** A webhook as it came: what is signed is the bytes. */
export interface IncomingWebhook {
  readonly headers: Pick<Headers, "get">;
  readonly body: Uint8Array;
}

/** 202: taken on, or nothing to do here. 200: here before, or only a test. */
export interface WebhookReply {
  readonly status: 200 | 202;
  readonly answer: WebhookAnswer;
}

/**
 * Deploys that others trigger. The signature is the authentication; the owner whom a message names must be the
 * server's. What is answered with `accepted` is stored before the answer and worked off after it, once, also when this
 * isolate ends in between. A repeated id is a repeat of the same message, whatever comes with it.
 */
export interface WebhookService {
  receiveStandard(call: Call, webhook: IncomingWebhook): Promise<Result<WebhookReply>>;
  receiveGithub(call: Call, webhook: IncomingWebhook, serverId: string): Promise<Result<WebhookReply>>;
  /** Works off what an ended isolate or a failed attempt left. */
  resumeDeliveries(): Promise<ResumeReport>;
  /** Forgets what was done before then; the last days are kept, since senders repeat. Answers how many. */
  forgetDeliveries(beforeIso: string): Promise<number>;
}

export function createWebhookService(deps: {
  readonly documents: Documents;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly defer: Defer;
  readonly log: Logger;
  readonly deploys: DeployActions;
  readonly executionLog: ExecutionLog;
  readonly findOwner: (serverId: string) => Promise<string | null>;
  /** Any of them may have signed; absent, the source is switched off. */
  readonly secrets: Readonly<Record<WebhookSource, readonly string[] | undefined>>;
}): WebhookService {
  const { clock, secrets } = deps;
  const deliveries = createDeliveries(deps);
  const worker = createDeliveryWorker({ ...deps, deliveries });

  async function takeOn(call: Call, source: WebhookSource, deliveryId: string, order: DeployOrder) {
    const { origin, requestId } = call;
    const held = await deliveries.accept({ source, deliveryId, order, origin, requestId });
    if (held === null) return reply(200, { accepted: true, deliveryId, duplicate: true });
    deps.defer(`webhook ${held._id}`, worker.work(held));
    return reply(202, { accepted: true, deliveryId });
  }

  return {
    async receiveStandard(call, { headers, body }) {
      if (secrets.standard === undefined) return notConfigured("WEBHOOK_SECRET");
      const deliveryId = await verifyStandardWebhook(headers, body, secrets.standard, clock.now());
      if (deliveryId === null) return unauthenticated();
      const read = readStandardEvent(body);
      if (!read.ok) return read;
      if (read.value.kind === "ignored") return ignored(deliveryId, read.value.reason);
      return takeOn(call, "standard", deliveryId, read.value.order);
    },

    async receiveGithub(call, { headers, body }, serverId) {
      if (secrets.github === undefined) return notConfigured("GITHUB_WEBHOOK_SECRET");
      if (!(await verifyGithubWebhook(headers, body, secrets.github))) return unauthenticated();
      const delivery = readGithubHeaders(headers);
      if (!delivery.ok) return delivery;
      const { event, deliveryId } = delivery.value;
      const read = readGithubEvent(event, body);
      if (!read.ok) return read;
      const ownerId = await deps.findOwner(serverId);
      if (ownerId === null) return notFound("server");
      if (read.value.kind === "ping") return reply(200, { accepted: false, deliveryId, reason: "a test; all is well" });
      if (read.value.kind === "ignored") return ignored(deliveryId, read.value.reason);
      const order: DeployOrder = { event: `github.${event}`, action: "publish", serverId, ownerId };
      return takeOn(call, "github", deliveryId, order);
    },

    resumeDeliveries: () => worker.resume(),
    forgetDeliveries: (beforeIso) => deliveries.forget(beforeIso),
  };
}

function reply(status: WebhookReply["status"], answer: WebhookAnswer): Result<WebhookReply> {
  return ok({ status, answer });
}

function ignored(deliveryId: string, reason: string): Result<WebhookReply> {
  return reply(202, { accepted: false, deliveryId, reason });
}

/** Says no more: which part was wrong helps only who guesses. */
function unauthenticated(): Result<never, AppError> {
  return err({ code: "UNAUTHENTICATED", detail: "the webhook's signature is missing, wrong, or out of its time" });
}

function notConfigured(variable: string): Result<never, AppError> {
  return err({ code: "TARGET_NOT_CONFIGURED", detail: `webhooks of this kind are not configured: set ${variable}` });
}
