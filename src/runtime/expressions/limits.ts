/** Of a syntax tree: a text of EXPRESSION_MAX_CHARS that a person can follow has fewer. */
export const EXPRESSION_MAX_NODES = 500;
/** Brackets and paths inside each other; each level is a few frames of the parser's stack. */
export const EXPRESSION_MAX_DEPTH = 32;
/** Of one list or map that is written out. */
export const EXPRESSION_MAX_ITEMS = 100;
export const EXPRESSION_MAX_ARGUMENTS = 8;
/**
 * Work of one evaluation, where a step is one node of the tree for one item: about 25 ms of an isolate that can do
 * nothing else meanwhile, and room for lists of 10,000 items.
 */
export const EVALUATION_MAX_STEPS = 500_000;
/** Making text costs memory as well: the budget ends after some 8 million characters. */
export const MADE_CHARS_PER_STEP = 16;
/** Reading text from one end to the other. */
export const READ_CHARS_PER_STEP = 64;
/** Reading JSON makes a value of every few characters, at worst. */
export const PARSED_CHARS_PER_STEP = 4;
/** Of a list or map that is written as JSON, for each part: it is looked at, counted and written. */
export const ENCODED_PART_STEPS = 4;
/** And for each key of a map: some 2 µs. */
export const ENCODED_KEY_STEPS = 20;
/** Searching compares the whole of what is searched for at every place, at worst: characters times characters. */
export const COMPARED_CHARS_PER_STEP = 512;
/** A pattern's instructions times the characters: at worst 25 ns each. */
export const MATCHED_STATES_PER_STEP = 4;
/** A fault inside `||`, `all` or `exists` costs an exception of some 7 µs. */
export const FAULT_STEPS = 60;
/** What any function costs, and one that reads or makes a time or a number. */
export const CALL_STEPS = 2;
export const SLOW_CALL_STEPS = 20;
/** A key of a map, listed: far slower than an item of a list. */
export const KEY_STEPS = 4;
/** Comparing lists and maps, for each. */
export const COMPARED_PART_STEPS = 3;
/** A pattern that a person can still check by eye. */
export const EXPRESSION_PATTERN_MAX_CHARS = 200;
/** Instructions of a compiled pattern; one for an e-mail address has some 15. */
export const EXPRESSION_PATTERN_MAX_SIZE = 256;
/** A hostile one of the length above takes some 15 ms to compile. */
export const EXPRESSION_MAX_PATTERNS = 4;
/** Classes such as \pL hold hundreds of ranges each, all of which are read when the pattern is compiled. */
export const EXPRESSION_PATTERN_MAX_CLASSES = 4;
/** A matcher remembers a state of some kilobytes per character, at worst; after this many it is made anew. */
export const PATTERN_MEMORY_CHARS = 1_024;
/** The parser remembers names of functions that it was asked for, and for as long as it lives. */
export const PARSER_MAX_TEXTS = 1_000;
/** Of the author's own text, in an error. */
export const QUOTE_MAX_CHARS = 60;
/** `round(x, digits)`: what a double can hold. */
export const ROUND_MAX_DIGITS = 15;
/** `duration("…")`: a longer one is none. */
export const DURATION_MAX_CHARS = 64;
/** Of `transform`: as many as an object has that a person writes by hand. */
export const TRANSFORM_MAX_FIELDS = 50;
