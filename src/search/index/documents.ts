import { authorizeOwner, type Call } from "../../core/actor.ts";
import { type FieldError, notFound, validationFailed } from "../../core/errors.ts";
import type { IdSource } from "../../core/ids.ts";
import { ok, type Result } from "../../core/result.ts";
import type { PutDocuments } from "../contract.ts";
import { DOCUMENT_MAX_BYTES, RESULT_TITLE_MAX_CHARS } from "../limits.ts";
import { cleanLines, cleanText } from "../quality/text.ts";
import { safeUrl } from "../quality/urls.ts";
import type { IndexWrite, SearchIndex } from "./search-index.ts";

/** The documents that owners put into the index: each answers its owner's questions and nobody else's. */
export interface DocumentsService {
  /** The ids in the order of the documents. All are stored or none. */
  putDocuments(call: Call, body: PutDocuments): Promise<Result<{ readonly ids: readonly string[] }>>;
  deleteDocument(call: Call, id: string, claimedOwnerId?: string): Promise<Result<null>>;
}

export function createDocumentsService(index: SearchIndex, ids: IdSource): DocumentsService {
  return {
    async putDocuments(call, body) {
      const owner = authorizeOwner(call.actor, "search", body.ownerId);
      if (!owner.ok) return owner;
      const writes = body.documents.map((document) => toWrite(document, ids.next("doc")));
      const untitled = writes.flatMap(({ title }, i): FieldError[] =>
        title === "" ? [{ path: `documents.${i}.title`, message: "must hold text beside markup" }] : [],
      );
      if (untitled.length > 0) return validationFailed(untitled);
      const outcome = await index.put({ kind: "owner", ownerId: owner.value }, writes);
      if (outcome.ok) return ok({ ids: outcome.ids });
      const message = `the index of an owner holds at most ${outcome.limit} documents: delete some first`;
      return validationFailed([{ path: "documents", message }]);
    },
    async deleteDocument(call, id, claimedOwnerId) {
      const owner = authorizeOwner(call.actor, "search", claimedOwnerId);
      if (!owner.ok) return owner;
      const removed = await index.remove({ kind: "owner", ownerId: owner.value }, id);
      return removed ? ok(null) : notFound(`document ${id}`);
    },
  };
}

/** Without markup already here: a snippet cut out of HTML could begin inside a tag. */
function toWrite(document: PutDocuments["documents"][number], newId: string): IndexWrite {
  return {
    id: document.id ?? null,
    newId,
    url: safeUrl(document.url)?.href ?? document.url,
    title: cleanText(document.title, RESULT_TITLE_MAX_CHARS),
    content: cleanLines(document.content, DOCUMENT_MAX_BYTES),
    publishedDate: null,
  };
}
