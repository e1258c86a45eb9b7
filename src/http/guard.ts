import type { Config } from "../config/config.ts";
import { type Actor, authorize, authorizeAdmin } from "../core/actor.ts";
import { type AtOnce, goOn } from "../core/at-once.ts";
import { digestsEqual, sha256 } from "../core/crypto.ts";
import type { AppError } from "../core/errors.ts";
import { isJwtShaped } from "../core/jwt-shape.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { Admission, Tier } from "../storage/shared-state/shared-state.ts";
import type { AdmissionControl, Gate } from "./admission/contract.ts";
import { type AppContext, callerOf } from "./context.ts";
import type { Access, AnyEndpointSpec, Guard } from "./endpoint.ts";
import { wholeSeconds } from "./rate-limit-headers.ts";

/** What an own limit may replace; absent fields take the deployment's setting. */
interface OwnLimits {
  readonly burst?: number | undefined;
  readonly perMinute?: number | undefined;
  readonly perHour?: number | undefined;
}

interface Identity {
  readonly actor: Actor;
  readonly limits: OwnLimits;
}

/** Who may read the metrics and nothing else. */
const METRICS_READER: Identity = {
  actor: { kind: "key", id: "metrics", ownerId: "metrics", scopes: new Set() },
  limits: {},
};
const ANONYMOUS: Identity = { actor: { kind: "anonymous", id: "anonymous" }, limits: {} };
/** The same, who is told so where a key is needed after all. */
const STRANGER: Identity = { actor: { kind: "anonymous", id: "anonymous", sentUnknownKey: true }, limits: {} };

/**
 * Lets a request in: who is it, may it go on now, has it the scope. The scope check here spares work; the one that
 * counts is the service's. A failed authentication is counted against the address, so that keys can't be guessed at
 * line speed.
 */
export function createGuard(deps: {
  readonly authenticate: (credential: string) => Promise<Result<Identity>>;
  readonly admission: AdmissionControl;
  readonly config: Config;
}): Guard {
  const { admission, config } = deps;
  const tiersFor = createTiers(config);
  const metricsDigest = config.METRICS_TOKEN === undefined ? null : sha256(config.METRICS_TOKEN);

  async function authenticate(credential: string, access: Access): Promise<Result<Identity>> {
    if (access === "metrics" && metricsDigest !== null) {
      if (digestsEqual(await sha256(credential), await metricsDigest)) return ok(METRICS_READER);
    }
    return deps.authenticate(credential);
  }

  /** The gate that is still to be passed; null where the request is in. */
  function admit(c: AppContext, spec: AnyEndpointSpec, identity: Result<Identity>): AtOnce<Result<Gate | null>> {
    const { actor, limits } = identity.ok ? identity.value : ANONYMOUS;
    if (spec.limited === false || actor.kind === "system") return ADMITTED;
    const subject = callerOf(c);
    const tiers = tiersFor(limits);
    const decided = admission.decide(subject, tiers);
    if (decided !== null) {
      c.set("admission", decided);
      return decided.admitted ? ADMITTED : rateLimited(decided);
    }
    const gate = createGate(c, admission, subject, tiers);
    if (identity.ok && spec.admission === "with_look_up") return ok(gate);
    return gate().then((passed) => (passed.ok ? ADMITTED : passed));
  }

  function enter(
    c: AppContext,
    spec: AnyEndpointSpec,
    bodyCredential: string | null,
    identity: Result<Identity>,
  ): AtOnce<Result<Gate | null>> {
    const { actor } = identity.ok ? identity.value : ANONYMOUS;
    c.set("actor", actor);
    noteActor(c, actor);
    return goOn(admit(c, spec, identity), (admitted): AtOnce<Result<Gate | null>> => {
      if (!admitted.ok) return admitted;
      if (!identity.ok) return identity;
      c.set("mayContinue", async () => {
        const again = await identify(c, spec.access, bodyCredential, authenticate);
        return again.ok && checkScope(c, again.value.actor, spec).ok;
      });
      const scope = checkScope(c, actor, spec);
      if (scope.ok || admitted.value === null) return scope.ok ? admitted : scope;
      return admitted.value().then((counted) => (counted.ok ? scope : counted));
    });
  }

  return (c, spec, bodyCredential) =>
    goOn(identify(c, spec.access, bodyCredential, authenticate), (identity) =>
      enter(c, spec, bodyCredential, identity),
    );
}

