import { type Context, Hono } from "hono";
import type * as z from "zod";
import type { Call, Scope } from "../core/actor.ts";
import { type AtOnce, goOn } from "../core/at-once.ts";
import { type AppError, validationFailed } from "../core/errors.ts";
import { ok, type Result } from "../core/result.ts";
import type { Gate } from "./admission/contract.ts";
import { readJsonText } from "./body.ts";
import { type AppContext, type AppEnv, callOf } from "./context.ts";
import type { Idempotency } from "./idempotency.ts";
import { createMemo, type Memo, noBody, parse, parseBody, type ReadBody } from "./input.ts";
import { OWN_BODY_MAX_BYTES } from "./limits.ts";
import { problemResponse } from "./problem.ts";

/**
 * Who may come in. `open`: anybody. `agent`: the credential is looked at but may be somebody else's business (a graph
 * reads its own `Authorization`), so a strange one counts as none, and is told to be one where the service needs a key.
 * `any_key`: a key, whatever its scopes; the handler refuses everybody else, after checks of its own. `metrics`: admin
 * or METRICS_TOKEN. A scope: a key that has it.
 */
export type Access = "open" | "agent" | "any_key" | "metrics" | Scope;

/** One route as declared: what validates it is what describes it. Paths use OpenAPI's form, `/servers/{serverId}`. */
export interface EndpointSpec<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType> {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  readonly path: string;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly access: Access;
  /** Counted against the caller's limits. False only where an operator's probe must never be refused. */
  readonly limited?: boolean;
  /**
   * The handler passes `gate` itself, with its first look at the shared state: both in one round trip. The gate of a
   * request that ends before is passed for it.
   */
  readonly admission?: "with_look_up";
  /** A credential inside the body, for clients that put it there; the body is then read before anybody is let in. */
  readonly bodyCredential?: (body: unknown) => string | null;
  /** How a failure looks on this route, where its clients expect another form than problem details. */
  readonly problem?: (error: AppError) => Response;
  /**
   * Honours `Idempotency-Key`. For operations that are safe to repeat after a crash, and whose answers may be kept for
   * a day: none that holds a secret.
   */
  readonly idempotent?: true;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** How the body may be named, where `application/json` is not the only way. */
  readonly bodyTypes?: readonly string[];
  /**
   * The body is a run's input: data, and not what we keep as it is. Every other one holds nothing that a store refuses,
   * which is half a surrogate pair, or NUL in a name.
   */
  readonly anyText?: true;
  /**
   * The same bodies or query strings come again and again: what was made of them is remembered. For schemas without side
   * effects whose outputs nobody changes.
   */
  readonly repeats?: true;
  /** Answers by status. The first is what a handler's `ok` becomes; one without a schema has no body. */
  readonly responses: readonly ResponseSpec[];
  /** Codes beyond those that its access and schemas imply. */
  readonly errors?: readonly AppError["code"][];
}

export interface ResponseSpec {
  /** `default`: every status that has no line of its own, and beside a problem what else comes with its status. */
  readonly status: number | "default";
  readonly description: string;
  readonly schema?: z.ZodType;
  /** `application/json` unless said otherwise. */
  readonly contentType?: string;
}

export type AnyEndpointSpec = EndpointSpec<z.ZodType, z.ZodType, z.ZodType>;

export interface EndpointInput<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly call: Call;
  /** Of a route with `admission: "with_look_up"`, unless memory had let the request in already. */
  readonly gate: Gate | undefined;
  /** For what is neither input nor identity: headers to set, the raw request of an agent's run. */
  readonly c: AppContext;
}

export type EndpointHandler<Params, Query, Body> = (
  input: EndpointInput<Params, Query, Body>,
) => AtOnce<Result<unknown> | Response>;

/**
 * Lets a request in (identity, scope, limits) or says why not. What comes back is the gate that is still to be passed,
 * or null. Made once from the services, see `guard.ts`.
 */
export type Guard = (
  c: AppContext,
  spec: AnyEndpointSpec,
  bodyCredential: string | null,
) => AtOnce<Result<Gate | null>>;

export interface Endpoint {
  readonly spec: AnyEndpointSpec;
  readonly handle: (c: AppContext, guard: Guard, bodyLimitBytes: number, idempotency?: Idempotency) => AtOnce<Response>;
}

/** Ties a route's declaration to its handler. Types flow from the schemas to the handler's input. */
export function endpoint<
  Params extends z.ZodType = z.ZodUndefined,
  Query extends z.ZodType = z.ZodUndefined,
  Body extends z.ZodType = z.ZodUndefined,
