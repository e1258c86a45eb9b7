import type { FieldError } from "../../core/errors.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import { joinPath } from "../graph/references.ts";
import { SCHEMA_MAX_BREADTH } from "../limits.ts";
import type { SchemaNode } from "./json-schema.ts";

/** What a schema applies to the same value as itself. */
const IN_PLACE = ["not", "if", "then", "else", "allOf", "anyOf", "oneOf", "dependentSchemas"];

/** Counts what references use, and finds dead ones and schemas that never end or that multiply on one value. */
export function checkReferences(
  nodes: ReadonlyMap<string, SchemaNode>,
  uses: Map<SchemaNode, number>,
  faults: FieldError[],
): void {
  const breadths = new Map<SchemaNode, number>();
  for (const [pointer, node] of nodes) {
    if (typeof node === "boolean") continue;
    const path = pointer.slice(2).replaceAll("/", ".");
    const ref = node.$ref;
    if (typeof ref === "string") {
      const target = nodes.get(ref);
      if (target !== undefined) uses.set(target, (uses.get(target) ?? 0) + 1);
      else faults.push({ path: joinPath(path, "$ref"), message: `there is no schema at ${ref}` });
    }
    const breadth = breadthOf(node, { nodes, known: breadths }, 0);
    if (breadth === Number.POSITIVE_INFINITY) faults.push({ path, message: "applies itself to the same value again" });
    else if (breadth > SCHEMA_MAX_BREADTH) {
      faults.push({ path, message: `applies more than ${SCHEMA_MAX_BREADTH} schemas to one value` });
    }
  }
}

interface Breadths {
  readonly nodes: ReadonlyMap<string, SchemaNode>;
  readonly known: Map<SchemaNode, number>;
}

/** How many schemas are applied to a value when this one is; infinite where it comes back to itself. */
function breadthOf(node: SchemaNode, breadths: Breadths, depth: number): number {
  if (typeof node === "boolean") return 1;
  // Each that leads here counts as one more: it is too much already, and the stack has an end.
  if (depth > SCHEMA_MAX_BREADTH) return depth;
  const { nodes, known } = breadths;
  const before = known.get(node);
  if (before !== undefined) return before;
  // Met again before its sum is known, it refers to itself.
  known.set(node, Number.POSITIVE_INFINITY);
  let sum = 1;
  for (const inner of appliedInPlace(node, nodes)) sum += breadthOf(inner, breadths, depth + 1);
  known.set(node, sum);
  return sum;
}

function appliedInPlace(node: JsonObject, nodes: ReadonlyMap<string, SchemaNode>): readonly SchemaNode[] {
  const applied = IN_PLACE.flatMap((keyword) => {
    const value = node[keyword];
    if (value === undefined) return [];
    if (keyword === "dependentSchemas") return Object.values(value as JsonObject);
    return Array.isArray(value) ? (value as readonly Json[]) : [value];
  }) as SchemaNode[];
  const target = typeof node.$ref === "string" ? nodes.get(node.$ref) : undefined;
  return target === undefined ? applied : [...applied, target];
}
