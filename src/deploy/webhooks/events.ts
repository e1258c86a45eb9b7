import * as z from "zod";
import { JSON_MAX_DEPTH } from "../../config/limits.ts";
import { decodeUtf8 } from "../../core/bounded-body.ts";
import { validationFailed } from "../../core/errors.ts";
import { type Json, type JsonFault, parseUntrustedJson } from "../../core/json.ts";
import { ok, type Result } from "../../core/result.ts";
import { toFieldError } from "../../http/input.ts";
import { ownerId, serverId } from "../../http/schemas.ts";
import { TARGET_NAMES, type TargetName } from "../contract.ts";
import { EVENT_NAME_MAX_CHARS } from "./limits.ts";

/** `publish`: redeploy the current version, or deploy it where nothing is deployed yet. */
export const DEPLOY_ACTIONS = ["deploy", "redeploy", "undeploy", "publish"] as const;
export type DeployAction = (typeof DEPLOY_ACTIONS)[number];

/** What an event asks for. */
export interface DeployOrder {
  /** The event's name as its sender has it: `server.deploy`, `github.push`. */
  readonly event: string;
  readonly action: DeployAction;
  readonly serverId: string;
  readonly ownerId: string;
  /** Of a deploy; none is the configured one. */
  readonly target?: TargetName | undefined;
}

interface Ignored {
  readonly kind: "ignored";
  readonly reason: string;
}

const ACTIONS: ReadonlyMap<string, DeployAction> = new Map([
  ["server.deploy", "deploy"],
  ["server.redeploy", "redeploy"],
  ["server.undeploy", "undeploy"],
]);

const eventName = z.string().min(1).max(EVENT_NAME_MAX_CHARS);
const anyEvent = z.object({ type: eventName });
/** What else a sender adds is left alone: later versions of the same event may carry more. */
const deployEvent = z.object({
  type: eventName,
  timestamp: z.iso.datetime({ offset: true }).optional(),
  data: z.object({ serverId, ownerId, target: z.enum(TARGET_NAMES).optional() }),
});

/** The order in a Standard Webhooks message, or why there is none for us. */
export function readStandardEvent(
  body: Uint8Array,
): Result<{ readonly kind: "order"; readonly order: DeployOrder } | Ignored> {
  const json = readJson(body, "");
  if (!json.ok) return json;
  const envelope = parse(anyEvent, json.value);
  if (!envelope.ok) return envelope;
  const event = envelope.value.type;
  const action = ACTIONS.get(event);
  if (action === undefined) return ignored(`its type is not one of ${[...ACTIONS.keys()].join(", ")}`);
  const parsed = parse(deployEvent, json.value);
  if (!parsed.ok) return parsed;
  return ok({ kind: "order", order: { event, action, ...parsed.value.data } });
}

const githubHeaders = z.object({
  "X-GitHub-Event": z.string().regex(/^[a-z][a-z_]{0,63}$/, "the name of an event"),
  "X-GitHub-Delivery": z.guid(),
});

export interface GithubDelivery {
  readonly event: string;
  readonly deliveryId: string;
}

export function readGithubHeaders(headers: Pick<Headers, "get">): Result<GithubDelivery> {
  const given = Object.keys(githubHeaders.shape).map((name) => [name, headers.get(name) ?? ""]);
  const parsed = parse(githubHeaders, Object.fromEntries(given));
  if (!parsed.ok) return parsed;
  return ok({ event: parsed.value["X-GitHub-Event"], deliveryId: parsed.value["X-GitHub-Delivery"].toLowerCase() });
}

const pushEvent = z.object({
  ref: z.string(),
  deleted: z.boolean().default(false),
  repository: z.object({ default_branch: z.string().min(1) }),
});
const releaseEvent = z.object({ action: z.string() });

/** What a GitHub event asks for. `ping` is GitHub's test of a webhook that was just set up. */
export function readGithubEvent(
  event: string,
  body: Uint8Array,
): Result<{ readonly kind: "ping" } | { readonly kind: "publish" } | Ignored> {
  const json = readJson(body, "; the webhook's content type must be application/json");
  if (!json.ok) return json;
  switch (event) {
    case "ping":
      return ok({ kind: "ping" });
    case "push": {
      const push = parse(pushEvent, json.value);
      if (!push.ok) return push;
      const { ref, deleted, repository } = push.value;
      if (deleted || ref !== `refs/heads/${repository.default_branch}`) return ignored("not the default branch");
      return ok({ kind: "publish" });
    }
    case "release": {
      const release = parse(releaseEvent, json.value);
      if (!release.ok) return release;
      return release.value.action === "published" ? ok({ kind: "publish" }) : ignored("no release was published");
    }
    default:
      return ignored("not one of push, release, ping");
  }
}

function ignored(reason: string): Result<Ignored> {
  return ok({ kind: "ignored", reason });
}

const FAULTS: Readonly<Record<JsonFault, string>> = {
  malformed: "the body is not valid JSON",
  too_deep: `the body nests deeper than ${JSON_MAX_DEPTH} levels`,
  prototype_key: "the body has a property named __proto__",
  infinite_number: "the body has a number beyond 1.8e308",
};

function readJson(body: Uint8Array, hint: string): Result<Json> {
  const text = decodeUtf8(body);
  if (text === null) return validationFailed([{ path: "", message: "the body is not valid UTF-8" }]);
  const parsed = parseUntrustedJson(text, JSON_MAX_DEPTH);
  if (parsed.ok) return ok(parsed.value);
  return validationFailed([{ path: "", message: FAULTS[parsed.fault] + (parsed.fault === "malformed" ? hint : "") }]);
}

function parse<T extends z.ZodType>(schema: T, value: unknown): Result<z.output<T>> {
  const parsed = schema.safeParse(value);
  return parsed.success ? ok(parsed.data) : validationFailed(parsed.error.issues.map((i) => toFieldError(i, "body")));
}
