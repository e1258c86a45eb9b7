import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";
import { LIST_KEYWORDS, MAP_KEYWORDS, SCHEMA_KEYWORDS } from "../json-schema/json-schema.ts";

/** Asks MCP clients to send an argument as a header as well, and servers to compare the two. Ours look at no header. */
const HEADER_KEYWORD = "x-mcp-header";
/** Says what is inside a text; to us it is an annotation. */
const CONTENT_KEYWORD = "contentSchema";

/** The schema without that keyword, which in a wrong place makes clients drop the whole tool. Names and values stay. */
export function withoutHeaderKeyword<T extends Json>(schema: T): T;
export function withoutHeaderKeyword(schema: Json): Json {
  if (!isJsonObject(schema)) return schema;
  const kept = Object.entries(schema).filter(([keyword]) => keyword !== HEADER_KEYWORD);
  return Object.fromEntries(kept.map(([keyword, value]) => [keyword, innerWithout(keyword, value)]));
}

function innerWithout(keyword: string, value: Json): Json {
  if (SCHEMA_KEYWORDS.has(keyword) || keyword === CONTENT_KEYWORD) return withoutHeaderKeyword(value);
  if (LIST_KEYWORDS.has(keyword) && Array.isArray(value)) return value.map((part: Json) => withoutHeaderKeyword(part));
  if (MAP_KEYWORDS.has(keyword) && isJsonObject(value)) return mapValues(value);
  return value;
}

function mapValues(schemas: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, withoutHeaderKeyword(schema)]));
}
