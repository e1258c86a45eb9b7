import * as z from "zod";
import { isoTime } from "../../core/clock.ts";
import { object } from "../config-schemas.ts";
import { jsonSize } from "../json-size.ts";
import { AUDIENCE_MAX_CHARS, CLAIMS_MAX_BYTES, TOKEN_MAX_SECONDS } from "../limits.ts";
import { defineTool, fail, output } from "../tool.ts";
import { jwtSecret, toKey, vanishingTrust } from "./jwt-secret.ts";

const UNIT_SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;
const DURATION = /^([1-9]\d{0,6})([smhd])$/;

const expiresIn = z
  .string()
  .refine((text) => DURATION.test(text), { error: "a number and a unit, such as 15m, 1h or 7d", abort: true })
  .refine((text) => toSeconds(text) <= TOKEN_MAX_SECONDS, "at most 30d");

export const jwtGenerateTool = defineTool({
  name: "jwtGenerate",
  description:
    "Makes a signed token (HS256) of the claims, with `iss` (the agent's id), `iat`, `exp` and, where given, `aud` " +
    "added. The key is the agent's own, which jwtVerify of all agents of its owner knows, or `secret`. Tokens of test " +
    "runs hold in test runs of the same owner alone.",
  config: z.strictObject({
    claims: object,
    expiresIn: expiresIn.default("1h"),
    secret: jwtSecret.optional(),
    audience: z.string().min(1).max(AUDIENCE_MAX_CHARS).optional(),
  }),
  output: z.object({ token: z.string(), expiresAt: z.iso.datetime() }),
  check: vanishingTrust,
  async run({ claims, expiresIn, secret, audience }, { services, run }) {
    if (jsonSize(claims, CLAIMS_MAX_BYTES) === null)
      return fail(`claims hold at most ${CLAIMS_MAX_BYTES} bytes as JSON`);
    const key = secret === undefined ? await services.signingKey(run.issuer) : toKey(secret);
    if (key === null) return fail("tokens cannot be signed: this server has no ENCRYPTION_KEY");
    const { SignJWT } = await import("jose/jwt/sign");
    const issuedAt = Math.floor(services.clock.now() / 1_000);
    const expiry = issuedAt + toSeconds(expiresIn);
    // Ours come last: claims may come from the caller, and who issued a token until when is not theirs to say.
    const payload = { ...claims, ...(audience && { aud: audience }), iss: run.issuer, iat: issuedAt, exp: expiry };
    const token = await new SignJWT(payload).setProtectedHeader({ alg: "HS256", typ: "JWT" }).sign(key);
    return output({ token, expiresAt: isoTime(expiry * 1_000) });
  },
});

function toSeconds(text: string): number {
  const [, amount, unit] = DURATION.exec(text) ?? [];
  return Number(amount) * UNIT_SECONDS[unit as keyof typeof UNIT_SECONDS];
}
