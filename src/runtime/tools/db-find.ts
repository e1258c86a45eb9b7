import * as z from "zod";
import { ownedData } from "../../storage/documents/collections.ts";
import { checkFilter } from "../../storage/documents/operators.ts";
import { anyJson, collectionName, fieldPath, fieldPaths, object } from "../config-schemas.ts";
import { withoutFields } from "../fields.ts";
import { FIELDS_MAX, FIND_DEFAULT_DOCUMENTS, FIND_MAX_DOCUMENTS } from "../limits.ts";
import { defineTool, fail, output, refuse } from "../tool.ts";
import { findWithin, NULLS_IN_FILTERS } from "./db-checks.ts";

const sort = z
  .record(fieldPath, z.literal([1, -1], "1 for ascending, -1 for descending"))
  .refine((fields) => Object.keys(fields).length <= FIELDS_MAX, `at most ${FIELDS_MAX} fields`);

const TOO_LARGE =
  "the documents found are too large together, or too many to look at: lower the limit, or narrow the filter";

export const dbFindTool = defineTool({
  name: "dbFind",
  description:
    "Finds documents in a collection of the agent's owner: a list, or with `one` a document or null. With `required` " +
    "the run answers 404 where nothing is found. An optional reference to nothing takes with it what holds it: in " +
    '`{ "price": "{{input.price?}}" }` the condition, so that all match, in `{ "price": { "$gte": "{{input.min?}}" } }` ' +
    "the operator alone, and a field without any is compared with the object {}, so that none does: let a `transform` " +
    "give such bounds their defaults. " +
    NULLS_IN_FILTERS,
  config: z.strictObject({
    collection: collectionName,
    filter: object,
    sort: sort.optional(),
    limit: z.int().min(1).max(FIND_MAX_DOCUMENTS).default(FIND_DEFAULT_DOCUMENTS),
    one: z.boolean().default(false),
    hide: fieldPaths.optional(),
    required: z.boolean().default(false),
  }),
  output: anyJson,
  effect: "read",
  filters: ["filter"],
  async run({ collection, filter, sort, limit, one, hide = [], required }, { services, ownerId }) {
    // A reference can bring in what its operator does not take: a text for $in, a number for $exists.
    const [fault] = checkFilter(filter);
    if (fault !== undefined) return fail(`filter.${fault.path}: ${fault.message}`);
    const query = { filter, limit: one ? 1 : limit, ...(sort === undefined ? {} : { sort }) };
    const found = await findWithin(services.documents, ownedData(ownerId, collection), query);
    if (found === null) return fail(TOO_LARGE);
    if (required && found.length === 0) return refuse({ code: "NOT_FOUND", detail: "nothing found" });
    const shown = found.map((document) => withoutFields(document, hide));
    return output(one ? (shown[0] ?? null) : shown);
  },
});
