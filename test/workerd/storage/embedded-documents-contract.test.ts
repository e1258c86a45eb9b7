import { systemClock } from "../../../src/core/clock.ts";
import { createIdSource, systemRandom } from "../../../src/core/ids.ts";
import { createEmbeddedDocuments } from "../../../src/storage/documents/embedded.ts";
import { describeDocuments } from "../../contract/documents-contract.ts";
import { bindings } from "../../support/storage/bindings.ts";

const ids = createIdSource(systemClock, systemRandom);

describeDocuments("Durable Objects", () => createEmbeddedDocuments({ namespace: bindings.DOCUMENTS, ids }));
