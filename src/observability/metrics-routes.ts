import * as z from "zod";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { METRICS_CONTENT_TYPE, renderMetrics } from "./metrics-render.ts";
import type { MetricsSnapshot } from "./metrics-sink.ts";

/**
 * Counted against the caller's limits like any other route: a scraper's own are far above what it needs, and METRICS_TOKEN
 * must not be open to guesses at line speed.
 */
export function createMetricsEndpoint(read: () => Promise<MetricsSnapshot>): Endpoint {
  return endpoint(
    {
      method: "get",
      path: "/metrics",
      operationId: "getMetrics",
      tag: "Health",
      summary: "What all isolates counted, for Prometheus",
      description: "For METRICS_TOKEN or a key with the scope admin.",
      access: "metrics",
      responses: [
        {
          status: 200,
          description: "Prometheus' text format, 0.0.4",
          schema: z.string(),
          contentType: METRICS_CONTENT_TYPE,
        },
      ],
      errors: ["STORAGE_UNAVAILABLE"],
    },
    async () => {
      const text = renderMetrics(await read());
      return new Response(text, { headers: { "Content-Type": METRICS_CONTENT_TYPE, "Cache-Control": "no-store" } });
    },
  );
}
