import type { ErrorCode } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import { searchAnswer, searchRequest } from "../../search/contract.ts";
import { defineTool, fail, failForNow, output } from "../tool.ts";

const PASSING: ReadonlySet<ErrorCode> = new Set(["SEARCH_UNAVAILABLE", "RATE_LIMITED", "STORAGE_UNAVAILABLE"]);

export const webSearchTool = defineTool({
  name: "webSearch",
  description: "Searches the web, as POST /search does, in the name of the agent's owner.",
  config: searchRequest,
  output: searchAnswer,
  effect: "read",
  async run(request, { services, asOwner, signal }) {
    const found = await services.search({ ...asOwner, signal: () => signal }, request);
    // Made of strings, numbers and lists alone; optional members that are undefined are not there as JSON.
    if (found.ok) return output(found.value as unknown as Json);
    return PASSING.has(found.error.code) ? failForNow(found.error.detail) : fail(found.error.detail);
  },
});
