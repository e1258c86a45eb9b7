import "./zod-first.ts";

import { waitUntil } from "cloudflare:workers";
import { composeOnce } from "./compose.ts";
import { runScheduled } from "./jobs.ts";

export { MetricsObject } from "./observability/metrics-object.ts";
export { SearchIndexObject } from "./search/index/index-object.ts";
export { PopularityObject } from "./search/warming/popularity-object.ts";
export { DocumentsObject } from "./storage/documents/embedded-object.ts";
export { MongoDriverObject } from "./storage/documents/mongo-object.ts";
export { SharedStateObject } from "./storage/shared-state/embedded-object.ts";

export default {
  fetch(request, env) {
    return composeOnce(env, waitUntil).app.fetch(request);
  },
  async scheduled(controller, env) {
    const { jobs, log } = composeOnce(env, waitUntil);
    await runScheduled(controller.cron, jobs, log);
  },
} satisfies ExportedHandler<Env>;
