import * as z from "zod";
import { JSON_MAX_DEPTH } from "../../config/limits.ts";
import { isNeverAsked } from "../../core/hosts/never-asked.ts";
import { isJsonObject, type Json, parseUntrustedJson } from "../../core/json.ts";
import { MASK } from "../../core/mask.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { TraceHeaders } from "../../core/trace-context.ts";
import { anyJson } from "../config-schemas.ts";
import { OUTBOUND_METHODS } from "../outbound/guarded-outbound.ts";
import { headerFault, headersFault } from "../outbound/headers.ts";
import type { OutboundOutcome, OutboundRequest } from "../outbound/outbound.ts";
import { readTarget } from "../outbound/target.ts";
import { defineTool, fail, failForNow, output, refuse, type StepContext, standIn, type ToolResult } from "../tool.ts";
import { EXPECT_MAX_STATUSES } from "./http-request-limits.ts";

const JSON_TYPE = /^(?:(?:application|text)\/json|[^;\s]+\+json)\s*(?:;|$)/i;
const FORM_TYPE = /^application\/x-www-form-urlencoded\s*(?:;|$)/i;
const WITHOUT_BODY = ["GET", "HEAD"];

const REQUEST_TIMEOUT = 408;
const TOO_MANY_REQUESTS = 429;
const CLIENT_ERRORS = 400;
const SERVER_ERRORS = 500;

const scalar = z.union([z.string(), z.number(), z.boolean()], "a text, a number or a boolean");
const pairs = z.record(z.string(), z.union([scalar, z.array(scalar)], "a text, a number, a boolean or a list of them"));

/** What no setting opens is a fault where it is written. What an operator may open is judged when it is asked. */
const url = z.string().superRefine((text, context) => {
  const target = readTarget(text);
  if (!target.ok) context.addIssue(target.error);
  else if (isNeverAsked(target.value.host)) context.addIssue("the host is link-local or a metadata service");
});

const headers = z.record(z.string(), scalar).superRefine((all, context) => {
  const written = Object.entries(all).map(([name, value]) => [name, String(value)] as const);
  const faults = written.flatMap(([name, value]) => {
    const message = headerFault(name, value);
    return message === null ? [] : [{ path: [name], message }];
  });
  const together = faults.length > 0 ? null : headersFault(Object.fromEntries(written));
  for (const fault of faults) context.addIssue({ code: "custom", ...fault });
  if (together !== null) context.addIssue(together);
});

const config = z.strictObject({
  url,
  method: z.enum(OUTBOUND_METHODS).default("GET"),
  headers: headers.optional(),
  query: pairs.optional(),
  body: anyJson.optional(),
  expect: z.array(z.int().min(100).max(599)).min(1).max(EXPECT_MAX_STATUSES).optional(),
});

type Config = z.output<typeof config>;

export const httpRequestTool = defineTool({
  name: "httpRequest",
  description:
    "Asks a public HTTP address. Objects and lists go out as JSON, or as a form where Content-Type says so, a text as " +
    "it is in UTF-8, with U+FFFD for half a surrogate pair; an answer of a JSON type comes back parsed, any other as " +
    "text. A status that is not expected (below 400, or one of `expect`) fails the step. POST and PATCH carry the " +
    "step's Idempotency-Key. Private addresses are refused. A dry run sends nothing, GET neither: it judges the " +
    "request, and steps that read the answer are not tried. In `url` a reference behind the host is encoded: one " +
    "segment of the path (never . or ..), one value of the query, nothing of the fragment. In front of the path, or as " +
    "the whole `url`, it is taken as it is: a URL of several variable segments is made by a `transform`, such as " +
    '`"https://host/" + input.path.split("/").map(p, url.encode(p)).join("/")`, and given as a whole.',
  config,
  output: z.object({ status: z.int(), headers: z.record(z.string(), z.string()), body: anyJson }),
  effect: "write",
  urls: ["url"],
  check({ method = "GET", body = null }) {
    if (body === null || !WITHOUT_BODY.some((name) => name === method)) return [];
    return [{ path: "body", message: `a ${String(method)} carries no body: name another method` }];
  },
  async run(settings, context) {
    const request = toRequest(settings, context);
    if (!request.ok) return fail(request.error);
    return toResult(await context.services.outbound.send(request.value), settings, context);
  },
  /** Nothing is sent, GET included: it may cost, count or tell somebody something. What would be answered is not known. */
  async preview(settings, context) {
    const request = toRequest(settings, context);
    if (!request.ok) return fail(request.error);
    const fault = await context.services.outbound.judge(request.value);
    if (fault !== null) return toResult(fault, settings, context);
    const asked = URL.parse(settings.url);
    // Taken apart, a secret URL is no longer known by the mask.
    const url = context.isHostSecret ? MASK : `${asked?.origin}${asked?.pathname}`;
    const would = { method: settings.method, url };
    return standIn({ status: settings.expect?.[0] ?? 200, headers: {}, body: { dryRun: true, would } });
  },
});

