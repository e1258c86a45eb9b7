import { isJsonObject, type Json } from "../../core/json.ts";
import type { Filter } from "./documents.ts";
import { NARROWING_MAX_CONDITIONS } from "./limits.ts";
import { holdsOperators } from "./operators.ts";
import { isList } from "./paths.ts";
import { uniqueKeyOf } from "./unique-keys.ts";

/** A condition in SQL on `documents`, and what it binds. */
export interface Plan {
  /** Joined with AND; empty when nothing narrows. */
  readonly conditions: readonly string[];
  readonly bindings: readonly (string | number)[];
  /** The conditions say all that the filter says: every row that they let through is a match. */
  readonly exact: boolean;
}

interface Condition {
  readonly path: string;
  readonly operator: string;
  readonly operand: Json;
}

/** What a filter demands at once, `$and` unfolded. `complete` is false where a `$or` demands something beside it. */
interface Demands {
  readonly conditions: readonly Condition[];
  readonly complete: boolean;
}

/** SQL that lets through every match and few others; the filter itself decides on each row unless `exact`. */
export function planFilter(filter: Filter, collection: string, uniqueFields: readonly string[]): Plan {
  const demands = readDemands(filter);
  const narrowings = demands.conditions
    .map((condition) => narrow(condition, collection, uniqueFields))
    .filter((narrowing) => narrowing !== null)
    .slice(0, NARROWING_MAX_CONDITIONS);
  return {
    conditions: narrowings.map(({ sql }) => sql),
    bindings: narrowings.flatMap(({ bindings }) => bindings),
    exact: demands.complete && narrowings.length === demands.conditions.length && narrowings.every((n) => n.exact),
  };
}

export function readDemands(filter: Filter): Demands {
  const parts = Object.entries(filter).map(([path, value]) => readPart(path, value));
  return join(parts);
}

function readPart(path: string, value: Json): Demands {
  if (path === "$and" && isList(value)) return join(value.filter(isJsonObject).map(readDemands));
  if (path.startsWith("$")) return { conditions: [], complete: false };
  const operators = holdsOperators(value) ? Object.entries(value) : [["$eq", value] as const];
  return { conditions: operators.map(([operator, operand]) => ({ path, operator, operand })), complete: true };
}

function join(parts: readonly Demands[]): Demands {
  return {
    conditions: parts.flatMap(({ conditions }) => conditions),
    complete: parts.every(({ complete }) => complete),
  };
}

interface Narrowing {
  readonly sql: string;
  readonly bindings: readonly (string | number)[];
  readonly exact: boolean;
}

const NOTHING: Narrowing = { sql: "0", bindings: [], exact: true };

function narrow(condition: Condition, collection: string, uniqueFields: readonly string[]): Narrowing | null {
  const { path, operator, operand } = condition;
  if (path === "_id") return narrowId(operator, operand);
  if (operator !== "$eq") return null;
  if (uniqueFields.includes(path) && !isList(operand)) {
    const sql = "id IN (SELECT id FROM unique_keys WHERE collection = ? AND field = ? AND value = ?)";
    return { sql, bindings: [collection, path, uniqueKeyOf(operand)], exact: false };
  }
  return PLAIN_NAME.test(path) ? narrowField(`'$.${path}'`, operand) : null;
}

const RANGES: ReadonlyMap<string, string> = new Map([
  ["$eq", "="],
  ["$gt", ">"],
  ["$gte", ">="],
  ["$lt", "<"],
  ["$lte", "<="],
]);

/** Every stored `_id` is text, valid Unicode, and compared byte by byte: the same order as `compareText`. */
function narrowId(operator: string, operand: Json): Narrowing | null {
  const comparison = RANGES.get(operator);
  if (comparison !== undefined) {
    if (typeof operand !== "string") return NOTHING;
    if (operand.isWellFormed()) return { sql: `id ${comparison} ?`, bindings: [operand], exact: true };
    return operator === "$eq" ? NOTHING : null;
  }
  if (operator !== "$in" || !isList(operand)) return null;
  const ids = operand.filter((id) => typeof id === "string" && id.isWellFormed());
  if (ids.length === 0) return NOTHING;
  return { sql: "id IN (SELECT value FROM json_each(?))", bindings: [JSON.stringify(ids)], exact: true };
}

/** Names that need no quoting in SQLite's JSON paths. */
export const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A list may hold the value, so lists stay. Fractions are left out: SQLite may read their last digit otherwise. */
function narrowField(path: string, operand: Json): Narrowing | null {
  const type = `json_type(body, ${path})`;
  if (operand === null) return { sql: `(${type} IS NULL OR ${type} IN ('null', 'array'))`, bindings: [], exact: false };
  if (typeof operand === "boolean") return { sql: `${type} IN ('${operand}', 'array')`, bindings: [], exact: false };
  const comparable =
    typeof operand === "number" ? Number.isSafeInteger(operand) : typeof operand === "string" && isPlainText(operand);
  if (!comparable || (typeof operand !== "string" && typeof operand !== "number")) return null;
  const sql = `(json_extract(body, ${path}) = ? OR ${type} = 'array')`;
  return { sql, bindings: [operand], exact: false };
}

function isPlainText(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}
