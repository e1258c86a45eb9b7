import * as z from "zod";
import type { FieldError } from "../../core/errors.ts";
import { isPrototypeKey, type Json, type JsonObject } from "../../core/json.ts";
import { anyJson } from "../config-schemas.ts";
import { TRANSFORM_MAX_FIELDS } from "../expressions/limits.ts";
import { EXPRESSION_MAX_CHARS } from "../limits.ts";
import { isBreakDue, takeBreak } from "../run-work.ts";
import { defineTool, fail, output, type StepContext, type ToolResult } from "../tool.ts";

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
  run({ fields }, context) {
    if (fields !== undefined) return computeFields(Object.keys(fields), [], context);
    const value = context.evaluate("expression");
    return value.ok ? output(value.value) : fail(`expression: ${value.error}`);
  },
});

/** Goes on behind those that are computed. Comes later where fields are so much work that others are served in between. */
function computeFields(
  names: readonly string[],
  computed: [string, Json][],
  context: StepContext,
): ToolResult | Promise<ToolResult> {
  for (const name of names.slice(computed.length)) {
    const value = context.evaluate(`fields.${name}`);
    if (!value.ok) return fail(`fields.${name}: ${value.error}`);
    computed.push([name, value.value]);
    if (isBreakDue(context.run.family.work)) return breakAndCompute(names, computed, context);
  }
  return output(Object.fromEntries(computed));
}

async function breakAndCompute(
  names: readonly string[],
  computed: [string, Json][],
  context: StepContext,
): Promise<ToolResult> {
  const { work } = context.run.family;
  while (isBreakDue(work)) await takeBreak(work, context.services.clock);
  return computeFields(names, computed, context);
}

function checkOneOf(config: JsonObject): readonly FieldError[] {
  const hasExpression = config.expression !== undefined;
  if (hasExpression !== (config.fields !== undefined)) return [];
  const message = "write either an expression or fields";
  return [{ path: hasExpression ? "fields" : "expression", message }];
}
