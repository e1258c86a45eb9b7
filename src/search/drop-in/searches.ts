import type { Call } from "../../core/actor.ts";
import type { Result } from "../../core/result.ts";
import type { Gate } from "../../http/admission/contract.ts";
import type { SearchRequest, SearchResult } from "../contract.ts";
import type { SearchReply } from "../reply.ts";

/** What of the search service the drop-in routes use. */
export interface Searches {
  search(
    call: Call,
    request: SearchRequest,
    claimedOwnerId: string | undefined,
    gate: Gate | undefined,
  ): Promise<Result<SearchReply>>;
}

/** Which of the results found the client would have got from the API that it thinks it speaks to. */
export type Keep = (result: SearchResult) => boolean;
