import { expect, test } from "vitest";
import * as z from "zod";
import "../../../src/config/zod-settings.ts";

const anyOf = z.union([z.string(), z.number()]);

test.each<[z.ZodType, unknown, string]>([
  [z.string(), undefined, "required"],
  [z.array(z.string()), undefined, "required"],
  [anyOf, undefined, "required"],
  [z.json(), undefined, "required"],
  [z.enum(["draft", "deployed"]), undefined, "required: one of draft, deployed"],
  [z.string(), ["a"], "must be a string, not an array"],
  [z.string(), null, "must be a string, not null"],
  [z.int(), "5", "must be a number, not a string"],
  [z.int(), 1.5, "must be a whole number"],
  [z.number(), Number.NaN, "must be a number"],
  [z.boolean(), "true", "must be true or false, not a string"],
  [z.array(z.string()), {}, "must be an array, not an object"],
  [z.object({}), true, "must be an object, not a boolean"],
  [z.record(z.string(), z.string()), [], "must be an object, not an array"],
  [z.enum(["draft", "deployed"]), "s3cret", "must be one of draft, deployed"],
  [z.literal("2.0"), "1.0", "must be 2.0"],
  [z.string().min(1), "", "must hold at least 1 character"],
  [z.array(z.string()).max(2), ["a", "b", "c"], "must hold at most 2 items"],
  [z.int().min(1), 0, "must be at least 1"],
  [z.string().min(1, "must not be empty"), "", "must not be empty"],
])("%# an input that does not fit is told so in words", (schema, input, message) => {
  expect(schema.safeParse(input).error?.issues.map((issue) => issue.message)).toEqual([message]);
});
