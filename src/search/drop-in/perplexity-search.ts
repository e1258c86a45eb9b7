import type { Call } from "../../core/actor.ts";
import { ok, type Result } from "../../core/result.ts";
import type { Gate } from "../../http/admission/contract.ts";
import type { SearchRequest } from "../contract.ts";
import type { SearchReply } from "../reply.ts";
import type { Searches } from "./searches.ts";

/**
 * Asks all questions at once. The whole counts as one request: the first passes the gate for all, and nothing is asked
 * for the others before it has. What some of them lack for, the others make up: it fails where all do, as the first did.
 */
export async function searchAll(
  service: Searches,
  call: Call,
  requests: readonly [SearchRequest, ...SearchRequest[]],
  gate: Gate | undefined,
): Promise<Result<readonly [SearchReply, ...SearchReply[]]>> {
  const [firstRequest, ...otherRequests] = requests;
  const opened = Promise.withResolvers<boolean>();
  const watched: Gate | undefined =
    gate === undefined
      ? undefined
      : async (alongside) => {
          const passed = await gate(alongside);
          opened.resolve(passed.ok);
          return passed;
        };
  if (gate === undefined) opened.resolve(true);
  const first = service.search(call, firstRequest, undefined, watched);
  first.then(
    (reply) => opened.resolve(reply.ok),
    () => opened.resolve(false),
  );
  const others = opened.promise.then((isOpen) =>
    isOpen ? Promise.all(otherRequests.map((request) => service.search(call, request, undefined, undefined))) : [],
  );
  const [firstReply, otherReplies] = await Promise.all([first, others]);
  const found = otherReplies.flatMap((reply) => (reply.ok ? [reply.value] : []));
  if (firstReply.ok) return ok([firstReply.value, ...found]);
  const [best, ...more] = found;
  return best === undefined ? firstReply : ok([best, ...more]);
}
