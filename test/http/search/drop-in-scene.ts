import { Hono } from "hono";
import { loadConfig } from "../../../src/config/config.ts";
import type { Scope } from "../../../src/core/actor.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { createIdSource, systemRandom } from "../../../src/core/ids.ts";
import type { Logger } from "../../../src/core/logger.ts";
import { err, ok } from "../../../src/core/result.ts";
import { createAdmissionControl } from "../../../src/http/admission/control.ts";
import type { AppEnv } from "../../../src/http/context.ts";
import { mountEndpoints } from "../../../src/http/endpoint.ts";
import { createGuard } from "../../../src/http/guard.ts";
import { requestContext } from "../../../src/http/middleware/request-context.ts";
import { createDropInEndpoints } from "../../../src/search/drop-in/routes.ts";
import type { Searches } from "../../../src/search/drop-in/searches.ts";
import { createMemorySharedState } from "../../support/memory-shared-state.ts";
import { keyOf } from "../../support/providers/harness.ts";

/** Each is named by what it may; `orx_slow` may search once in a minute. */
const KEYS: Readonly<
  Record<string, { readonly owner: string; readonly scopes: readonly Scope[]; readonly perMinute?: number }>
> = {
  orx_search: { owner: "owner-1", scopes: ["search"] },
  orx_deploy: { owner: "owner-2", scopes: ["deploy"] },
  orx_slow: { owner: "owner-3", scopes: ["search"], perMinute: 1 },
};

export const KEY = "orx_search";

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: any;
}

export interface DropInApp {
  fetch(request: Request): Response | Promise<Response>;
  /** With the key `orx_search`, unless another is given or none. */
  post(path: string, body: unknown, key?: string | null): Promise<Reply>;
  /** Everything that was logged, as text. */
  readonly logged: readonly string[];
}

/** The drop-in routes behind the real guard and the real admission. */
export function createDropInApp(service: Searches): DropInApp {
  const logged: string[] = [];
  const note = (event: string, fields?: object) => void logged.push(JSON.stringify({ event, ...fields }));
  const log: Logger = { debug: note, info: note, warn: note, error: note };
  const ids = createIdSource(systemClock, systemRandom);
  const ignore = () => {};
  const guard = createGuard({
    async authenticate(credential) {
      const known = Object.hasOwn(KEYS, credential) ? KEYS[credential] : undefined;
      if (known === undefined) return err({ code: "UNAUTHENTICATED", detail: "this key is not valid" });
      return ok({ actor: keyOf(known.owner, known.scopes), limits: known });
    },
    admission: createAdmissionControl({
      shared: createMemorySharedState(systemClock),
      clock: systemClock,
      defer: (_what, work) => void work.catch(ignore),
      log,
      metrics: { count: ignore, observe: ignore, gauge: ignore },
    }),
    config: loadConfig({ RATE_LIMIT_BURST: "1000", RATE_LIMIT_PER_MINUTE: "1000" }),
  });
  const app = new Hono<AppEnv>();
  app.use(
    requestContext({
      ids,
      clock: systemClock,
      log,
      publicUrl: undefined,
      trustsForwardedAddress: true,
      isShared: false,
      noteRequest: ignore,
    }),
  );
  app.route("/", mountEndpoints(createDropInEndpoints(service, systemClock), guard, 65_536));
  return {
    fetch: (request) => app.fetch(request),
    logged,
    async post(path, body, key = KEY) {
      const response = await app.request(path, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...(key === null ? {} : { Authorization: `Bearer ${key}` }) },
        body: JSON.stringify(body),
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
    },
  };
}
