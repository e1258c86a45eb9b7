import * as z from "zod";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { pathFault } from "../storage/documents/paths.ts";
import { FIELD_PATH_MAX_CHARS, FIELDS_MAX } from "./limits.ts";

/** Pieces of the tools' configs. Values are JSON already when they get here, so that only their form is checked. */

export const object = z.custom<JsonObject>(isJsonObject, "an object is needed");

export const anyJson = z.custom<Json>((value) => value !== undefined, "a value is needed");

export const collectionName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/, "1 to 64 letters, digits or _, starting with a letter");

/** The dotted path of a field. */
export const fieldPath = z
  .string()
  .max(FIELD_PATH_MAX_CHARS)
  .refine((path) => pathFault(path) === null, "the path of a field, such as email or address.city");

export const fieldPaths = z.array(fieldPath).max(FIELDS_MAX);