function toRequest(settings: Config, context: StepContext): Result<OutboundRequest, string> {
  const body = encodeBody(settings);
  if (!body.ok) return err(`body: ${body.error}`);
  return ok({
    url: withQuery(settings),
    isHostSecret: context.isHostSecret,
    method: settings.method,
    headers: headersOf(settings, body.value.type, context),
    body: body.value.text,
    allowedHosts: context.run.allowedHosts,
    maxResponseBytes: context.run.maxOutputBytes,
    signal: context.signal,
  });
}

function toResult(outcome: OutboundOutcome, { url: address, expect }: Config, context: StepContext): ToolResult {
  if (outcome.kind === "failed") return outcome.isPassing ? failForNow(outcome.message) : fail(outcome.message);
  if (outcome.kind === "refused") {
    return outcome.rule === null ? fail(outcome.message) : policyRefused(outcome.message, outcome.rule, context);
  }
  const { status, headers, text } = outcome;
  const isExpected = expect === undefined ? status < CLIENT_ERRORS : expect.includes(status);
  if (isExpected) return output({ status, headers, body: decodeBody(text, headers["content-type"]) });
  const host = context.isHostSecret ? undefined : URL.parse(address)?.host;
  const message = `${host ?? "the host"} answered with status ${status}`;
  const isPassing = status === REQUEST_TIMEOUT || status === TOO_MANY_REQUESTS || status >= SERVER_ERRORS;
  return isPassing ? failForNow(message) : fail(message);
}

function policyRefused(detail: string, rule: string, { run, toolId }: StepContext): ToolResult {
  return refuse({ code: "POLICY_REFUSED", detail, rule, runId: run.runId, step: toolId });
}

/** Written behind what the address has, which stays as its author wrote it. */
function withQuery({ url: address, query }: Config): string {
  const added = query === undefined ? "" : encodePairs(query);
  const [withoutFragment = ""] = address.split("#", 1);
  if (added === "") return withoutFragment;
  return `${withoutFragment}${withoutFragment.includes("?") ? "&" : "?"}${added}`;
}

function encodePairs(values: z.output<typeof pairs>): string {
  const entries = Object.entries(values).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => [name, String(one)]),
  );
  return new URLSearchParams(entries).toString();
}

function headersOf(
  { method, headers: given = {} }: Config,
  type: string | null,
  { asOwner, stepKey }: StepContext,
): Readonly<Record<string, string>> {
  const own = Object.fromEntries(Object.entries(given).map(([name, value]) => [name.toLowerCase(), String(value)]));
  const needsKey = method === "POST" || method === "PATCH";
  return {
    ...(type === null ? {} : { "content-type": type }),
    ...(needsKey ? { "idempotency-key": stepKey } : {}),
    // Beside a trace of the graph's own, a state of ours would be somebody else's.
    ...(own.traceparent === undefined ? toTraceHeaders(asOwner.trace?.() ?? null) : {}),
    ...own,
  };
}

/** The caller's state goes to the host that the graph's author chose, which is what the caller asked to be run. */
function toTraceHeaders(trace: TraceHeaders | null): Readonly<Record<string, string>> {
  if (trace === null) return {};
  const { traceparent, tracestate } = trace;
  return { traceparent, ...(tracestate === null ? {} : { tracestate }) };
}

/** Null, which is also the output of a step that was skipped, is no body. */
function encodeBody({
  body,
  headers: given = {},
}: Config): Result<{ text: string | null; type: string | null }, string> {
  if (body === undefined || body === null) return ok({ text: null, type: null });
  // workerd writes half a surrogate pair as bytes that are no UTF-8; JSON and forms escape it.
  if (typeof body === "string") return ok({ text: body.toWellFormed(), type: "text/plain;charset=UTF-8" });
  const named = Object.entries(given).find(([name]) => name.toLowerCase() === "content-type");
  if (!isJsonObject(body) || named === undefined || !FORM_TYPE.test(String(named[1]))) {
    return ok({ text: JSON.stringify(body), type: "application/json" });
  }
  const form = pairs.safeParse(body);
  return form.success
    ? ok({ text: encodePairs(form.data), type: null })
    : err("a form's fields are texts, numbers, booleans or lists of them");
}

function decodeBody(text: string, type: string | undefined): Json {
  const parsed = JSON_TYPE.test(type ?? "") ? parseUntrustedJson(text, JSON_MAX_DEPTH) : null;
  return parsed?.ok ? parsed.value : text;
}
