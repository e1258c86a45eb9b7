import * as z from "zod";
import type { FieldError } from "../../core/errors.ts";
import { isPrototypeKey, type Json, type JsonObject } from "../../core/json.ts";
import { anyJson } from "../config-schemas.ts";
import { TRANSFORM_MAX_FIELDS } from "../expressions/limits.ts";
import { EXPRESSION_MAX_CHARS } from "../limits.ts";
import { defineTool, fail, output } from "../tool.ts";

const expression = z.string().trim().min(1).max(EXPRESSION_MAX_CHARS);

/** A name is part of the path of its fault, and of references to the output. */
const fieldName = z
  .string()
  .regex(/^[^.[\]{}\s]{1,200}$/, "1 to 200 characters without blanks, dots or brackets")
  .refine((name) => !isPrototypeKey(name), "never the name of a field");

const fields = z
  .record(fieldName, expression)
  .refine((all) => Object.keys(all).length > 0, "at least one field")
  .refine((all) => Object.keys(all).length <= TRANSFORM_MAX_FIELDS, `at most ${TRANSFORM_MAX_FIELDS} fields`);

export const transformTool = defineTool({
  name: "transform",
  description:
    "Computes a value with CEL over the outputs of earlier steps: that of `expression`, or with `fields` an object " +
    "with the value of an expression per name. The page /docs/tools has the language of expressions.",
  config: z.strictObject({ expression: expression.optional(), fields: fields.optional() }),
  output: anyJson,
  expressions: ["expression", "fields"],
  check: checkOneOf,
  run({ fields }, { evaluate }) {
    if (fields === undefined) {
      const value = evaluate("expression");
      return value.ok ? output(value.value) : fail(`expression: ${value.error}`);
    }
    const entries: [string, Json][] = [];
    for (const name of Object.keys(fields)) {
      const value = evaluate(`fields.${name}`);
      if (!value.ok) return fail(`fields.${name}: ${value.error}`);
      entries.push([name, value.value]);
    }
    return output(Object.fromEntries(entries));
  },
});

function checkOneOf(config: JsonObject): readonly FieldError[] {
  const hasExpression = config.expression !== undefined;
  if (hasExpression !== (config.fields !== undefined)) return [];
  const message = "write either an expression or fields";
  return [{ path: hasExpression ? "fields" : "expression", message }];
}
