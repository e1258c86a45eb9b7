import { expect, test } from "vitest";
import { keylessLimit } from "../../../src/search/providers/tavily-keyless.ts";

const limited = (retryAfterMs?: number) => ({
  ok: false,
  reason: "rate_limited",
  httpStatus: 429,
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});

test.each([
  [{ error: { retry_after_seconds: 40 } }, null, 40_000],
  [{ error: { retry_after_seconds: 0.5 } }, null, 500],
  [{ error: { retry_after_seconds: 40 } }, 60_000, 60_000],
  [{ error: { retry_after_seconds: null } }, 60_000, 60_000],
  [{ error: { retry_after_seconds: null, window: "hour" } }, null, undefined],
  [{ error: { retry_after_seconds: -1 } }, null, undefined],
  [{ error: { retry_after_seconds: "40" } }, null, undefined],
  [{ error: { retry_after_seconds: 1e300 } }, null, 86_400_000],
  [{ error: "slow down" }, null, undefined],
  [[], null, undefined],
  [undefined, null, undefined],
])("the cap %j with a header of %s ms waits %s ms", (body, headerMs, expected) => {
  expect(keylessLimit(body, headerMs)).toEqual(limited(expected));
});
