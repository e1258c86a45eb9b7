/** What is known of every run, by the names that references and expressions begin with. */
const FIELDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["request", ["method", "headers", "query"]],
  ["run", ["id", "error"]],
  ["agent", ["id"]],
  ["owner", ["id"]],
]);

const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ["request.body", "; its body is the output of the input step"],
  ["request.params", "; what stands behind the ? is its query"],
]);

/** Why a path may not go on from a root with this; null where it may, which of steps nobody knows before a run. */
export function fieldFault(root: string, field: string | number | undefined): string | null {
  const known = FIELDS.get(root);
  if (known === undefined || field === undefined || known.includes(String(field))) return null;
  return `${root} has no ${field}: it has ${known.join(", ")}${ELSEWHERE.get(`${root}.${field}`) ?? ""}`;
}

/** A part of a path as it is held: of the request's headers in lower case, however it is written. */
export function heldName(root: string, before: readonly (string | number)[], name: string): string {
  const isHeader = root === "request" && before.length === 1 && before[0] === "headers";
  return isHeader ? name.toLowerCase() : name;
}
