import { SNIPPET_TOKENS } from "../limits.ts";
import { urlIdentity } from "../quality/urls.ts";
import { extractTerms, hiddenTerms, matchExpression, snippetAround } from "./index-terms.ts";
import type { IndexHit, IndexQuery, IndexWrite, IndexWriteOutcome } from "./search-index.ts";

export type SqlValue = string | number | null;
export type SqlRow = Readonly<Record<string, unknown>>;

/** One SQLite database, as a Durable Object has it. */
export interface Sql {
  run(statement: string, ...values: SqlValue[]): readonly SqlRow[];
  /** All of `work` or, when it throws, none of it. */
  transaction<T>(work: () => T): T;
}

/** What to do with a document too many. */
export interface IndexBounds {
  readonly maxDocuments: number;
  readonly whenFull: "refuse" | "forget_oldest";
}

/** The documents of one partition. Synchronous, so that no other call comes between its statements. */
export interface IndexStore {
  put(documents: readonly IndexWrite[], bounds: IndexBounds, nowMs: number): IndexWriteOutcome;
  remove(id: string): boolean;
  query(query: IndexQuery): IndexHit[];
}

/** `texts` holds what is searched under the rowid of its document; `hidden` is for `hiddenTerms`. */
const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS documents (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, identity TEXT NOT NULL UNIQUE,
    url TEXT NOT NULL, host TEXT NOT NULL, published_date TEXT, stored_at INTEGER NOT NULL)`,
  "CREATE INDEX IF NOT EXISTS documents_by_age ON documents (stored_at, n)",
  `CREATE VIRTUAL TABLE IF NOT EXISTS texts USING fts5 (
    title, content, hidden, tokenize = "unicode61 remove_diacritics 2")`,
];

/** A word in the title says four times what one in the text says; a pair of characters is half a word. */
const RANKING = "bm25(4.0, 1.0, 2.0)";

const ON_ANY_OF = (list: string) =>
  `EXISTS (SELECT 1 FROM json_each(${list}) WHERE host = value OR substr(host, -length(value) - 1) = '.' || value)`;

/** Ordering by `rank` sorts inside the index, so that snippets are cut for the rows that are shown alone. */
const QUERY = `SELECT id, url, published_date, title, iif(?4, content, snippet(texts, 1, '', '', '…', ${SNIPPET_TOKENS})) AS content
  FROM texts JOIN documents ON documents.n = texts.rowid
  WHERE texts MATCH ?1 AND rank MATCH '${RANKING}'
    AND (?2 = '[]' OR ${ON_ANY_OF("?2")}) AND NOT ${ON_ANY_OF("?3")}
  ORDER BY rank LIMIT ?5`;

export function createIndexStore(sql: Sql): IndexStore {
  // A partition that nobody wrote to gets no tables: a question must not cost its owner storage.
  let ready = sql.run("SELECT 1 FROM sqlite_master WHERE name = 'texts'").length > 0;
  const prepare = () => {
    if (!ready) for (const statement of SCHEMA) sql.run(statement);
    ready = true;
  };

  return {
    put(documents, bounds, nowMs) {
      prepare();
      try {
        const ids = sql.transaction(() => {
          const written = documents.map((document) => writeDocument(sql, document, nowMs));
          enforce(sql, bounds);
          return written;
        });
        return { ok: true, ids };
      } catch (error) {
        if (error instanceof IndexFull) return { ok: false, limit: bounds.maxDocuments };
        throw error;
      }
    },
    remove(id) {
      if (!ready) return false;
      return sql.transaction(() => removeWhere(sql, "id", id));
    },
    query({ text, includeDomains, excludeDomains, limit }) {
      const terms = extractTerms(text);
      const match = matchExpression(terms);
      if (!ready || match === null) return [];
      const whole = terms.grams.length > 0;
      const rows = sql.run(
        QUERY,
        match,
        JSON.stringify(includeDomains),
        JSON.stringify(excludeDomains),
        whole ? 1 : 0,
        limit,
      );
      return rows.map((row) => toHit(row, whole ? terms.grams : []));
    },
  };
}

/** Leaves the transaction; never leaves this file. */
class IndexFull extends Error {
  override readonly name = "IndexFull";
}

function writeDocument(sql: Sql, document: IndexWrite, nowMs: number): string {
  const identity = urlIdentity(document.url) ?? document.url;
  const [known] = sql.run("SELECT id FROM documents WHERE identity = ?1", identity);
  const id = document.id ?? (typeof known?.id === "string" ? known.id : document.newId);
  removeWhere(sql, "id", id);
  removeWhere(sql, "identity", identity);
  const [row] = sql.run(
    `INSERT INTO documents (id, identity, url, host, published_date, stored_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
      RETURNING n`,
    id,
    identity,
    document.url,
    new URL(document.url).hostname.replace(/\.$/, ""),
    document.publishedDate,
    nowMs,
  );
  const { title, content } = document;
  sql.run(
    "INSERT INTO texts (rowid, title, content, hidden) VALUES (?1, ?2, ?3, ?4)",
    Number(row?.n),
    title,
    content,
    hiddenTerms(`${title}\n${content}`),
  );
  return id;
}

function removeWhere(sql: Sql, column: "id" | "identity", value: string): boolean {
  const [row] = sql.run(`DELETE FROM documents WHERE ${column} = ?1 RETURNING n`, value);
  if (row === undefined) return false;
  sql.run("DELETE FROM texts WHERE rowid = ?1", Number(row.n));
  return true;
}

function enforce(sql: Sql, { maxDocuments, whenFull }: IndexBounds): void {
  const [row] = sql.run("SELECT count(*) AS count FROM documents");
  const excess = Number(row?.count ?? 0) - maxDocuments;
  if (excess <= 0) return;
  if (whenFull === "refuse") throw new IndexFull();
  const oldest = sql.run(
    "DELETE FROM documents WHERE n IN (SELECT n FROM documents ORDER BY stored_at, n LIMIT ?1) RETURNING n",
    excess,
  );
  for (const { n } of oldest) sql.run("DELETE FROM texts WHERE rowid = ?1", Number(n));
}

function toHit(row: SqlRow, grams: readonly string[]): IndexHit {
  const content = String(row.content);
  return {
    id: String(row.id),
    url: String(row.url),
    title: String(row.title),
    content: grams.length === 0 ? content : snippetAround(content, grams),
    publishedDate: row.published_date === null ? null : String(row.published_date),
  };
}
