/** How the store fails, until it is told otherwise. */
export type Fault =
  /** Everything as always, this much later. */
  | { readonly kind: "slow"; readonly ms: number }
  /** 500, or another status, and nothing is done. */
  | { readonly kind: "fail"; readonly status?: number }
  /** No answer ever comes. Nothing is done. */
  | { readonly kind: "hang" }
  /** The work is done and the connection is cut before the answer. */
  | { readonly kind: "drop" }
  /** Nothing is done, and this is answered. */
  | { readonly kind: "nonsense"; readonly body: string; readonly type?: string; readonly status?: number }
  /** The work is done, and what this makes of the answer is answered instead. */
  | { readonly kind: "lie"; readonly answer: (answer: readonly { result?: unknown; error?: string }[]) => unknown };

const HUGE_CHARS = 20_000_000;
const DEEP_CHARS = 2_000_000;

/** Answers that a store never gives, each of which some proxy or attacker has given. */
export const NONSENSE: Readonly<Record<string, Fault>> = {
  "a page of HTML": { kind: "nonsense", body: "<!doctype html><title>Sign in</title>", type: "text/html" },
  "nothing at all": { kind: "nonsense", body: "" },
  "half an answer": { kind: "nonsense", body: '[{"result":' },
  "a list of nothing": { kind: "nonsense", body: "[]" },
  "one answer for all": { kind: "nonsense", body: '{"result":"OK"}' },
  "an error under a status of success": { kind: "nonsense", body: '{"error":"ERR max daily request limit exceeded"}' },
  null: { kind: "nonsense", body: "null" },
  "a redirect": { kind: "nonsense", body: "", status: 302 },
  "no content": { kind: "nonsense", body: "", status: 204 },
  "bytes that are no UTF-8": { kind: "lie", answer: () => Buffer.from([0x5b, 0xff, 0xfe, 0x5d]) },
  "20 MB of brackets": { kind: "nonsense", body: "[".repeat(HUGE_CHARS) },
  "2 MB of lists in lists": { kind: "nonsense", body: "[".repeat(DEEP_CHARS) + "]".repeat(DEEP_CHARS) },
  "an answer too many": { kind: "lie", answer: (answers) => [...answers, { result: 1 }] },
  "an answer too few": { kind: "lie", answer: (answers) => answers.slice(1) },
  "numbers for answers": { kind: "lie", answer: (answers) => answers.map(() => 1) },
  "nulls for answers": { kind: "lie", answer: (answers) => answers.map(() => null) },
  "empty answers": { kind: "lie", answer: (answers) => answers.map(() => ({})) },
  "errors for answers": { kind: "lie", answer: (answers) => answers.map(() => ({ error: "ERR no" })) },
  "errors that are no text": { kind: "lie", answer: (answers) => answers.map(() => ({ error: { a: 1 } })) },
  "objects for results": { kind: "lie", answer: (answers) => answers.map(() => ({ result: { a: 1 } })) },
  "booleans for results": { kind: "lie", answer: (answers) => answers.map(() => ({ result: true })) },
  "huge numbers for results": { kind: "lie", answer: (answers) => answers.map(() => ({ result: 1e300 })) },
  "lists of texts for results": { kind: "lie", answer: (answers) => answers.map(() => ({ result: ["a", "b", "c"] })) },
  "scripts that are never known": {
    kind: "lie",
    answer: (answers) => answers.map(() => ({ error: "NOSCRIPT No matching script. Please use EVAL." })),
  },
};
