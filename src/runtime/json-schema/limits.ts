/**
 * Work of one evaluation, where a unit is one keyword, item, property or state of a pattern looked at: some 30 to 60 ms of
 * an isolate that can do nothing else meanwhile, and room for 100,000 values under an ordinary schema.
 */
export const SCHEMA_MAX_WORK = 2_000_000;
/** Of an expression, as a run counts them: some 25 ns against some 50. */
export const WORK_PER_STEP = 2;
/** Schemas applied inside each other: each takes up to some kilobyte of the stack, and data nests at most 128 levels. */
export const SCHEMA_MAX_NESTING = 500;
/** Schemas inside one schema: a large OpenAPI document has some thousands. */
export const SCHEMA_MAX_NODES = 10_000;
/** Keeping and finding what is known of a schema and a value. */
export const MEMO_WORK = 6;
/** Reading text from one end to the other. */
export const READ_CHARS_PER_UNIT = 8;
/** A key of an object that is sorted and written. */
export const KEY_WORK = 6;
/** Dividing decimals exactly; one more for each digit that lies between them. */
export const DECIMAL_WORK = 40;
/** Keeping which parts of a value were looked at. */
export const MARKS_WORK = 8;
export const FORMAT_WORK = 20;
/** Reading one character of a regular expression that is data. */
export const PARSE_WORK = 20;
/** Writing a part of a list or an object, to compare it with others. */
export const WRITE_WORK = 4;
/** Groups inside each other: each is a few frames of the parser's stack. */
export const PATTERN_MAX_DEPTH = 100;
/** States of one pattern with its repetitions written out: `^.{1,2000}$` has 2,003. */
export const PATTERN_MAX_STATES = 5_000;
/** Of all patterns of a schema. */
export const SCHEMA_MAX_STATES = 50_000;
/** A step from one state to the next is cheaper than a keyword. */
export const STATES_PER_UNIT = 2;
/** Asking the platform for the class of one character outside ASCII. */
export const CLASS_STEPS = 20;
