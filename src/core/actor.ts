import { type AppError, validationFailed } from "./errors.ts";
import { err, ok, type Result } from "./result.ts";
import type { TraceHeaders } from "./trace-context.ts";

export const SCOPES = ["servers:read", "servers:write", "deploy", "search", "agents:run", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/**
 * Who is calling. Goes into every service call; the service decides with it.
 * `key` acts for one owner. `admin` (the bootstrap key, or a stored key with the scope `admin`) may act for any owner
 * and has every scope. `system` is this Worker calling itself
 * (a deploy reaching its own runtime, a cron job): trusted like admin and never counted against a limit.
 */
export type Actor =
  | {
      readonly kind: "anonymous";
      readonly id: string;
      /** A credential came along that is no key of ours, or no longer one. */
      readonly sentUnknownKey?: true;
    }
  | { readonly kind: "key"; readonly id: string; readonly ownerId: string; readonly scopes: ReadonlySet<Scope> }
  | { readonly kind: "admin"; readonly id: string }
  | { readonly kind: "system"; readonly id: string };

/** What of one request reaches the services: plain data, and on demand what costs something to make. */
export interface Call {
  readonly actor: Actor;
  readonly requestId: string;
  /** Our own address as the caller reached it, or `PUBLIC_URL`: `https://host[:port]`, no slash at the end. */
  readonly origin: string;
  /** Aborts when the caller hangs up. To be asked for where somebody waits: to make it costs more than many an answer. */
  readonly signal?: () => AbortSignal | undefined;
  /** The trace that the call belongs to; null where it names none. Few calls get as far as to need it. */
  readonly trace?: () => TraceHeaders | null;
  /** What the call does at most once, where it says so. */
  readonly operation?: Operation;
}

/** What is done under an idempotency key. */
export interface Operation {
  /** `op_<26 chars>`: the same for every try. What is made by it can be called or marked after it. */
  readonly id: string;
  /** An earlier try came to no answer that was kept: it may have done its work all the same. */
  readonly isRepeated: boolean;
}

/** The owner whose things a call may touch. `any` is admin's or the system's. */
export type OwnerAccess = { readonly kind: "owner"; readonly ownerId: string } | { readonly kind: "any" };

/**
 * The one check of scope and owner. `claimedOwnerId` is what a body or query names: it narrows admin to that owner,
 * and must match for a key (403 otherwise).
 */
export function authorize(actor: Actor, scope: Scope, claimedOwnerId?: string): Result<OwnerAccess> {
  switch (actor.kind) {
    case "anonymous":
      return err(unauthenticated(actor));
    case "admin":
    case "system":
      return ok(claimedOwnerId === undefined ? { kind: "any" } : { kind: "owner", ownerId: claimedOwnerId });
    case "key":
      if (!actor.scopes.has(scope)) return missingScope(scope);
      if (claimedOwnerId !== undefined && claimedOwnerId !== actor.ownerId) {
        return err({ code: "FORBIDDEN", detail: "ownerId is not the owner of this key" });
      }
      return ok({ kind: "owner", ownerId: actor.ownerId });
  }
}

/** The same, where something is created and one owner must come out: admin has to name it. */
export function authorizeOwner(actor: Actor, scope: Scope, claimedOwnerId?: string): Result<string> {
  const access = authorize(actor, scope, claimedOwnerId);
  if (!access.ok) return access;
  if (access.value.kind === "any") {
    return validationFailed([{ path: "ownerId", message: "name the owner: an admin key acts for none by itself" }]);
  }
  return ok(access.value.ownerId);
}

export function mayAccess(access: OwnerAccess, ownerId: string): boolean {
  return access.kind === "any" || access.ownerId === ownerId;
}

/** Admin's own business: keys, providers, jobs. */
export function authorizeAdmin(actor: Actor): Result<null> {
  if (actor.kind === "anonymous") return err(unauthenticated(actor));
  return actor.kind === "key" ? missingScope("admin") : ok(null);
}

/** Why nobody in particular is not let in where a key is needed. */
export function unauthenticated(actor: Actor & { readonly kind: "anonymous" }): AppError {
  return actor.sentUnknownKey === true ? UNKNOWN_KEY : NO_KEY;
}

const NO_KEY: AppError = {
  code: "UNAUTHENTICATED",
  detail: "send a key as 'Authorization: Bearer <key>' or 'X-API-Key: <key>'",
};

/** One answer for unknown, expired and revoked keys: it tells nobody that a key was one. */
export const UNKNOWN_KEY: AppError = {
  code: "UNAUTHENTICATED",
  detail: "this key is unknown, expired or revoked",
};

function missingScope(scope: Scope): Result<never, AppError> {
  return err({ code: "FORBIDDEN", detail: `this key lacks the scope ${scope}` });
}
