import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";
import type { Graph, ToolSpec } from "../contract.ts";

/** A tool's structured answer is always an object: another body travels as this property. */
const WRAPPED = "result";

export type ObjectSchema = JsonObject & { readonly type: "object" };

/**
 * What an agent's answers look like, as far as its graph says: where one step answers, always, and with an object,
 * that object's properties. Of any type, and none of them required: values come from runs, and a refusal has others.
 */
export function answerSchema({ tools }: Pick<Graph, "tools">): ObjectSchema {
  const answering = tools.filter((tool) => tool.name === "response");
  const [only] = answering;
  const body = answering.length === 1 && only !== undefined && isAlwaysRun(only) ? only.config.body : undefined;
  if (!isJsonObject(body)) return { type: "object" };
  return { type: "object", properties: Object.fromEntries(Object.keys(body).map((name) => [name, {}])) };
}

function isAlwaysRun({ when, onError }: ToolSpec): boolean {
  return when === undefined && (onError === undefined || onError === "fail");
}

/** Matches `answerSchema` whatever the body is. */
export function structuredBody(body: Json | undefined): JsonObject {
  return isJsonObject(body) ? body : { [WRAPPED]: body ?? null };
}
