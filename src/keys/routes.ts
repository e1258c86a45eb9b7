import * as z from "zod";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { cursorOf, pageOf, pageQuery } from "../http/schemas.ts";
import { createdKey, createKeyBody, keyId, keyQuery, keyRecord } from "./contract.ts";
import type { KeyService } from "./service.ts";

export function createKeyEndpoints(keys: KeyService): readonly Endpoint[] {
  return [
    endpoint(
      {
        method: "post",
        path: "/keys",
        operationId: "createKey",
        tag: "Keys",
        summary: "Make a key for an owner",
        description: "The answer is the only place where the key is ever shown.",
        access: "admin",
        body: createKeyBody,
        responses: [{ status: 201, description: "The key and its record", schema: createdKey }],
      },
      ({ body, call }) => keys.create(call, body),
    ),
    endpoint(
      {
        method: "get",
        path: "/keys",
        operationId: "listKeys",
        tag: "Keys",
        summary: "List an owner's keys",
        access: "servers:read",
        query: keyQuery.extend({ ...pageQuery, cursor: cursorOf(keyId) }),
        responses: [{ status: 200, description: "Keys, without their secrets", schema: pageOf(keyRecord) }],
      },
      ({ query, call }) => keys.list(call, query),
    ),
    endpoint(
      {
        method: "delete",
        path: "/keys/{keyId}",
        operationId: "revokeKey",
        tag: "Keys",
        summary: "Revoke a key",
        access: "servers:write",
        params: z.object({ keyId }),
        query: keyQuery,
        responses: [{ status: 204, description: "Revoked; effective everywhere within 30 s" }],
        errors: ["NOT_FOUND"],
      },
      ({ params, query, call }) => keys.revoke(call, params.keyId, query.ownerId),
    ),
  ];
}
