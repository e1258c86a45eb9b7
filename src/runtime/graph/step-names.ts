/** Words that are none of a step's in CEL, as its grammar has them. */
const WORDS: ReadonlySet<string> = new Set(
  (
    "as break const continue else false for function if import in let loop namespace null package return true var " +
    "void while"
  ).split(" "),
);

/** Of these, those that are values: an expression that means a step by them is right, and says something else. */
const VALUES: ReadonlySet<string> = new Set(["false", "null", "true"]);

/** What an expression calls a step whose id is no CEL name. */
export function writtenStep(id: string): string {
  return `steps["${id}"]`;
}

/** Steps that a text names as CEL cannot: as `my-step`, or by a word of CEL's own. */
export function misnamedSteps(text: string, toolIds: ReadonlySet<string>): readonly string[] {
  return [...toolIds].filter((id) => (id.includes("-") || WORDS.has(id)) && standsBare(text, id));
}

/** Of the misnamed ones, those that CEL takes for values. */
export function isValueWord(id: string): boolean {
  return VALUES.has(id);
}

/** Not as a part of a longer name, a field or a text of its own. An id holds no character that a pattern would read. */
function standsBare(text: string, id: string): boolean {
  return new RegExp(`(?<![\\w"'-]|(?<!\\bsteps)\\.)${id}(?![\\w"'-])`).test(text);
}
