import type { Json } from "../../core/json.ts";
import { FAULT_QUOTE_MAX_CHARS } from "../limits.ts";

/** What data does wrong that does not satisfy the keyword. Quotes the schema, never the data. */
export function describe(keyword: string, value: Json | undefined): string {
  const told = bounded(quote(value), FAULT_QUOTE_MAX_CHARS);
  switch (keyword) {
    case "type":
      return `must be of type ${told}`;
    case "format":
      return `is not a valid ${told}`;
    case "minLength":
      return `must hold at least ${told} characters`;
    case "maxLength":
      return `must hold at most ${told} characters`;
    case "pattern":
      return `does not match the pattern ${told}`;
    case "enum":
      return `must be one of ${told}`;
    case "const":
      return `must be ${told}`;
    case "minimum":
      return `must be at least ${told}`;
    case "maximum":
      return `must be at most ${told}`;
    case "exclusiveMinimum":
      return `must be more than ${told}`;
    case "exclusiveMaximum":
      return `must be less than ${told}`;
    case "multipleOf":
      return `must be a multiple of ${told}`;
    case "minItems":
      return `must hold at least ${told} items`;
    case "maxItems":
      return `must hold at most ${told} items`;
    case "uniqueItems":
      return "must hold no item twice";
    case "minProperties":
      return `must have at least ${told} properties`;
    case "maxProperties":
      return `must have at most ${told} properties`;
    case "propertyNames":
      return "has a property with a name that is not allowed";
    case "false":
      return "is not allowed";
    default:
      return `does not satisfy ${keyword}`;
  }
}

function quote(value: Json | undefined): string {
  if (Array.isArray(value)) return (value as readonly Json[]).map(quote).join(", ");
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

export function bounded(text: string, maxChars: number): string {
  return text.length > maxChars ? `${text.slice(0, maxChars)}…` : text;
}
