import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { cursorOf, pageOf, pageQuery } from "../http/schemas.ts";
import { putSecretBody, secretName, secretParams, secretQuery, secretRecord } from "./contract.ts";
import { SECRET_VALUE_MIN_CHARS } from "./limits.ts";
import type { SecretService } from "./service.ts";

const TAG = "Secrets";

export function createSecretEndpoints(secrets: SecretService): readonly Endpoint[] {
  return [
    endpoint(
      {
        method: "put",
        path: "/secrets/{name}",
        operationId: "putSecret",
        tag: TAG,
        summary: "Store a secret, or replace its value",
        description:
          "For the owner's graphs, which use it as `{{secrets.NAME}}`. It is stored encrypted and never shown again: " +
          "no answer, log or trace holds the value. A new value holds everywhere within 10 s; of several at once the " +
          `last one stands. A value has at least ${SECRET_VALUE_MIN_CHARS} characters: a shorter one stands in too many ` +
          "texts to be masked in them. Shorter ones from before this rule go on working. `version` grows with every " +
          "put, also of the same value. An admin key names the owner, in the body or the query. 403 where the owner has " +
          "as many secrets as it may, 503 where the operator has set no ENCRYPTION_KEY.",
        access: "servers:write",
        params: secretParams,
        query: secretQuery,
        body: putSecretBody,
        responses: [
          { status: 201, description: "Stored under a new name; never with the value", schema: secretRecord },
          { status: 200, description: "The value was replaced; never with the value", schema: secretRecord },
        ],
        errors: ["TARGET_NOT_CONFIGURED", "VERSION_CONFLICT"],
      },
      async ({ params, query, body, call }) => {
        const put = await secrets.put(call, params.name, body, query.ownerId);
        if (!put.ok) return put;
        const { secret, created } = put.value;
        return Response.json(secret, { status: created ? 201 : 200, headers: { "Cache-Control": "no-store" } });
      },
    ),
    endpoint(
      {
        method: "get",
        path: "/secrets",
        operationId: "listSecrets",
        tag: TAG,
        summary: "List an owner's secrets, without their values",
        access: "servers:read",
        query: secretQuery.extend({ ...pageQuery, cursor: cursorOf(secretName) }),
        responses: [{ status: 200, description: "One page, in order of the names", schema: pageOf(secretRecord) }],
      },
      ({ query, call }) => secrets.list(call, query),
    ),
    endpoint(
      {
        method: "get",
        path: "/secrets/{name}",
        operationId: "getSecret",
        tag: TAG,
        summary: "Read when a secret was stored, without its value",
        access: "servers:read",
        params: secretParams,
        query: secretQuery,
        responses: [{ status: 200, description: "What is known of it", schema: secretRecord }],
        errors: ["NOT_FOUND"],
      },
      ({ params, query, call }) => secrets.get(call, params.name, query.ownerId),
    ),
    endpoint(
      {
        method: "delete",
        path: "/secrets/{name}",
        operationId: "deleteSecret",
        tag: TAG,
        summary: "Delete a secret",
        description: "Runs that need it fail from then on, everywhere within 10 s.",
        access: "servers:write",
        params: secretParams,
        query: secretQuery,
        responses: [{ status: 204, description: "Gone" }],
        errors: ["NOT_FOUND"],
      },
      ({ params, query, call }) => secrets.remove(call, params.name, query.ownerId),
    ),
  ];
}
