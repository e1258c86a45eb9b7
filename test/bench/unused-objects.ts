import { DurableObject } from "cloudflare:workers";

// Named in wrangler.toml, which every Worker of the benchmark runs under.
export class DocumentsObject extends DurableObject {}
export class SharedStateObject extends DurableObject {}
export class SearchIndexObject extends DurableObject {}
export class MongoDriverObject extends DurableObject {}
export class MetricsObject extends DurableObject {}
export class PopularityObject extends DurableObject {}
