import { env } from "cloudflare:workers";
import { systemClock } from "../../../src/core/clock.ts";
import { createIdSource, systemRandom } from "../../../src/core/ids.ts";
import { createEmbeddedDocuments } from "../../../src/storage/documents/embedded.ts";
import { describeDocuments } from "../../contract/documents-contract.ts";

const ids = createIdSource(systemClock, systemRandom);

describeDocuments("Durable Objects", () => createEmbeddedDocuments({ namespace: env.DOCUMENTS, ids }));
