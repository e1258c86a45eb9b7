import type { Json } from "../../core/json.ts";
import { searchAnswer, searchRequest } from "../../search/contract.ts";
import { defineTool, fail, output } from "../tool.ts";

export const webSearchTool = defineTool({
  name: "webSearch",
  description: "Searches the web, as POST /search does, in the name of the agent's owner.",
  config: searchRequest,
  output: searchAnswer,
  async run(request, { services, asOwner, signal }) {
    const found = await services.search({ ...asOwner, signal }, request);
    // Made of strings, numbers and lists alone; optional members that are undefined are not there as JSON.
    return found.ok ? output(found.value as unknown as Json) : fail(found.error.detail);
  },
});
