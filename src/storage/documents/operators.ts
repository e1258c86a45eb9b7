import type { FieldError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject, ownProperty } from "../../core/json.ts";
import { DOCUMENT_MAX_DEPTH } from "./limits.ts";
import { pathFault } from "./paths.ts";

/**
 * The operators that every adapter knows, and nothing beside them:
 * filters `$eq $ne $gt $gte $lt $lte $in $nin $exists $and $or`, updates `$set $unset $inc $push $pull $setOnInsert`,
 * on fields or dotted paths. An object of a filter whose keys have no `$` is a value to compare with, and so is
 * whatever stands under a comparison: `{a: {$eq: {$ne: null}}}` looks for the value `{"$ne": null}`.
 * Objects are equal when their fields are, in the same order. Paths reach own fields only.
 *
 * The checks return every fault; `path` leads to it through the filter, update or document that was given.
 */
const COMPARISONS = ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists"] as const;
type Comparison = (typeof COMPARISONS)[number];

const UPDATE_OPERATORS = ["$set", "$unset", "$inc", "$push", "$pull", "$setOnInsert"] as const;
export type UpdateOperator = (typeof UPDATE_OPERATORS)[number];

export function checkFilter(filter: unknown): readonly FieldError[] {
  const faults: FieldError[] = [];
  collectFilterFaults(filter, [], faults);
  return faults;
}

/** An update writes each path once, never `_id`, and puts nothing into a document that `checkDocument` refuses. */
export function checkUpdate(update: unknown): readonly FieldError[] {
  if (!isJsonObject(update)) return [fault([], "an update is an object")];
  const faults: FieldError[] = [];
  const written = createPathSet();
  if (Object.keys(update).length === 0) faults.push(fault([], `an update names one of ${UPDATE_OPERATORS.join(" ")}`));
  for (const [operator, fields] of Object.entries(update)) {
    if (!isUpdateOperator(operator)) faults.push(fault([operator], `not one of ${UPDATE_OPERATORS.join(" ")}`));
    else if (!isJsonObject(fields)) faults.push(fault([operator], "an object of paths is needed"));
    else collectFieldFaults(operator, fields, written, faults);
  }
  return faults;
}

/** Without `_id` the store makes one. */
export function checkDocument(document: unknown): readonly FieldError[] {
  if (!isJsonObject(document)) return [fault([], "a document is an object")];
  const faults: FieldError[] = [];
  if (Object.hasOwn(document, "_id") && (typeof document._id !== "string" || document._id === "")) {
    faults.push(fault(["_id"], "a non-empty string is needed"));
  }
  collectValueFaults(document, [], "stored", 0, faults);
  return faults;
}

export function checkSort(sort: unknown): readonly FieldError[] {
  if (!isJsonObject(sort)) return [fault([], "a sort is an object")];
  return Object.entries(sort).flatMap(([path, direction]) => {
    const wrong = pathFault(path) ?? (direction === 1 || direction === -1 ? null : "1 or -1 is needed");
    return wrong === null ? [] : [fault([path], wrong)];
  });
}

function isComparison(key: string): key is Comparison {
  return (COMPARISONS as readonly string[]).includes(key);
}

/** Whether a filter's value holds operators. One that passed `checkFilter` holds nothing else beside them. */
export function holdsOperators(value: unknown): value is JsonObject {
  return isJsonObject(value) && Object.keys(value).some((key) => key.startsWith("$"));
}

function isUpdateOperator(key: string): key is UpdateOperator {
  return (UPDATE_OPERATORS as readonly string[]).includes(key);
}

function fault(path: readonly string[], message: string): FieldError {
  return { path: path.join("."), message };
}

function collectFilterFaults(filter: unknown, at: readonly string[], faults: FieldError[]): void {
  if (!isJsonObject(filter)) {
    faults.push(fault(at, "a filter is an object"));
    return;
  }
  if (at.length > DOCUMENT_MAX_DEPTH) {
    faults.push(fault(at, "nested too deep"));
    return;
  }
  for (const [key, value] of Object.entries(filter)) {
    const here = [...at, key];
    if (key === "$and" || key === "$or") collectBranchFaults(value, here, faults);
    else if (key.startsWith("$"))
      faults.push(fault(here, `not an operator here: ${COMPARISONS.join(" ")} stand under a field`));
    else {
      const wrong = pathFault(key);
      if (wrong !== null) faults.push(fault(here, wrong));
      collectConditionFaults(value, here, faults);
    }
  }
}

