import type { AppError } from "../../core/errors.ts";
import { PASSWORD_RETRY_SECONDS } from "../limits.ts";

/** How a run ends where too many passwords wait for their turn. */
export const TOO_MANY_PASSWORDS: AppError = {
  code: "OVERLOADED",
  detail: "too many passwords are waiting to be hashed; try again soon",
  retryAfterSeconds: PASSWORD_RETRY_SECONDS,
};
