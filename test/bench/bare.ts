import { DurableObject } from "cloudflare:workers";
import { Hono } from "hono";

/** What any Hono Worker costs: one handler that answers a constant. */
const app = new Hono();
app.all("*", (c) => c.json({ status: "ok" }));
export default app;

// Named in wrangler.toml, which both Workers of the benchmark run under.
export class DocumentsObject extends DurableObject {}
export class SharedStateObject extends DurableObject {}
export class SearchIndexObject extends DurableObject {}
export class MongoDriverObject extends DurableObject {}
