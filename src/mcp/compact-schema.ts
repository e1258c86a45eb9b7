import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";

/**
 * A JSON Schema in one line, for a model that shall write what it describes: `{a: string, b?: 1..100 = 20}`. Says less
 * than the schema: no patterns, no lengths.
 */
export function compactSchema(schema: JsonObject): string {
  return compact(schema, isJsonObject(schema.$defs) ? schema.$defs : {});
}

function compact(schema: Json | undefined, definitions: JsonObject): string {
  if (!isJsonObject(schema)) return "any";
  if (typeof schema.$ref === "string") return compact(definitions[schema.$ref.replace("#/$defs/", "")], definitions);
  if (Array.isArray(schema.enum)) return schema.enum.map((value: Json) => JSON.stringify(value)).join(" | ");
  if (Array.isArray(schema.anyOf)) return schema.anyOf.map((one: Json) => compact(one, definitions)).join(" | ");
  if (Array.isArray(schema.type)) return schema.type.join(" | ");
  if (schema.type === "array") return listOf(compact(schema.items, definitions));
  if (schema.type === "object") return compactObject(schema, definitions);
  const { type, minimum, maximum } = schema;
  if (type === "integer" && minimum !== undefined && maximum !== undefined) return `${minimum}..${maximum}`;
  return typeof type === "string" ? type : "any";
}

function listOf(item: string): string {
  return item.includes(" | ") ? `(${item})[]` : `${item}[]`;
}

function compactObject({ properties, required, additionalProperties }: JsonObject, definitions: JsonObject): string {
  if (!isJsonObject(properties)) {
    return isJsonObject(additionalProperties) ? `{[name]: ${compact(additionalProperties, definitions)}}` : "object";
  }
  const needed = Array.isArray(required) ? required : [];
  const fields = Object.entries(properties).map(([name, field]) => {
    const byDefault = isJsonObject(field) && field.default !== undefined ? ` = ${JSON.stringify(field.default)}` : "";
    return `${name}${needed.includes(name) ? "" : "?"}: ${compact(field, definitions)}${byDefault}`;
  });
  return `{${fields.join(", ")}}`;
}
