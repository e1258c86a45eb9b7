import type { JWTPayload, JWTVerifyOptions } from "jose";
import * as z from "zod";
import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";
import { isAgentId } from "../contract.ts";
import { AUDIENCE_MAX_CHARS } from "../limits.ts";
import { defineTool, fail, output, refuse, type StepContext, type ToolResult } from "../tool.ts";
import { CLOCK_TOLERANCE_SECONDS, TOKEN_MAX_CHARS } from "./jwt-limits.ts";
import { jwtSecret, toKey, vanishingTrust } from "./jwt-secret.ts";

const MISSING = "a token is needed: send it as 'Authorization: Bearer <token>'";
const EXPIRED = "the token has expired";
const INVALID = "the token is not valid";

const config = z.strictObject({
  /** A caller's may be anything: what is no text is no token, and no fault of the graph. */
  token: z
    .custom<Json>((value) => value !== undefined)
    .meta({ type: "string" })
    .optional(),
  secret: jwtSecret.optional(),
  audience: z.string().min(1).max(AUDIENCE_MAX_CHARS).optional(),
});

const shared = {
  config,
  output: z.looseObject({}),
  nullWhenMissing: { token: "unlessOptional" },
  check: (given: JsonObject) => [
    ...(["string", "undefined"].includes(typeof given.token) ? [] : [{ path: "token", message: "a text is needed" }]),
    ...vanishingTrust(given),
  ],
  run: verifyToken,
} as const;

export const jwtVerifyTool = defineTool({
  name: "jwtVerify",
  description:
    "Checks a token (HS256), by default the one of the request's Authorization header, and gives its claims; else the " +
    "run answers 401. Without `secret` it is one that jwtGenerate of this or another deployed agent of the same owner " +
    "made. A token with an `aud` is for those alone who name it as their `audience`. Another `token` is a reference, " +
    "{{input.token}}: where it is missing the run answers 401; where {{input.token?}} is, the header counts.",
  ...shared,
});

export const authMiddlewareTool = defineTool({
  name: "authMiddleware",
  description: "The same as jwtVerify, for graphs that begin with it: only callers with a valid token pass.",
  ...shared,
});

async function verifyToken(given: z.output<typeof config>, context: StepContext): Promise<ToolResult> {
  const { secret, audience } = given;
  const token = readToken(given.token === undefined ? context.requestHeaders.authorization : given.token);
  if (token === null) return unauthenticated(MISSING);
  if (token.length > TOKEN_MAX_CHARS) return unauthenticated(INVALID);
  if (secret !== undefined) {
    const checked = await checkSignature(token, toKey(secret), audience, {}, context);
    return checked.kind === "claims" ? output(checked.claims) : unauthenticated(checked.detail);
  }
  const issuer = await claimedIssuer(token, context);
  if (issuer === null) return unauthenticated(INVALID);
  const key = await context.services.signingKey(issuer);
  if (key === null) return fail("tokens cannot be verified: this server has no ENCRYPTION_KEY");
  const checked = await checkSignature(token, key, audience, { issuer, requiredClaims: ["exp"] }, context);
  if (checked.kind === "refused") return unauthenticated(checked.detail);
  // Last, so that a forged token costs no look into the store.
  const isOurs = issuer === context.run.issuer || (await context.services.ownsAgent(context.ownerId, issuer));
  return isOurs ? output(checked.claims) : unauthenticated(INVALID);
}

/** With or without `Bearer`. Null where there is none. */
function readToken(value: Json | undefined): string | null {
  if (typeof value !== "string") return null;
  return value.trim().replace(/^Bearer(?: +|$)/i, "") || null;
}

/** Whom the token names as its maker, before anything of it is proven: it only says which key to try. */
async function claimedIssuer(token: string, { run }: StepContext): Promise<string | null> {
  const { decodeJwt } = await import("jose/jwt/decode");
  const { JOSEError } = await import("jose/errors");
  try {
    const { iss } = decodeJwt(token);
    // What a token claims need be no text, whatever its type says.
    return typeof iss === "string" && (iss === run.issuer || isAgentId(iss)) ? iss : null;
  } catch (error) {
    if (error instanceof JOSEError) return null;
    throw error;
  }
}

type Checked =
  | { readonly kind: "claims"; readonly claims: JsonObject }
  | { readonly kind: "refused"; readonly detail: string };

async function checkSignature(
  token: string,
  key: Uint8Array,
  audience: string | undefined,
  demands: JWTVerifyOptions,
  { services }: StepContext,
): Promise<Checked> {
  const { jwtVerify } = await import("jose/jwt/verify");
  const { JOSEError, JWTExpired } = await import("jose/errors");
  try {
    const { payload } = await jwtVerify(token, key, {
      ...demands,
      // The one algorithm, whatever the token says: not none, and no public key taken for a secret.
      algorithms: ["HS256"],
      currentDate: new Date(services.clock.now()),
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      ...(audience === undefined ? {} : { audience }),
    });
    return isForOthers(payload, audience) ? refused(INVALID) : { kind: "claims", claims: toJson(payload) };
  } catch (error) {
    if (error instanceof JWTExpired) return refused(EXPIRED);
    if (error instanceof JOSEError) return refused(INVALID);
    throw error;
  }
}

/** RFC 7519, section 4.1.3: whoever does not name itself in the `aud` that is there refuses the token. */
function isForOthers({ aud }: JWTPayload, audience: string | undefined): boolean {
  return aud !== undefined && audience === undefined;
}

/** A payload is a JSON object, which its type does not say. */
function toJson(payload: JWTPayload): JsonObject {
  const claims: unknown = payload;
  return isJsonObject(claims) ? claims : {};
}

function refused(detail: string): Checked {
  return { kind: "refused", detail };
}

function unauthenticated(detail: string): ToolResult {
  return refuse({ code: "UNAUTHENTICATED", detail });
}
