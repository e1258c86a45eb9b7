import type { JsonObject } from "../../core/json.ts";
import type { Result } from "../../core/result.ts";
import type { DuplicateKey } from "./documents.ts";

/** How a database is made to keep unique fields unique. */
export interface Uniqueness {
  /** The fields that are unique. */
  fields(name: string): Promise<readonly string[]>;
  /** The fields that writes must be guarded for; empty where the database's own indexes do that. */
  guardedFields(name: string): Promise<readonly string[]>;
  /** Declares the fields from now on; where documents share a value already, names those fields and declares none. */
  declare(name: string, fields: readonly string[]): Promise<readonly string[]>;
  /** Runs a write that gives `document` its unique values, or says which of them another document has. */
  guard<T>(
    name: string,
    fields: readonly string[],
    document: JsonObject,
    write: () => Promise<Result<T, DuplicateKey>>,
  ): Promise<Result<T, DuplicateKey>>;
}
