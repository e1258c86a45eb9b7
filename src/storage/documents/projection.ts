import { PLAIN_NAME } from "./plan.ts";

/** Reads some fields of stored documents in SQLite, which spares copying and parsing the rest of them. */
export interface Projection {
  /** To be selected beside `id`. */
  readonly columns: string;
  /** The document of these fields, as JSON. A field that the stored one lacks is not in it. */
  toBody(row: Readonly<Record<string, SqlStorageValue>>): string;
}

/** Null where a name needs quoting. */
export function createProjection(fields: readonly string[]): Projection | null {
  if (!fields.every((field) => PLAIN_NAME.test(field))) return null;
  const names = [...new Set(fields)].filter((field) => field !== "_id");
  return {
    // `->` gives a value as it stands in the JSON, and NULL where there is none.
    columns: names.map((name, i) => `, body -> '$.${name}' AS f${i}`).join(""),
    toBody(row) {
      let body = `{"_id":${JSON.stringify(row.id)}`;
      for (const [i, name] of names.entries()) {
        const value = row[`f${i}`];
        if (typeof value === "string") body += `,"${name}":${value}`;
      }
      return `${body}}`;
    },
  };
}
