import * as z from "zod";
import { SCOPES } from "../core/actor.ts";
import type { ErrorCode } from "../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import type { AnyEndpointSpec } from "./endpoint.ts";
import { IDEMPOTENCY_HEADER, REPLAYED_HEADER } from "./idempotency.ts";
import { IDEMPOTENCY_KEY_MAX_CHARS } from "./limits.ts";
import { PROBLEM_CONTENT_TYPE, PROBLEMS } from "./problem.ts";

const PROBLEM_SCHEMA: JsonObject = {
  type: "object",
  required: ["type", "title", "status", "detail", "code", "requestId", "error"],
  properties: {
    type: { type: "string", format: "uri" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    instance: { type: "string" },
    code: { type: "string", enum: Object.keys(PROBLEMS) },
    requestId: { type: "string" },
    error: { type: "string", description: "The same text as `detail`" },
    errors: {
      description: "Of VALIDATION_FAILED: every fault, by field",
      type: "array",
      items: {
        type: "object",
        required: ["path", "message"],
        properties: { path: { type: "string" }, message: { type: "string" } },
      },
    },
    agentId: { type: "string", description: "Of ALREADY_DEPLOYED: the agent that is there" },
    endpoint: { type: "string", format: "uri", description: "Of ALREADY_DEPLOYED: where that agent is called" },
    dashboardUrl: { type: "string", format: "uri", description: "Of ALREADY_DEPLOYED: its page" },
    "violated-policies": {
      description: "Of RATE_LIMITED: the limits that are used up",
      type: "array",
      items: { type: "string" },
    },
    runId: { type: "string", description: "Of RUN_FAILED, RUN_TIMEOUT and POLICY_REFUSED: the run" },
    step: { type: "string", description: "Of the same: the step that is to blame" },
    rule: { type: "string", description: "Of POLICY_REFUSED: the rule's name" },
    attempts: {
      description: "Of SEARCH_UNAVAILABLE: who was asked, who was skipped, and why",
      type: "array",
      items: {
        type: "object",
        required: ["provider", "outcome", "reason", "httpStatus", "durationMs"],
        properties: {
          provider: { type: "string" },
          outcome: { type: "string", enum: ["ok", "failed", "skipped"] },
          reason: { type: ["string", "null"] },
          httpStatus: { type: ["integer", "null"] },
          durationMs: { type: "number" },
        },
      },
    },
  },
};

const IDEMPOTENCY_PARAMETER: JsonObject = {
  name: IDEMPOTENCY_HEADER,
  in: "header",
  required: false,
  description:
    "Names this request for 24 hours: sent again with the same key, it is answered as the first time and does " +
    "nothing. While the first runs the answer is 409 with `Retry-After`; with another body, path or method it is 422. " +
    "Answers of 500 and above, and those with `Retry-After`, are not kept: a retry does the work.",
  schema: { type: "string", minLength: 1, maxLength: IDEMPOTENCY_KEY_MAX_CHARS, pattern: "^[!-~]+$" },
};

const REPLAYED: JsonObject = {
  [REPLAYED_HEADER]: {
    description: "Only on an answer that is given again",
    schema: { type: "string", const: "true" },
  },
};

/** OpenAPI 3.1, whose schemas are JSON Schema 2020-12: made by zod from the schemas that the routes validate with. */
export function describeApi(specs: readonly AnyEndpointSpec[], info: { readonly version: string }): JsonObject {
  const components = new Map<string, Json>([["Problem", PROBLEM_SCHEMA]]);
  const paths: Record<string, Record<string, Json>> = {};
  for (const spec of specs) {
    const operations = paths[spec.path] ?? {};
    operations[spec.method] = describeOperation(spec, components);
    paths[spec.path] = operations;
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Orchestrix",
      version: info.version,
      summary: "Deploys MCP servers as live agents, and searches the web with an answer always",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    tags: [...new Set(specs.map((spec) => spec.tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: Object.fromEntries(components),
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: `A key, with scopes among ${SCOPES.join(", ")}` },
        apiKey: { type: "apiKey", in: "header", name: "X-API-Key" },
      },
    },
  };
}

function describeOperation(spec: AnyEndpointSpec, components: Map<string, Json>): JsonObject {
  const schemaOf = (schema: z.ZodType, io: "input" | "output") => toJsonSchema(schema, io, components);
  const scope = spec.access === "open" || spec.access === "agent" || spec.access === "any_key" ? null : spec.access;
  return {
    operationId: spec.operationId,
    tags: [spec.tag],
    summary: spec.summary,
    ...(spec.description === undefined ? {} : { description: spec.description }),
    security: securityOf(spec.access),
    ...(scope === null ? {} : { "x-scope": scope }),
    parameters: [
      ...parameters(spec.params, "path", schemaOf),
      ...parameters(spec.query, "query", schemaOf),
      ...(spec.idempotent ? [IDEMPOTENCY_PARAMETER] : []),
    ],
    ...(spec.body === undefined ? {} : { requestBody: describeBody(spec.body, spec.bodyTypes, schemaOf) }),
    responses: mergeResponses(declared(spec, schemaOf), problems(spec)),
  };
}

function securityOf(access: AnyEndpointSpec["access"]): Json {
  if (access === "open") return [{}];
  return [...(access === "agent" ? [{}] : []), { bearer: [] }, { apiKey: [] }];
}

function describeBody(body: z.ZodType, types: readonly string[] = ["application/json"], schemaOf: SchemaOf): Json {
  const schema = schemaOf(body, "input");
  return {
    required: body._zod.optin !== "optional",
    content: Object.fromEntries(types.map((type) => [type, { schema }])),
  };
}

type SchemaOf = (schema: z.ZodType, io: "input" | "output") => Json;

function parameters(schema: z.ZodType | undefined, where: "path" | "query", schemaOf: SchemaOf): Json[] {
  if (schema === undefined) return [];
  const described = schemaOf(schema, "input");
  if (!isJsonObject(described) || !isJsonObject(described.properties)) return [];
  const required = Array.isArray(described.required) ? described.required : [];
  return Object.entries(described.properties).map(([name, property]) => ({
    name,
    in: where,
    required: where === "path" || required.includes(name),
    schema: property,
  }));
}

/** Answers of one status in several types are one response with several contents. */
function declared(spec: AnyEndpointSpec, schemaOf: SchemaOf): Record<string, DescribedResponse> {
  const byStatus = Map.groupBy(spec.responses, ({ status }) => status);
  return Object.fromEntries(
    [...byStatus].map(([status, responses]) => {
      const contents = responses.flatMap(({ schema, contentType = "application/json" }) =>
        schema === undefined ? [] : [[contentType, { schema: schemaOf(schema, "output") }] as const],
      );
      return [
        String(status),
        {
          description: responses.map(({ description }) => description).join("; "),
          ...(spec.idempotent ? { headers: REPLAYED } : {}),
          ...(contents.length === 0 ? {} : { content: Object.fromEntries(contents) }),
        },
      ];
    }),
  );
}

interface DescribedResponse extends JsonObject {
  readonly description: string;
  readonly content?: JsonObject;
}

/**
 * Of one status, what a route answers itself and what it answers as a problem are contents of one response. What it
 * answers with any status may come with that of a problem.
 */
function mergeResponses(
  own: Readonly<Record<string, DescribedResponse>>,
  failures: Readonly<Record<string, DescribedResponse>>,
): Record<string, Json> {
  const merged: Record<string, Json> = { ...own, ...failures };
  for (const [status, { description, content, ...more }] of Object.entries(own)) {
    const failure = failures[status];
    if (failure === undefined) continue;
    merged[status] = {
      ...more,
      description: `${description}; ${failure.description}`,
      content: { ...content, ...failure.content },
    };
  }
  if (own.default === undefined) return merged;
  for (const [status, { description, content }] of Object.entries(failures)) {
    merged[status] = {
      description: `${description}; ${own.default.description}`,
      content: { ...content, ...own.default.content },
    };
  }
  return merged;
}

function problems(spec: AnyEndpointSpec): Record<string, DescribedResponse> {
  const codes = new Set<ErrorCode>(["INTERNAL", ...(spec.errors ?? [])]);
  const ofTheInput: ErrorCode[] = spec.params || spec.query || spec.body ? ["VALIDATION_FAILED"] : [];
  if (spec.body !== undefined) ofTheInput.push("PAYLOAD_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE");
  // A route that declares what it answers to bad input answers nothing else to it.
  const own = new Set(spec.responses.map(({ status }) => status));
  for (const code of ofTheInput) if (!own.has(PROBLEMS[code].status)) codes.add(code);
  if (spec.access !== "open") codes.add("UNAUTHENTICATED").add("FORBIDDEN").add("STORAGE_UNAVAILABLE");
  if (spec.limited !== false) codes.add("RATE_LIMITED");
  if (spec.idempotent) codes.add("IDEMPOTENCY_MISMATCH").add("DUPLICATE").add("VALIDATION_FAILED");
  const byStatus = Map.groupBy(codes, (code) => PROBLEMS[code].status);
  // Routes with a form of their own say in their description which.
  const content =
    spec.problem === undefined
      ? { [PROBLEM_CONTENT_TYPE]: { schema: { $ref: "#/components/schemas/Problem" } } }
      : { "application/json": { schema: { type: "object" } } };
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [String(status), { description: group.sort().join(", "), content }]),
  );
}

/** Named schemas (`.meta({ id })`) become components; the same name always means the same schema of one direction. */
function toJsonSchema(schema: z.ZodType, io: "input" | "output", components: Map<string, Json>): Json {
  const { $schema: _, $defs, ...root } = z.toJSONSchema(schema, { io, unrepresentable: "any", reused: "inline" });
  const named = { ...(isJsonObject($defs) ? $defs : {}) };
  const rewrite = (value: unknown): Json =>
    JSON.parse(JSON.stringify(value).replaceAll(/"#\/\$defs\/([^"]+)"/g, (_match, name) => `"${refTo(name, io)}"`));
  for (const [name, definition] of Object.entries(named)) components.set(componentName(name, io), rewrite(definition));
  const id = root.id;
  if (typeof id !== "string") return rewrite(root);
  components.set(componentName(id, io), rewrite(root));
  return { $ref: refTo(id, io) };
}

function refTo(name: string, io: "input" | "output"): string {
  return `#/components/schemas/${componentName(name, io)}`;
}

/** A schema with defaults differs by direction: what may be left out on the way in is always there on the way out. */
function componentName(name: string, io: "input" | "output"): string {
  return io === "input" ? `${name}Input` : name;
}