function collectBranchFaults(branches: unknown, at: readonly string[], faults: FieldError[]): void {
  if (!Array.isArray(branches) || branches.length === 0) {
    faults.push(fault(at, "a list of at least one filter is needed"));
    return;
  }
  for (const [i, branch] of branches.entries()) collectFilterFaults(branch, [...at, String(i)], faults);
}

function collectConditionFaults(value: unknown, at: readonly string[], faults: FieldError[]): void {
  if (!holdsOperators(value)) {
    collectValueFaults(value, at, "compared", 0, faults);
    return;
  }
  for (const [operator, operand] of Object.entries(value)) {
    const here = [...at, operator];
    if (!operator.startsWith("$")) faults.push(fault(here, "fields and operators do not mix"));
    else if (!isComparison(operator)) faults.push(fault(here, `not one of ${COMPARISONS.join(" ")}`));
    else if (operator === "$exists" && typeof operand !== "boolean")
      faults.push(fault(here, "true or false is needed"));
    else if ((operator === "$in" || operator === "$nin") && !Array.isArray(operand)) {
      faults.push(fault(here, "a list is needed"));
    } else collectValueFaults(operand, here, "compared", 0, faults);
  }
}

function collectFieldFaults(
  operator: UpdateOperator,
  fields: JsonObject,
  written: PathSet,
  faults: FieldError[],
): void {
  for (const [path, operand] of Object.entries(fields)) {
    const at = [operator, path];
    const wrong = updatePathFault(path, written);
    if (wrong !== null) faults.push(fault(at, wrong));
    if (operator === "$inc") {
      if (!Number.isFinite(operand)) faults.push(fault(at, "a finite number is needed"));
    } else if (operator === "$pull") collectPullFaults(operand, at, faults);
    else if (operator !== "$unset") collectValueFaults(operand, at, "stored", path.split(".").length, faults);
  }
}

function updatePathFault(path: string, written: PathSet): string | null {
  if (path === "_id" || path.startsWith("_id.")) return "_id never changes";
  return pathFault(path) ?? (written.add(path) ? null : "written twice, as a whole or in part");
}

interface PathSet {
  /** False when the path, one that leads to it, or one that it leads to is there already. */
  add(path: string): boolean;
}

function createPathSet(): PathSet {
  const paths = new Set<string>();
  const leadingTo = new Set<string>();
  return {
    add(path) {
      const segments = path.split(".");
      const ancestors = segments.slice(1).map((_, i) => segments.slice(0, i + 1).join("."));
      const free = !paths.has(path) && !leadingTo.has(path) && !ancestors.some((ancestor) => paths.has(ancestor));
      paths.add(path);
      for (const ancestor of ancestors) leadingTo.add(ancestor);
      return free;
    },
  };
}

/** What `$pull` takes out: equal elements, those that operators choose, or objects that a filter matches. */
function collectPullFaults(operand: unknown, at: readonly string[], faults: FieldError[]): void {
  if (isJsonObject(operand) && !holdsOperators(operand)) collectFilterFaults(operand, at, faults);
  else collectConditionFaults(operand, at, faults);
}

type Use = "stored" | "compared";

function collectValueFaults(
  value: unknown,
  at: readonly string[],
  use: Use,
  depth: number,
  faults: FieldError[],
): void {
  if (typeof value !== "object" || value === null) {
    const wrong = scalarFault(value, use);
    if (wrong !== null) faults.push(fault(at, wrong));
    return;
  }
  if (depth >= DOCUMENT_MAX_DEPTH) {
    faults.push(fault(at.slice(0, 1), `more than ${DOCUMENT_MAX_DEPTH} levels deep`));
    return;
  }
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) collectValueFaults(value[i], [...at, String(i)], use, depth + 1, faults);
    return;
  }
  for (const key of Object.keys(value)) {
    const wrong = nameFault(key, use);
    if (wrong !== null) faults.push(fault([...at, key], wrong));
    collectValueFaults(ownProperty(value, key), [...at, key], use, depth + 1, faults);
  }
}

function scalarFault(value: unknown, use: Use): string | null {
  if (value === null || typeof value === "boolean") return null;
  if (typeof value === "number") return Number.isFinite(value) ? null : "a finite number is needed";
  if (typeof value !== "string") return "not a JSON value";
  return use === "compared" || value.isWellFormed() ? null : "not valid Unicode";
}

function nameFault(name: string, use: Use): string | null {
  if (name === "__proto__") return "never the name of a field";
  if (use === "compared") return null;
  if (name.startsWith("$")) return "a field's name does not start with $";
  if (name.includes(".")) return "a field's name has no dot";
  if (name.includes("\0")) return "a field's name has no NUL";
  return name.isWellFormed() ? null : "not valid Unicode";
}
