import * as z from "zod";
import { ownedData } from "../../storage/documents/collections.ts";
import { checkFilter } from "../../storage/documents/operators.ts";
import { collectionName, object } from "../config-schemas.ts";
import { defineTool, fail, output } from "../tool.ts";
import { NULLS_IN_FILTERS, uncounted, vanishingConditions } from "./db-checks.ts";
import { findMatches } from "./db-preview.ts";

export const dbDeleteTool = defineTool({
  name: "dbDelete",
  description:
    "Deletes the first matching document of a collection of the agent's owner, or with `many` all that match: of the " +
    "filter {} that is every one. No reference in `filter` is optional: a condition that vanishes would delete more. " +
    NULLS_IN_FILTERS,
  config: z.strictObject({ collection: collectionName, filter: object, many: z.boolean().default(false) }),
  output: z.strictObject({ deletedCount: z.int().min(0), more: uncounted }),
  effect: "write",
  filters: ["filter"],
  check: ({ filter }) => vanishingConditions(filter, "filter"),
  async run({ collection, filter, many }, { services, ownerId }) {
    const [fault] = checkFilter(filter);
    if (fault !== undefined) return fail(`filter.${fault.path}: ${fault.message}`);
    const place = ownedData(ownerId, collection);
    try {
      const { deletedCount } = many
        ? await services.documents.deleteMany(place, filter)
        : await services.documents.deleteOne(place, filter);
      return output({ deletedCount });
    } catch (error) {
      if (error instanceof RangeError) return fail("too much is to be looked at: narrow the filter");
      throw error;
    }
  },
  async preview({ collection, filter, many }, { services, ownerId }) {
    const [fault] = checkFilter(filter);
    if (fault !== undefined) return fail(`filter.${fault.path}: ${fault.message}`);
    const place = ownedData(ownerId, collection);
    const found = await findMatches(services.documents, place, { filter, many, fields: ["_id"] });
    if (found === null)
      return fail("the documents that match are too large together to be counted, or too much is to be looked at");
    return output({ deletedCount: found.documents.length, ...(found.hasMore ? { more: true } : {}) });
  },
});
