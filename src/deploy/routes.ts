import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { ownerQuery, serverParams } from "../servers/contract.ts";
import { deployAnswer, deployBody, statusAnswer } from "./contract.ts";
import type { DeployService } from "./service.ts";

const tag = "Deploy";

export function createDeployEndpoints(deploys: DeployService): readonly Endpoint[] {
  return [
    endpoint(
      {
        method: "post",
        path: "/mcp/servers/{serverId}/deploy",
        operationId: "deployServer",
        tag,
        summary: "Deploy a server: make its agent and its public endpoint",
        access: "deploy",
        params: serverParams,
        body: deployBody,
        responses: [{ status: 200, description: "Where the agent is", schema: deployAnswer }],
        errors: [
          "ALREADY_DEPLOYED",
          "NOT_FOUND",
          "DEPLOY_IN_PROGRESS",
          "UPSTREAM_FAILED",
          "UPSTREAM_TIMEOUT",
          "TARGET_NOT_CONFIGURED",
        ],
      },
      ({ params, body, call }) => deploys.deploy(call, params.serverId, body),
    ),
    endpoint(
      {
        method: "get",
        path: "/mcp/servers/{serverId}/status",
        operationId: "getServerStatus",
        tag,
        summary: "Read the state of a server's deployment and of its runs",
        access: "servers:read",
        params: serverParams,
        query: ownerQuery,
        responses: [{ status: 200, description: "The state", schema: statusAnswer }],
        errors: ["NOT_FOUND"],
      },
      ({ params, query, call }) => deploys.status(call, params.serverId, query.ownerId),
    ),
  ];
}
