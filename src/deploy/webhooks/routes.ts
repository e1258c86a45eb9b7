import { ok, type Result } from "../../core/result.ts";
import { readBodyBytes } from "../../http/body.ts";
import type { AppContext } from "../../http/context.ts";
import { type Endpoint, endpoint, type ResponseSpec } from "../../http/endpoint.ts";
import { serverParams } from "../../servers/contract.ts";
import { webhookAnswer } from "./contract.ts";
import { GITHUB_BODY_MAX_BYTES } from "./limits.ts";
import type { IncomingWebhook, WebhookReply, WebhookService } from "./service.ts";

const tag = "Webhooks";

const responses: readonly ResponseSpec[] = [
  {
    status: 202,
    description: "Taken on, to be worked off soon; or not for us, with the reason",
    schema: webhookAnswer,
  },
  { status: 200, description: "Here before, or a test", schema: webhookAnswer },
];

/** Neither declares a body: what is signed is its bytes, so they are read here and parsed after they are verified. */
export function createWebhookEndpoints(
  webhooks: WebhookService,
  limits: { readonly bodyLimitBytes: number },
): readonly Endpoint[] {
  return [
    endpoint(
      {
        method: "post",
        path: "/webhooks/deploy",
        operationId: "receiveDeployWebhook",
        tag,
        summary: "Trigger a deploy by a Standard Webhooks message",
        description:
          'Headers `webhook-id`, `webhook-timestamp`, `webhook-signature`. Body `{"type": "server.deploy" | ' +
          '"server.redeploy" | "server.undeploy", "data": {"serverId", "ownerId", "target"?}}`. Each id is acted on ' +
          "once; the server's execution log tells the outcome.",
        access: "open",
        responses,
        errors: [
          "UNAUTHENTICATED",
          "VALIDATION_FAILED",
          "PAYLOAD_TOO_LARGE",
          "TARGET_NOT_CONFIGURED",
          "STORAGE_UNAVAILABLE",
        ],
      },
      async ({ call, c }) => {
        const webhook = await readWebhook(c, limits.bodyLimitBytes);
        return webhook.ok ? respond(c, await webhooks.receiveStandard(call, webhook.value)) : webhook;
      },
    ),
    endpoint(
      {
        method: "post",
        path: "/webhooks/github/{serverId}",
        operationId: "receiveGithubWebhook",
        tag,
        summary: "Deploy a server's current version when GitHub says so",
        description:
          "A `push` to the repository's default branch and a published `release` redeploy the server, or deploy it " +
          "where it is not deployed. Signed with `X-Hub-Signature-256`; content type `application/json`.",
        access: "open",
        params: serverParams,
        responses,
        errors: ["UNAUTHENTICATED", "NOT_FOUND", "PAYLOAD_TOO_LARGE", "TARGET_NOT_CONFIGURED", "STORAGE_UNAVAILABLE"],
      },
      async ({ params, call, c }) => {
        const webhook = await readWebhook(c, Math.max(limits.bodyLimitBytes, GITHUB_BODY_MAX_BYTES));
        return webhook.ok ? respond(c, await webhooks.receiveGithub(call, webhook.value, params.serverId)) : webhook;
      },
    ),
  ];
}

async function readWebhook(c: AppContext, maxBytes: number): Promise<Result<IncomingWebhook>> {
  const read = await readBodyBytes(c.req.raw, maxBytes);
  return read.ok ? ok({ headers: c.req.raw.headers, body: read.value }) : read;
}

function respond(c: AppContext, received: Result<WebhookReply>): Result<unknown> | Response {
  if (!received.ok) return received;
  const { status, answer } = received.value;
  c.get("event").delivery = answer.deliveryId;
  return Response.json(answer, { status, headers: { "Cache-Control": "no-store" } });
}
