import * as z from "zod";
import { ok } from "../core/result.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { CHECK_STATUSES, REPORT_LASTS_SECONDS, type Readiness } from "./health.ts";

const tag = "Health";

const readiness = z
  .object({
    status: z.enum(["ready", "not_ready"]),
    checks: z.record(z.string(), z.object({ status: z.enum(CHECK_STATUSES), latencyMs: z.number() })),
  })
  .meta({ id: "Readiness" });

export function createHealthEndpoints(deps: {
  readonly version: string;
  readonly ready: () => Promise<Readiness>;
}): readonly Endpoint[] {
  return [
    endpoint(
      {
        method: "get",
        path: "/health",
        operationId: "getHealth",
        tag,
        summary: "Is the Worker running. Touches nothing else",
        access: "open",
        limited: false,
        responses: [
          {
            status: 200,
            description: "It is",
            schema: z.object({ status: z.literal("ok"), version: z.string() }),
          },
        ],
      },
      async () => ok({ status: "ok", version: deps.version }),
    ),
    endpoint(
      {
        method: "get",
        path: "/ready",
        operationId: "getReadiness",
        tag,
        summary: "Do the parts that the Worker needs answer",
        access: "open",
        responses: [
          { status: 200, description: "All that are needed do", schema: readiness },
          { status: 503, description: "One that is needed does not", schema: readiness },
        ],
      },
      async () => {
        const report = await deps.ready();
        const isReady = report.status === "ready";
        const retry = isReady ? {} : { "Retry-After": String(REPORT_LASTS_SECONDS) };
        return Response.json(report, {
          status: isReady ? 200 : 503,
          headers: { "Cache-Control": "no-store", ...retry },
        });
      },
    ),
  ];
}