>(
  spec: EndpointSpec<Params, Query, Body>,
  handler: EndpointHandler<z.output<Params>, z.output<Query>, z.output<Body>>,
): Endpoint {
  const memo = spec.repeats ? createMemo<Result<ReadBody<z.output<Body>>>>() : undefined;
  const queries = spec.repeats ? createMemo<Result<z.output<Query>>>() : undefined;
  const anyText = spec.anyText ?? false;
  const takesBody = spec.body !== undefined || spec.bodyCredential !== undefined;
  const absent = ok(noBody<Body>(undefined));
  type Read = Result<ReadBody<z.output<Body>>>;

  async function readBody({ c }: Exchange, maxBytes: number): Promise<Read> {
    const text = await readJsonText(c.req.raw, maxBytes);
    return text.ok ? (memo?.get(text.value) ?? parseBody<Body>(spec.body, text.value, { memo, anyText })) : text;
  }

  /** `early` is the body where it was read before anybody was let in. */
  function enter(exchange: Exchange, early: Read | null): AtOnce<Response> {
    const { c, guard } = exchange;
    const credential = early?.ok ? (spec.bodyCredential?.(early.value.raw) ?? null) : null;
    return goOn(guard(c, spec, credential), (entered) => {
      if (!entered.ok) return refusal(c, entered.error);
      return entered.value === null
        ? respond(exchange, early, undefined)
        : passWith(exchange, early, createTurnstile(entered.value));
    });
  }

  async function passWith(exchange: Exchange, early: Read | null, turnstile: Turnstile): Promise<Response> {
    const answer = await respond(exchange, early, turnstile.gate);
    if (turnstile.passed()) return answer;
    // A request that failed by itself counts like any other.
    const late = await turnstile.gate();
    return late.ok ? answer : refusal(exchange.c, late.error);
  }

  async function respond(exchange: Exchange, early: Read | null, gate: Gate | undefined): Promise<Response> {
    const { c, idempotency } = exchange;
    const place = parsePlace(c, spec, queries);
    if (!place.ok) return refusal(c, place.error);
    const read = early ?? (takesBody ? await readBody(exchange, bodyLimitFor(exchange)) : absent);
    if (!read.ok) return refusal(c, read.error);
    const { raw, parsed } = read.value;
    if (!parsed.ok) return refusal(c, parsed.error);
    const input = { ...place.value, body: parsed.value, call: callOf(c), gate, c };
    return spec.idempotent && idempotency !== undefined
      ? idempotency(c, raw, async (keyed) => execute({ ...input, call: { ...input.call, ...keyed } }))
      : execute(input);
  }

  function execute(input: EndpointInput<z.output<Params>, z.output<Query>, z.output<Body>>): AtOnce<Response> {
    return goOn(handler(input), (outcome) => {
      if (outcome instanceof Response) return outcome;
      return outcome.ok ? success(input.c, spec.responses[0], outcome.value) : refusal(input.c, outcome.error);
    });
  }

  return {
    spec,
    handle(c, guard, bodyLimitBytes, idempotency) {
      if (spec.problem !== undefined) c.set("problem", spec.problem);
      const exchange = { c, guard, bodyLimitBytes, idempotency };
      return spec.bodyCredential === undefined
        ? enter(exchange, null)
        : readBody(exchange, bodyLimitBytes).then((early) => enter(exchange, early));
    },
  };
}

/** One request at an endpoint, and what serves it. */
interface Exchange {
  readonly c: AppContext;
  readonly guard: Guard;
  readonly bodyLimitBytes: number;
  readonly idempotency: Idempotency | undefined;
}

/** For whoever was let in. */
function bodyLimitFor({ c, bodyLimitBytes }: Exchange): number {
  return c.get("actor").kind === "system" ? Math.max(bodyLimitBytes, OWN_BODY_MAX_BYTES) : bodyLimitBytes;
}

/** Path and query, checked in this order. */
function parsePlace<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(
  c: AppContext,
  spec: EndpointSpec<P, Q, B>,
  memo: Memo<Result<z.output<Q>>> | undefined,
): Result<{ readonly params: z.output<P>; readonly query: z.output<Q> }> {
  const params = parse(spec.params, spec.params && c.req.param(), "");
  if (!params.ok) return params;
  const { url } = c.req;
  const text = spec.query === undefined ? "" : url.slice(url.indexOf("?") + 1 || url.length);
  const known = memo?.get(text);
  const query = known ?? parseQuery(spec.query, c);
  if (known === undefined && query.ok) memo?.set(text, query);
  return query.ok ? ok({ params: params.value, query: query.value }) : query;
}

/** A gate that knows whether it was passed. */
interface Turnstile {
  readonly gate: Gate;
  passed(): boolean;
}

function createTurnstile(gate: Gate): Turnstile {
  let passed = false;
  return {
    gate(alongside) {
      passed = true;
      return gate(alongside);
    },
    passed: () => passed,
  };
}

/** Mounts the endpoints on a router of their own, in the order given. Without `idempotency` no key is honoured. */
export function mountEndpoints(
  endpoints: readonly Endpoint[],
  guard: Guard,
  bodyLimitBytes: number,
  idempotency?: Idempotency,
): Hono<AppEnv> {
  const router = new Hono<AppEnv>();
  for (const { spec, handle } of endpoints) {
    router.on(spec.method, honoPath(spec.path), function runEndpoint(c: Context<AppEnv>) {
      c.get("event").route = `${spec.method.toUpperCase()} ${spec.path}`;
      return handle(c, guard, bodyLimitBytes, idempotency);
    });
  }
  return router;
}

/** A failure as the caller sees it, noted in the request's log event. */
export function refusal(c: AppContext, error: AppError): Response {
  c.get("event").code = error.code;
  return c.get("problem")?.(error) ?? problemResponse(error, c.get("requestId"), c.req.path);
}

export function honoPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}

function success(c: AppContext, spec: ResponseSpec | undefined, value: unknown): Response {
  const status = typeof spec?.status === "number" ? spec.status : 200;
  if (spec?.schema === undefined) return c.body(null, 204);
  return Response.json(value, { status, headers: { "Cache-Control": "no-store" } });
}

function parseQuery<Q extends z.ZodType>(schema: Q | undefined, c: AppContext): Result<z.output<Q>> {
  const given = schema && singleValued(c.req.queries());
  const query = parse(schema, given, "");
  if (query.ok || given === undefined || query.error.code !== "VALIDATION_FAILED") return query;
  return validationFailed(
    query.error.errors.map((fault) => (Array.isArray(given[fault.path]) ? { ...fault, message: REPEATED } : fault)),
  );
}

const REPEATED = "must be given only once";

/** A parameter given twice stays a list, which no schema of ours takes: it is refused, not silently halved. */
function singleValued(queries: Record<string, string[]>): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(queries).map(([name, values]) => [
      name,
      values.length === 1 && values[0] !== undefined ? values[0] : values,
    ]),
  );
}
