import type { Call } from "../core/actor.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { Result } from "../core/result.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { deleteServerQuery, ownerQuery, serverParams } from "../servers/contract.ts";
import {
  deployAnswer,
  deployBody,
  type OwnerBody,
  ownerBody,
  rollbackBody,
  statusAnswer,
  undeployAnswer,
} from "./contract.ts";
import type { DeployService } from "./service.ts";

const tag = "Deploy";
const path = "/mcp/servers/{serverId}/deploy";
const params = serverParams;

/** What any change of a deployment may meet. */
const CHANGE_ERRORS: readonly ErrorCode[] = [
  "NOT_FOUND",
  "DEPLOY_IN_PROGRESS",
  "UPSTREAM_FAILED",
  "UPSTREAM_TIMEOUT",
  "TARGET_NOT_CONFIGURED",
];

type DeleteServer = (
  call: Call,
  serverId: string,
  options: { readonly ownerId?: string | undefined; readonly undeploy: boolean },
) => Promise<Result<null>>;

export function createDeployEndpoints(deploys: DeployService, deleteServer: DeleteServer): readonly Endpoint[] {
  return [
    endpoint(
      {
        method: "post",
        path,
        operationId: "deployServer",
        tag,
        summary: "Deploy a server: make its agent and its public endpoint",
        access: "deploy",
        idempotent: true,
        params,
        body: deployBody,
        responses: [{ status: 200, description: "Where the agent is", schema: deployAnswer }],
        errors: ["ALREADY_DEPLOYED", ...CHANGE_ERRORS],
      },
      (input) => deploys.deploy(input.call, input.params.serverId, input.body),
    ),
    endpoint(
      {
        method: "put",
        path,
        operationId: "redeployServer",
        tag,
        summary: "Redeploy a server's current version to the same agent",
        access: "deploy",
        idempotent: true,
        params,
        query: ownerQuery,
        body: ownerBody,
        responses: [{ status: 200, description: "Where the agent is", schema: deployAnswer }],
        errors: ["NOT_DEPLOYED", ...CHANGE_ERRORS],
      },
      (input) => deploys.redeploy(input.call, input.params.serverId, ownerIn(input)),
    ),
    endpoint(
      {
        method: "post",
        path: "/mcp/servers/{serverId}/rollback",
        operationId: "rollbackServer",
        tag,
        summary: "Deploy an earlier version to the same agent",
        access: "deploy",
        idempotent: true,
        params,
        body: rollbackBody,
        responses: [{ status: 200, description: "Where the agent is", schema: deployAnswer }],
        errors: ["NOT_DEPLOYED", ...CHANGE_ERRORS],
      },
      (input) => deploys.rollback(input.call, input.params.serverId, input.body),
    ),
    endpoint(
      {
        method: "delete",
        path,
        operationId: "undeployServer",
        tag,
        summary: "Undeploy a server: remove its agent",
        access: "deploy",
        idempotent: true,
        params,
        query: ownerQuery,
        body: ownerBody,
        responses: [{ status: 200, description: "It is a draft again", schema: undeployAnswer }],
        errors: ["NOT_DEPLOYED", ...CHANGE_ERRORS],
      },
      (input) => deploys.undeploy(input.call, input.params.serverId, ownerIn(input)),
    ),
    endpoint(
      {
        method: "delete",
        path: "/mcp/servers/{serverId}",
        operationId: "deleteServer",
        tag: "Servers",
        summary: "Delete a server",
        access: "servers:write",
        params,
        query: deleteServerQuery,
        responses: [{ status: 204, description: "Gone, with its versions and its log" }],
        errors: ["ALREADY_DEPLOYED", ...CHANGE_ERRORS],
      },
      (input) => deleteServer(input.call, input.params.serverId, input.query),
    ),
    endpoint(
      {
        method: "get",
        path: "/mcp/servers/{serverId}/status",
        operationId: "getServerStatus",
        tag,
        summary: "Read the state of a server's deployment and of its runs",
        access: "servers:read",
        params,
        query: ownerQuery,
        responses: [{ status: 200, description: "The state", schema: statusAnswer }],
        errors: ["NOT_FOUND"],
      },
      (input) => deploys.status(input.call, input.params.serverId, input.query.ownerId),
    ),
  ];
}

/** Where one is named, in the body or the query; a mismatch with the key's owner is refused later. */
function ownerIn({ body, query }: { readonly body: OwnerBody | undefined; readonly query: OwnerBody }): OwnerBody {
  return { ownerId: body?.ownerId ?? query.ownerId };
}