const ADMITTED = ok(null);

function createGate(c: AppContext, admission: AdmissionControl, subject: string, tiers: readonly Tier[]): Gate {
  return async function pass(alongside) {
    const { admitted, consulted } = await admission.ask(subject, tiers, alongside);
    c.set("admission", admitted);
    return admitted.admitted ? ok(consulted) : rateLimited(admitted);
  };
}

function identify(
  c: AppContext,
  access: Access,
  bodyCredential: string | null,
  authenticate: (credential: string, access: Access) => Promise<Result<Identity>>,
): AtOnce<Result<Identity>> {
  if (access === "open") return NOBODY;
  const credential = readCredential(c) ?? bodyCredential;
  if (credential === null) return NOBODY;
  if (!isHandlersOwn(access)) return authenticate(credential, access);
  // A JWT is never a key, see `loadConfig`: that spares a look-up on every call of an agent whose users carry one.
  if (isJwtShaped(credential)) return SOMEBODY_ELSE;
  return authenticate(credential, access).then((known) => (known.ok ? known : SOMEBODY_ELSE));
}

/** The handler decides who may go on: whom it meets may be nobody that we know. */
function isHandlersOwn(access: Access): access is "agent" | "any_key" {
  return access === "agent" || access === "any_key";
}

const NOBODY = ok(ANONYMOUS);
const SOMEBODY_ELSE = ok(STRANGER);

/** `X-API-Key` wins: on an agent's endpoint `Authorization` belongs to the graph. */
function readCredential(c: AppContext): string | null {
  const apiKey = c.req.header("x-api-key")?.trim();
  if (apiKey) return apiKey;
  return /^Bearer +(\S+) *$/i.exec(c.req.header("authorization") ?? "")?.[1] ?? null;
}

/** An owner in the query has to be the key's, also where the route takes none there. */
function checkScope(c: AppContext, actor: Actor, spec: AnyEndpointSpec): Result<null> {
  if (spec.access === "open" || isHandlersOwn(spec.access)) return ok(null);
  if (spec.access === "metrics") return actor === METRICS_READER.actor ? ok(null) : authorizeAdmin(actor);
  if (spec.access === "admin") return authorizeAdmin(actor);
  const access = authorize(actor, spec.access, c.req.query("ownerId") || undefined);
  return access.ok ? ok(null) : access;
}

function noteActor(c: AppContext, actor: Actor): void {
  const event = c.get("event");
  event.actor = actor.id;
  if (actor.kind === "key") event.ownerId = actor.ownerId;
}

/** The tiers of a caller; those of the deployment, and of each key that is known, are made once. */
function createTiers(config: Config): (limits: OwnLimits) => readonly Tier[] {
  const made = new WeakMap<OwnLimits, readonly Tier[]>();
  return function tiersFor(limits) {
    const known = made.get(limits);
    if (known !== undefined) return known;
    const tiers = [
      { name: "burst", limit: limits.burst ?? config.RATE_LIMIT_BURST, windowSeconds: 1 },
      { name: "minute", limit: limits.perMinute ?? config.RATE_LIMIT_PER_MINUTE, windowSeconds: 60 },
      { name: "hour", limit: limits.perHour ?? config.RATE_LIMIT_PER_HOUR, windowSeconds: 3_600 },
    ];
    made.set(limits, tiers);
    return tiers;
  };
}

function rateLimited(admission: Admission): Result<never> {
  const violated = admission.tiers.filter((tier) => admission.violated.includes(tier.name));
  const error: AppError = {
    code: "RATE_LIMITED",
    detail: `too many requests: the limit of ${violated.map((t) => `${t.limit} per ${t.windowSeconds} s`).join(" and ")} is used up`,
    violatedPolicies: admission.violated,
    retryAfterSeconds: Math.max(1, ...violated.map((tier) => wholeSeconds(tier.resetMs))),
  };
  return err(error);
}
