import { type Budget, spend } from "../budget.ts";
import { CLASS_STEPS, STATES_PER_UNIT } from "../limits.ts";
import { CHARACTER, LOOK, type Look, MATCH, PLACE, PLACES, type Program, SET, SPLIT } from "./program.ts";

/** Room for running a program, made once for each: a run ends before the next one of the same program begins. */
interface Room {
  /** The place at which a state was last reached, as a number that is another one for every place and run. */
  readonly reached: Int32Array;
  place: number;
  /** States that wait for a character, at this place and at the next. */
  waiting: Int32Array;
  following: Int32Array;
  /** Each state is pushed by at most two others. */
  readonly pending: Int32Array;
}

/** One run of a program over a text. */
interface Scan {
  readonly program: Program;
  readonly text: string;
  /** Where each look-around holds: one byte for each place between two characters. */
  readonly tables: readonly Uint8Array[];
  readonly room: Room;
  /** How many wait in `room.waiting`. */
  count: number;
  hasMatched: boolean;
  steps: number;
}

/** Whether the pattern is found anywhere in the text, in time that grows with the text alone. @throws Exhausted */
export function matches(program: Program, text: string, budget: Budget): boolean {
  const scan = createScan(program, text, budget);
  const { isAnchored, start } = program;
  reach(scan, start, 0, scan.room.waiting);
  for (let at = 0; ; ) {
    charge(scan, budget);
    if (scan.hasMatched) return true;
    if (at >= text.length || (isAnchored && scan.count === 0)) return false;
    const code = text.codePointAt(at) ?? 0;
    at += code > 0xffff ? 2 : 1;
    step(scan, code, at, !isAnchored);
  }
}

/** Every place where a match of the body ends, having begun anywhere before it in the direction of reading. */
function findPlaces({ behind, negated, program }: Look, text: string, budget: Budget): Uint8Array {
  const scan = createScan(program, text, budget);
  spend(budget, text.length);
  const table = new Uint8Array(text.length + 1).fill(negated ? 1 : 0);
  const last = behind ? text.length : 0;
  let at = text.length - last;
  reach(scan, program.start, at, scan.room.waiting);
  for (;;) {
    charge(scan, budget);
    if (scan.hasMatched) table[at] = negated ? 0 : 1;
    if (at === last) return table;
    const code = behind ? (text.codePointAt(at) ?? 0) : codeBefore(text, at);
    const width = code > 0xffff ? 2 : 1;
    at += behind ? width : -width;
    step(scan, code, at, true);
  }
}

const rooms = new WeakMap<Program, Room>();

function createScan(program: Program, text: string, budget: Budget): Scan {
  const tables = program.looks.map((look) => findPlaces(look, text, budget));
  const room = rooms.get(program) ?? createRoom(program.ops.length);
  rooms.set(program, room);
  beginPlace(room);
  return { program, text, tables, room, count: 0, hasMatched: false, steps: 2 * STATES_PER_UNIT };
}

function createRoom(states: number): Room {
  const lists = { waiting: new Int32Array(states), following: new Int32Array(states) };
  return { reached: new Int32Array(states), place: 0, ...lists, pending: new Int32Array(2 * states + 1) };
}

function beginPlace(room: Room): void {
  room.place += 1;
  if (room.place < 0x7fffffff) return;
  room.reached.fill(0);
  room.place = 1;
}

function charge(scan: Scan, budget: Budget): void {
  spend(budget, scan.steps / STATES_PER_UNIT);
  scan.steps = 1;
}

/** Takes all states that wait over the character, and starts anew if asked to. */
function step(scan: Scan, code: number, at: number, startsAnew: boolean): void {
  const { program, room, count } = scan;
  const { ops, args, nexts, sets } = program;
  const { waiting, following } = room;
  beginPlace(room);
  scan.count = 0;
  scan.hasMatched = false;
  scan.steps += count;
  for (let i = 0; i < count; i++) {
    const state = waiting[i] ?? 0;
    const arg = args[state] ?? 0;
    const isTaken = ops[state] === CHARACTER ? arg === code : hasCode(scan, sets[arg], code);
    if (isTaken) reach(scan, nexts[state] ?? 0, at, following);
  }
  if (startsAnew) reach(scan, program.start, at, following);
  room.waiting = following;
  room.following = waiting;
}

function hasCode(scan: Scan, set: Program["sets"][number] | undefined, code: number): boolean {
  if (set === undefined) return false;
  if (code > 0x7f) scan.steps += CLASS_STEPS * set.slowness;
  return set.has(code);
}

/** Adds the state to the list, or those that it leads to without a character. */
function reach(scan: Scan, first: number, at: number, list: Int32Array): void {
  const { reached, pending, place } = scan.room;
  const { ops, args, nexts } = scan.program;
  let waits = 0;
  pending[waits++] = first;
  while (waits > 0) {
    const state = pending[--waits] ?? 0;
    if (reached[state] === place) continue;
    reached[state] = place;
    scan.steps += 1;
    const op = ops[state];
    if (op === CHARACTER || op === SET) list[scan.count++] = state;
    else if (op === MATCH) scan.hasMatched = true;
    else if (op === SPLIT) {
      pending[waits++] = args[state] ?? 0;
      pending[waits++] = nexts[state] ?? 0;
    } else if (holds(scan, op, args[state] ?? 0, at)) pending[waits++] = nexts[state] ?? 0;
  }
}

function holds(scan: Scan, op: number | undefined, arg: number, at: number): boolean {
  if (op === LOOK) return scan.tables[arg]?.[at] === 1;
  return op === PLACE && isAt(arg, scan.text, at);
}

function isAt(index: number, text: string, at: number): boolean {
  const place = PLACES[index];
  if (place === "start") return at === 0;
  if (place === "end") return at === text.length;
  return (isWord(text, at - 1) !== isWord(text, at)) === (place === "edge");
}

const WORD = /^\w$/;

function isWord(text: string, at: number): boolean {
  return at >= 0 && at < text.length && WORD.test(text.charAt(at));
}

/** The code point that ends before the place. */
function codeBefore(text: string, at: number): number {
  const unit = text.charCodeAt(at - 1);
  const pair = at > 1 && unit >= 0xdc00 && unit <= 0xdfff ? (text.codePointAt(at - 2) ?? 0) : 0;
  return pair > 0xffff ? pair : unit;
}
