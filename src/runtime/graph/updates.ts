import type { FieldError } from "../../core/errors.ts";
import { holdsOperators, sealCondition } from "./filters.ts";
import { joinPath, type Template } from "./references.ts";

const WRITTEN_HERE = "is written as an object here: a reference would let a caller choose the fields that change";

/**
 * Makes an update's template safe: which fields change, and how, is what its author wrote; references bring in values.
 * Under `$pull` a referenced value becomes `{ $eq: value }`, to be compared and never read as a condition.
 */
export function sealUpdate(template: Template, path: string, faults: FieldError[]): Template {
  return sealEntries(template, path, faults, (operator, fields) => {
    const here = joinPath(path, operator);
    const sealOperand = operator === "$pull" ? sealPulled : asItIs;
    return sealEntries(fields, here, faults, (_field, operand) => sealOperand(operand));
  });
}

function sealEntries(
  template: Template,
  path: string,
  faults: FieldError[],
  seal: (key: string, inner: Template) => Template,
): Template {
  if (template.kind === "constant") return template;
  if (template.kind === "object") {
    return { kind: "object", entries: template.entries.map(([key, inner]) => [key, seal(key, inner)] as const) };
  }
  faults.push({ path, message: WRITTEN_HERE });
  return template;
}

function asItIs(operand: Template): Template {
  return operand;
}

/** A value, operators of the author's, or a filter of the author's over the elements. */
function sealPulled(operand: Template): Template {
  if (operand.kind !== "object" || holdsOperators(operand)) return sealCondition(operand);
  return { kind: "object", entries: operand.entries.map(([field, inner]) => [field, sealCondition(inner)] as const) };
}
