import type { FieldError } from "../../core/errors.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import { type RunWork, roomFor } from "../run-work.ts";
import { readSchema } from "./json-schema.ts";
import { WORK_PER_STEP } from "./limits.ts";

/**
 * Every fault of the data by field, at most INPUT_FAULTS_MAX; one of the whole where checking would take too much work.
 * Messages quote the schema, never the data. What it takes is taken of `work`: where that is spent, it was broken off.
 */
export type ValidateData = (data: Json, work: RunWork) => readonly FieldError[];

const compiled = new WeakMap<JsonObject, ValidateData>();

/** Compiles a schema that `readSchema` found no fault in; the same object is compiled once, and is there at once then. */
export function compileSchema(schema: JsonObject): ValidateData | Promise<ValidateData> {
  return compiled.get(schema) ?? compile(schema);
}

async function compile(schema: JsonObject): Promise<ValidateData> {
  const { createEvaluator } = await import("./evaluator.ts");
  const read = readSchema(schema);
  const [fault] = read.faults;
  // Applied in part, it would let through what its author means to refuse.
  if (fault !== undefined) throw new Error(`the schema is not right: ${fault.path} ${fault.message}`);
  const evaluate = createEvaluator(read);
  const validate: ValidateData = (data, work) => {
    const done = evaluate(data, roomFor(work, Number.POSITIVE_INFINITY) * WORK_PER_STEP);
    work.left -= done.work / WORK_PER_STEP;
    return done.faults;
  };
  compiled.set(schema, validate);
  return validate;
}
