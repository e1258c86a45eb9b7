import type { FieldError } from "../../core/errors.ts";
import { joinPath, type PlacedReference, type Template } from "./references.ts";

const WRITTEN_HERE = "is written as an object here: a reference brings in values to compare with, never conditions";

/**
 * Makes a filter's template safe: an operator is one only where the author wrote it. A referenced value in the place
 * of a field's condition becomes `{ $eq: value }`, and a reference in the place of a filter is a fault.
 */
export function sealFilter(template: Template, path: string, faults: FieldError[]): Template {
  if (template.kind === "constant") return template;
  if (template.kind !== "object") {
    faults.push({ path, message: WRITTEN_HERE });
    return template;
  }
  const entries = template.entries.map(([key, inner]) => {
    const here = joinPath(path, key);
    const isBranch = key === "$and" || key === "$or";
    return [key, isBranch ? sealBranches(inner, here, faults) : sealCondition(inner)] as const;
  });
  return { kind: "object", entries };
}

function sealBranches(template: Template, path: string, faults: FieldError[]): Template {
  if (template.kind === "constant") return template;
  if (template.kind !== "list") {
    faults.push({ path, message: WRITTEN_HERE.replace("an object", "a list of filters") });
    return template;
  }
  return { kind: "list", items: template.items.map((item, i) => sealFilter(item, joinPath(path, i), faults)) };
}

export type Equality = Pick<PlacedReference, "reference" | "path">;

/** References that stand in a sealed filter as what a field is to be equal to, without an operator of the author's. */
export function equalitiesIn(template: Template, path: string): readonly Equality[] {
  switch (template.kind) {
    case "equals":
      return template.inner.kind === "reference" ? [{ reference: template.inner.reference, path }] : [];
    case "list":
      return template.items.flatMap((item, i) => equalitiesIn(item, joinPath(path, i)));
    case "object":
      return template.entries.flatMap(([key, inner]) => equalitiesIn(inner, joinPath(path, key)));
    default:
      return [];
  }
}

/** Under an operator of the author's everything is a value already; elsewhere the whole is made one. */
export function sealCondition(template: Template): Template {
  if (template.kind === "constant" || template.kind === "text" || holdsOperators(template)) return template;
  return { kind: "equals", inner: template };
}

export function holdsOperators(template: Template): boolean {
  return template.kind === "object" && template.entries.some(([key]) => key.startsWith("$"));
}
