import { describeDocuments } from "../../contract/documents-contract.ts";
import { createMemoryDocuments } from "../../support/memory-documents.ts";

describeDocuments("memory", createMemoryDocuments);
