import { ENGLISH } from "./english.ts";
import * as european from "./european.ts";
import * as otherScripts from "./other-scripts.ts";
import type { Question } from "./questions.ts";

/** By language. */
export const CORPUS: Readonly<Record<string, readonly Question[]>> = { ENGLISH, ...european, ...otherScripts };
