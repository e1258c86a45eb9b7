import type { Config } from "../config/config.ts";
import { type Actor, authorize, authorizeAdmin } from "../core/actor.ts";
import type { AppError } from "../core/errors.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { Admission, Tier } from "../storage/shared-state/shared-state.ts";
import { type AppContext, clientAddress } from "./context.ts";
import type { Access, AnyEndpointSpec, Guard } from "./endpoint.ts";

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

/**
 * Lets a request in: who is it, may it go on now, has it the scope. The scope check here spares work; the one that
 * counts is the service's. A failed authentication is counted against the address, so that keys can't be guessed at
 * line speed.
 */
export function createGuard(deps: {
  readonly authenticate: (credential: string) => Promise<Result<Identity>>;
  readonly admit: (subject: string, tiers: readonly Tier[]) => Promise<Admission>;
  readonly config: Config;
}): Guard {
  return async function guard(c, spec) {
    const identity = await identify(c, spec.access, deps.authenticate);
    const address: Identity = { actor: { kind: "anonymous", id: "anonymous" }, limits: {} };
    const { actor, limits } = identity.ok ? identity.value : address;
    c.set("actor", actor);
    noteActor(c, actor);
    if (spec.limited !== false && actor.kind !== "system") {
      const subject = actor.kind === "anonymous" ? `address:${clientAddress(c)}` : `key:${actor.id}`;
      const admission = await deps.admit(subject, tiersFor(limits, deps.config));
      c.set("admission", admission);
      if (!admission.admitted) return rateLimited(admission);
    }
    if (!identity.ok) return identity;
    c.set("mayContinue", async () => {
      const again = await identify(c, spec.access, deps.authenticate);
      return again.ok && checkScope(again.value.actor, spec).ok;
    });
    return checkScope(actor, spec);
  };
}

async function identify(
  c: AppContext,
  access: Access,
  authenticate: (credential: string) => Promise<Result<Identity>>,
): Promise<Result<Identity>> {
  const anonymous = ok<Identity>({ actor: { kind: "anonymous", id: "anonymous" }, limits: {} });
  if (access === "open") return anonymous;
  const credential = readCredential(c, access);
  if (credential === null) return anonymous;
  const identity = await authenticate(credential);
  return access === "agent" && !identity.ok ? anonymous : identity;
}

/** `X-API-Key` wins: on an agent's endpoint `Authorization` belongs to the graph. */
function readCredential(c: AppContext, access: Access): string | null {
  const apiKey = c.req.header("x-api-key")?.trim();
  if (apiKey) return apiKey;
  const bearer = /^Bearer +(\S+) *$/i.exec(c.req.header("authorization") ?? "")?.[1] ?? null;
  return access === "agent" && bearer !== null && isForeignToken(bearer) ? null : bearer;
}

/** A JWT is never a key of ours: spares a look-up on every call of an agent whose users carry one. */
function isForeignToken(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token);
}

function checkScope(actor: Actor, spec: AnyEndpointSpec): Result<null> {
  if (spec.access === "open" || spec.access === "agent") return ok(null);
  if (spec.access === "admin") return authorizeAdmin(actor);
  const access = authorize(actor, spec.access);
  return access.ok ? ok(null) : access;
}

function noteActor(c: AppContext, actor: Actor): void {
  const event = c.get("event");
  event.actor = actor.id;
  if (actor.kind === "key") event.ownerId = actor.ownerId;
}

function tiersFor(limits: OwnLimits, config: Config): readonly Tier[] {
  return [
    { name: "burst", limit: limits.burst ?? config.RATE_LIMIT_BURST, windowSeconds: 1 },
    { name: "minute", limit: limits.perMinute ?? config.RATE_LIMIT_PER_MINUTE, windowSeconds: 60 },
    { name: "hour", limit: limits.perHour ?? config.RATE_LIMIT_PER_HOUR, windowSeconds: 3_600 },
  ];
}

function rateLimited(admission: Admission): Result<never> {
  const violated = admission.tiers.filter((tier) => admission.violated.includes(tier.name));
  const error: AppError = {
    code: "RATE_LIMITED",
    detail: `too many requests: the limit of ${violated.map((t) => `${t.limit} per ${t.windowSeconds} s`).join(" and ")} is used up`,
    violatedPolicies: admission.violated,
    retryAfterSeconds: Math.max(1, ...violated.map((tier) => tier.resetSeconds)),
  };
  return err(error);
}
