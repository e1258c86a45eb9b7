import { env } from "cloudflare:workers";
import type { DocumentsObject } from "../../../src/storage/documents/embedded-object.ts";
import type { SharedStateObject } from "../../../src/storage/shared-state/embedded-object.ts";

/** The bindings of wrangler.toml that storage uses, as the Workers pool gives them to tests. */
interface StorageBindings {
  readonly DOCUMENTS: DurableObjectNamespace<DocumentsObject>;
  readonly SHARED_STATE: DurableObjectNamespace<SharedStateObject>;
}

export const bindings = env as unknown as StorageBindings;
