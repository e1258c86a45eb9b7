import type { CelFunction } from "./function.ts";
import { CONVERSIONS } from "./functions-conversions.ts";
import { ENCODING_FUNCTIONS } from "./functions-encodings.ts";
import { LIST_FUNCTIONS } from "./functions-lists.ts";
import { TEXT_FUNCTIONS } from "./functions-texts.ts";
import { TIME_FUNCTIONS } from "./functions-time.ts";

/**
 * All functions but the macros and `matches`, which need the syntax tree. The docs page is made of it. A name with a dot
 * is written as it is, and never behind a value.
 */
export const FUNCTIONS: Readonly<Record<string, CelFunction>> = {
  ...CONVERSIONS,
  ...TEXT_FUNCTIONS,
  ...ENCODING_FUNCTIONS,
  ...LIST_FUNCTIONS,
  ...TIME_FUNCTIONS,
};

/** What the compiler knows by itself, for the docs page. */
export const MACROS: readonly { readonly form: string; readonly does: string }[] = [
  { form: "has(a.b)", does: "Whether the field is there." },
  { form: "list.all(x, test)", does: "Whether the test holds for every item; over a map, for every key." },
  { form: "list.exists(x, test)", does: "Whether it holds for one or more." },
  { form: "list.exists_one(x, test)", does: "Whether it holds for exactly one." },
  { form: "list.filter(x, test)", does: "The items for which it holds." },
  { form: "list.map(x, value)", does: "A value for every item." },
  { form: "list.map(x, test, value)", does: "A value for every item for which the test holds." },
  { form: "cel.bind(x, value, expression)", does: "The expression, with a name for the value." },
  {
    form: "text.matches('pattern')",
    does: "Whether an RE2 pattern is found in the text. It is written out, never computed.",
  },
  { form: "a.?b, a[?key]", does: "An optional: absent where there is no such field." },
  { form: "optional.orValue(other)", does: "Its value, or else the other." },
  { form: "optional.or(optional)", does: "The first that is there." },
  { form: "optional.hasValue(), .value()", does: "Whether it is there; its value." },
  {
    form: "type(x) == string",
    does: "Also null_type, bool, int, double, bytes, list, map. Numbers of JSON are double.",
  },
  { form: 'steps["my-step"]', does: "The output of a step whose name is no CEL name." },
];
