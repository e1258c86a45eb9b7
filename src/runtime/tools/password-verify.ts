import * as z from "zod";
import type { AppError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import { anyJson } from "../config-schemas.ts";
import { PASSWORD_MAX_CHARS } from "../limits.ts";
import { TOO_MANY_PASSWORDS } from "../passwords/too-many.ts";
import { defineTool, output, refuse } from "../tool.ts";

const DETAIL = "the password is not the right one";

const REFUSALS = {
  400: { code: "VALIDATION_FAILED", detail: DETAIL, errors: [] },
  401: { code: "UNAUTHENTICATED", detail: DETAIL },
  403: { code: "FORBIDDEN", detail: DETAIL },
  404: { code: "NOT_FOUND", detail: DETAIL },
} as const satisfies Record<number, AppError>;

export const passwordVerifyTool = defineTool({
  name: "passwordVerify",
  description:
    "Compares a password with a stored hash. A wrong one, what is no text of at most " +
    `${PASSWORD_MAX_CHARS} characters, and a missing hash after the same work, make the run answer ` +
    "`status` (401): write the hash as {{find.password?}}, so that an unknown user looks like a wrong password.",
  config: z.strictObject({
    password: anyJson,
    hash: z.string().nullable().default(null),
    status: z.literal([400, 401, 403, 404], "one of 400, 401, 403, 404").default(401),
  }),
  output: z.object({ valid: z.literal(true) }),
  check({ password }) {
    if (password === undefined || isPassword(password)) return [];
    return [{ path: "password", message: `a text of at most ${PASSWORD_MAX_CHARS} characters is needed` }];
  },
  async run({ password, hash, status }, { services, signal }) {
    // Whatever is stored, so that the haste of it tells nothing: dbInsert hashes none of these.
    if (!isPassword(password)) return refuse(REFUSALS[status]);
    const valid = await services.passwords.verify(password, hash, signal);
    if (!valid.ok) return refuse(TOO_MANY_PASSWORDS);
    return valid.value ? output({ valid: true }) : refuse(REFUSALS[status]);
  },
});

function isPassword(value: Json): value is string {
  return typeof value === "string" && value.length <= PASSWORD_MAX_CHARS;
}
