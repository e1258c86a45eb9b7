import * as z from "zod";
import { describeFieldErrors } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import { anyJson, object } from "../config-schemas.ts";
import { joinPath } from "../graph/references.ts";
import { readSchema } from "../json-schema/json-schema.ts";
import { compileSchema, type ValidateData } from "../json-schema/json-schema-validator.ts";
import { isSpent, type RunWork, WORK_SPENT } from "../run-work.ts";
import { defineTool, fail, output, refuse, type ToolResult } from "../tool.ts";

export const inputValidationTool = defineTool({
  name: "inputValidation",
  description:
    "Checks data against a JSON Schema (draft 2020-12, formats included): the graph's input against its inputSchema " +
    "unless told otherwise. Bad data makes the run answer 400 with every fault by field. `data` that has no value is " +
    "checked as null: a schema that lets it be missing takes null.",
  config: z.strictObject({ schema: object.optional(), data: anyJson.optional() }),
  output: anyJson,
  literals: ["schema"],
  // Left out, the whole input would be checked instead, and its sender would choose what is taken for this part of it.
  nullWhenMissing: { data: "always" },
  check(config) {
    if (config.schema === undefined) return [];
    return readSchema(config.schema).faults.map(({ path, message }) => ({
      path: joinPath("schema", path),
      message,
    }));
  },
  run({ schema, data }, { input, inputSchema, run }) {
    const checked = data === undefined ? input : data;
    const { work } = run.family;
    const validate = compileSchema(schema ?? inputSchema);
    return validate instanceof Promise
      ? validate.then((ready) => check(checked, ready, work))
      : check(checked, validate, work);
  },
});

function check(data: Json, validate: ValidateData, work: RunWork): ToolResult {
  const errors = validate(data, work);
  if (isSpent(work)) return fail(WORK_SPENT);
  if (errors.length === 0) return output(data);
  return refuse({ code: "VALIDATION_FAILED", detail: describeFieldErrors(errors), errors });
}
