import * as z from "zod";
import type { Call } from "../core/actor.ts";
import type { AppError } from "../core/errors.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { ok, type Result } from "../core/result.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { describeProblem } from "../http/problem.ts";
import { cursorOf, ownerId, pageOf, pageQuery, serverId } from "../http/schemas.ts";
import { type RunTrace, runIdSchema, runTraceSchema } from "./contract.ts";
import { hasBody, headersOf } from "./execution/run-response.ts";
import { TEST_HEADER_VALUE_MAX_CHARS, TEST_MAX_PARAMETERS } from "./limits.ts";
import type { Run, TestedServer } from "./runner.ts";
import type { TestedBy } from "./runs/run-ids.ts";
import type { RuntimeService } from "./service.ts";

/** A graph as its owner wrote it, found for a caller with `agents:run`. */
export type FindTestedServer = (
  call: Call,
  serverId: string,
  options: { readonly ownerId?: string | undefined; readonly version?: number | undefined },
) => Promise<Result<TestedServer>>;

const parameters = z
  .record(z.string().min(1).max(64), z.string().max(TEST_HEADER_VALUE_MAX_CHARS))
  .refine((all) => Object.keys(all).length <= TEST_MAX_PARAMETERS, `at most ${TEST_MAX_PARAMETERS}`);

export const testRunBody = z
  .strictObject({
    ownerId: ownerId.optional(),
    /** What the endpoint would get as its body. */
    input: z
      .unknown()
      .optional()
      .transform((value) => (value ?? null) as Json),
    /** Steps that would change, send or call something say what they would do instead. */
    dryRun: z.boolean().default(false),
    /** An earlier definition; the current one where it is left out. */
    version: z.int().min(1).optional(),
    /** What the graph sees of the request. */
    request: z
      .strictObject({
        method: z
          .string()
          .regex(/^[A-Z]{1,16}$/, "a method in capitals")
          .default("POST"),
        headers: parameters.default({}),
        query: parameters.default({}),
      })
      .prefault({}),
  })
  .meta({ id: "TestRun" });

export const testRunAnswer = z
  .object({
    /** Whether the endpoint would have answered below 400. */
    success: z.boolean(),
    status: z.int(),
    /** Names in lower case. Those that the endpoint adds to every answer, such as the request's id, are not among them. */
    headers: z.record(z.string(), z.string()),
    /** The answer's body: of a failure, its problem details. Null too where there is none. */
    output: z.unknown(),
    error: z.looseObject({ code: z.string(), detail: z.string() }).nullable(),
    trace: runTraceSchema,
  })
  .meta({ id: "TestRunAnswer" });

export type TestRunBody = z.output<typeof testRunBody>;
export type TestRunAnswer = z.output<typeof testRunAnswer>;

/** Runs a server's graph without deploying it. */
export type TestRun = (call: Call, serverId: string, body: TestRunBody) => Promise<Result<TestRunAnswer>>;

export function createTestRun(runtime: Pick<RuntimeService, "testRun">, find: FindTestedServer): TestRun {
  return async (call, id, body) => {
    const server = await find(call, id, body);
    if (!server.ok) return server;
    const { method, headers, query } = body.request;
    const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    const request = { input: body.input, method, headers: lower, query };
    const run = await runtime.testRun(call, server.value, request, { dryRun: body.dryRun });
    return run.ok ? ok(toAnswer(run.value)) : run;
  };
}

export function createTestRunEndpoints(
  testRun: TestRun,
  runtime: Pick<RuntimeService, "listTestRuns">,
  /** For a caller with `servers:read`. */
  findServer: (call: Call, serverId: string, ownerId?: string) => Promise<Result<TestedBy>>,
): readonly Endpoint[] {
  return [runEndpoint(testRun), listEndpoint(runtime, findServer)];
}

function listEndpoint(
  runtime: Pick<RuntimeService, "listTestRuns">,
  findServer: Parameters<typeof createTestRunEndpoints>[2],
): Endpoint {
  return endpoint(
    {
      method: "get",
      path: "/mcp/servers/{serverId}/runs",
      operationId: "listTestRuns",
      tag: "Servers",
      summary: "List the test runs of a server's graph, newest first",
      access: "servers:read",
      params: z.object({ serverId }),
      query: z.object({ ownerId: ownerId.optional(), ...pageQuery, cursor: cursorOf(runIdSchema) }),
      responses: [{ status: 200, description: "One page of traces", schema: pageOf(runTraceSchema) }],
      errors: ["NOT_FOUND"],
    },
    async ({ call, params, query }) => {
      const server = await findServer(call, params.serverId, query.ownerId);
      return server.ok ? ok(await runtime.listTestRuns(server.value, query)) : server;
    },
  );
}

function runEndpoint(testRun: TestRun): Endpoint {
  return endpoint(
    {
      method: "post",
      path: "/mcp/servers/{serverId}/run",
      operationId: "testServer",
      tag: "Servers",
      summary: "Run a server's graph without deploying it",
      description:
        "The same executor as behind an agent's endpoint, with the trace of its steps. `status`, `headers` and `output` " +
        "are what the endpoint would have answered, problem details included. With `dryRun` nothing is written, sent or " +
        "called: such steps are checked and say what they would do, and steps that read the answer of a call that was " +
        "not made are skipped, with a `note`.",
      access: "agents:run",
      params: z.object({ serverId }),
      query: z.object({ ownerId: ownerId.optional() }),
      body: testRunBody,
      anyText: true,
      responses: [{ status: 200, description: "How the run went", schema: testRunAnswer }],
      errors: ["NOT_FOUND"],
    },
    ({ call, params, query, body }) => testRun(call, params.serverId, { ...query, ...body }),
  );
}

/** As the route answers it. */
export function toAnswer({ result, trace }: Run): TestRunAnswer {
  const written = trace();
  if (result.ok) {
    const { status, body = null } = result.value;
    const success = status < FIRST_FAILURE_STATUS;
    const headers = headersOf(result.value, written.runId);
    return {
      success,
      status,
      headers: { ...headers },
      output: hasBody(result.value) ? body : null,
      error: null,
      trace: written,
    };
  }
  const { error } = result;
  const { status, headers, body } = describeProblem(error, written.requestId, pathOf(written));
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  const all = { ...Object.fromEntries(lower), "x-run-id": written.runId };
  return { success: false, status, headers: all, output: body, error: toPlain(error), trace: written };
}

/** Where the run was asked for; a graph that is not deployed has no endpoint of its own. */
function pathOf({ agentId, serverId }: RunTrace): string {
  return agentId === null ? `/mcp/servers/${serverId}/run` : `/agents/${agentId}`;
}

const FIRST_FAILURE_STATUS = 400;

function toPlain(error: AppError): JsonObject & { code: string; detail: string } {
  const { code, detail } = error;
  if (error.code === "VALIDATION_FAILED") return { code, detail, errors: error.errors.map((fault) => ({ ...fault })) };
  if (error.code === "POLICY_REFUSED") return { code, detail, rule: error.rule, step: error.step };
  return "step" in error ? { code, detail, step: error.step } : { code, detail };
}
