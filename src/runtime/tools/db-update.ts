import * as z from "zod";
import type { JsonObject } from "../../core/json.ts";
import { ownedData } from "../../storage/documents/collections.ts";
import type { UpdateCounts } from "../../storage/documents/documents.ts";
import { checkFilter } from "../../storage/documents/operators.ts";
import { collectionName, object } from "../config-schemas.ts";
import { defineTool, fail, output, type ToolResult } from "../tool.ts";
import { NULLS_IN_FILTERS, refuseDuplicate, refuseFaults, uncounted, vanishingConditions } from "./db-checks.ts";
import { authoredFaults, resolvedFaults, settleUpdate, upsertFaults } from "./db-update-check.ts";
import { MISFIT, outcomeOf, previewUpdate } from "./db-update-preview.ts";

const config = z
  .strictObject({
    collection: collectionName,
    filter: object,
    update: object,
    upsert: z.boolean().default(false),
    many: z.boolean().default(false),
  })
  .refine(({ upsert, many }) => !(upsert && many), { path: ["upsert"], message: "not with many: it inserts one" });

type Config = z.output<typeof config>;

const count = z.int().min(0);

export const dbUpdateTool = defineTool({
  name: "dbUpdate",
  description:
    "Changes the first matching document of a collection of the agent's owner, by $set, $unset, $inc, $push, $pull and " +
    "$setOnInsert; with `many` all that match, with `upsert` a new one where none does. References bring in values, " +
    "never operators or fields; in `filter` none is optional. A duplicate of a unique field makes the run answer 409. " +
    NULLS_IN_FILTERS,
  config,
  output: z.strictObject({
    matchedCount: count,
    modifiedCount: count,
    upsertedId: z.string().optional(),
    more: uncounted,
  }),
  effect: "write",
  filters: ["filter"],
  updates: ["update"],
  check: (given) => [...vanishingConditions(given.filter, "filter"), ...authoredFaults(given.update)],
  async run(given, { services, ownerId }) {
    const checked = checkChange(given);
    if (checked.kind === "refused") return checked.result;
    const { collection, filter, upsert, many } = given;
    const place = ownedData(ownerId, collection);
    try {
      const done = many
        ? await services.documents.updateMany(place, filter, checked.update)
        : await services.documents.updateOne(place, filter, checked.update, { upsert });
      return done.ok
        ? output(toOutput(done.value))
        : refuseDuplicate(done.error, await outcomeOf(filter, checked.update));
    } catch (error) {
      // What the port says of changes that do not fit what they meet. Its words may hold a caller's.
      if (error instanceof TypeError) return fail(MISFIT);
      if (error instanceof RangeError)
        return fail("a document would become too large, or too much is to be looked at: narrow the filter");
      throw error;
    }
  },
  async preview(given, { services, ownerId }) {
    const checked = checkChange(given);
    if (checked.kind === "refused") return checked.result;
    const { collection, filter, upsert, many } = given;
    const change = { filter, update: checked.update, upsert, many };
    return previewUpdate(services.documents, ownedData(ownerId, collection), change);
  },
});

type Checked =
  | { readonly kind: "sound"; readonly update: JsonObject }
  | { readonly kind: "refused"; readonly result: ToolResult };

function checkChange({ filter, update, upsert }: Config): Checked {
  const [fault] = checkFilter(filter);
  if (fault !== undefined) return { kind: "refused", result: fail(`filter.${fault.path}: ${fault.message}`) };
  const settled = settleUpdate(update);
  const faults = [
    ...(settled === null ? [{ path: "update", message: "nothing to change" }] : resolvedFaults(settled)),
    ...(upsert ? upsertFaults(filter) : []),
  ];
  if (settled === null || faults.length > 0) return { kind: "refused", result: refuseFaults(faults) };
  return { kind: "sound", update: settled };
}

function toOutput({ matchedCount, modifiedCount, upsertedId }: UpdateCounts): JsonObject {
  return { matchedCount, modifiedCount, ...(upsertedId === null ? {} : { upsertedId }) };
}
