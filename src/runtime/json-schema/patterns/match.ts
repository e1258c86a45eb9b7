import { type Budget, spend } from "../budget.ts";
import { CLASS_STEPS, STATES_PER_UNIT } from "../limits.ts";
import type { Look, Program, State } from "./program.ts";
import type { Place } from "./tree.ts";

/** Where each look-around of a program holds: one byte for each place between two characters. */
type Tables = readonly Uint8Array[];

interface Threads {
  /** Indexes of states that wait for a character. */
  readonly waiting: number[];
  hasMatched: boolean;
}

/** Marks states that were reached at this place already; made once for each program. */
interface Seen {
  readonly marks: Int32Array;
  mark: number;
}

interface Scan {
  readonly program: Program;
  readonly text: string;
  readonly tables: Tables;
  readonly seen: Seen;
  readonly pending: number[];
  steps: number;
}

/** Whether the pattern is found anywhere in the text, in time that grows with the text alone. */
export function matches(program: Program, text: string, budget: Budget): boolean {
  const scan = createScan(program, text, budget);
  let threads: Threads = { waiting: [], hasMatched: false };
  for (let at = 0; ; ) {
    if (at === 0 || !program.isAnchored) follow(scan, program.start, at, threads);
    charge(scan, budget);
    if (threads.hasMatched) return true;
    if (at >= text.length || (program.isAnchored && threads.waiting.length === 0)) return false;
    const code = text.codePointAt(at) ?? 0;
    at += code > 0xffff ? 2 : 1;
    threads = step(scan, threads, code, at);
  }
}

/** Every place where a match of the body ends, having begun anywhere before it in the direction of reading. */
function findPlaces({ behind, program }: Look, text: string, budget: Budget): Uint8Array {
  const scan = createScan(program, text, budget);
  spend(budget, 1 + text.length / STATES_PER_UNIT);
  const table = new Uint8Array(text.length + 1);
  let threads: Threads = { waiting: [], hasMatched: false };
  for (let at = behind ? 0 : text.length; ; ) {
    follow(scan, program.start, at, threads);
    charge(scan, budget);
    if (threads.hasMatched) table[at] = 1;
    if (at === (behind ? text.length : 0)) return table;
    const code = (behind ? text.codePointAt(at) : codeBefore(text, at)) ?? 0;
    const width = code > 0xffff ? 2 : 1;
    at += behind ? width : -width;
    threads = step(scan, threads, code, at);
  }
}

const seenOf = new WeakMap<Program, Seen>();

function createScan(program: Program, text: string, budget: Budget): Scan {
  const tables = program.looks.map((look) => findPlaces(look, text, budget));
  const seen = seenOf.get(program) ?? { marks: new Int32Array(program.states.length), mark: 0 };
  seenOf.set(program, seen);
  beginPlace(seen);
  return { program, text, tables, seen, pending: [], steps: 2 };
}

function beginPlace(seen: Seen): void {
  seen.mark += 1;
  if (seen.mark < 0x7fffffff) return;
  seen.marks.fill(0);
  seen.mark = 1;
}

function charge(scan: Scan, budget: Budget): void {
  spend(budget, scan.steps / STATES_PER_UNIT);
  scan.steps = 1;
}

/** From all states that wait, over the character, to those that wait at the next place. */
function step(scan: Scan, { waiting }: Threads, code: number, at: number): Threads {
  beginPlace(scan.seen);
  const after: Threads = { waiting: [], hasMatched: false };
  const { states } = scan.program;
  scan.steps += waiting.length;
  for (const index of waiting) {
    const state = states[index];
    if (state?.op === "character") {
      if (state.code === code) follow(scan, state.next, at, after);
    } else if (state?.op === "set") {
      if (code > 0x7f && state.set.slowness > 0) scan.steps += CLASS_STEPS * state.set.slowness;
      if (state.set.has(code)) follow(scan, state.next, at, after);
    }
  }
  return after;
}

/** Adds the state, or those that it leads to without a character. */
function follow(scan: Scan, first: number, at: number, threads: Threads): void {
  const { seen, pending, program } = scan;
  pending.push(first);
  for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
    if (seen.marks[index] === seen.mark) continue;
    seen.marks[index] = seen.mark;
    scan.steps += 1;
    const state = program.states[index];
    if (state !== undefined) advance(scan, state, index, at, threads);
  }
}

function advance(scan: Scan, state: State, index: number, at: number, threads: Threads): void {
  const { pending } = scan;
  switch (state.op) {
    case "character":
    case "set":
      threads.waiting.push(index);
      return;
    case "split":
      pending.push(state.other, state.next);
      return;
    case "place":
      if (isAt(state.place, scan.text, at)) pending.push(state.next);
      return;
    case "look":
      if ((scan.tables[state.look]?.[at] === 1) !== state.negated) pending.push(state.next);
      return;
    case "match":
      threads.hasMatched = true;
  }
}

function isAt(place: Place, text: string, at: number): boolean {
  if (place === "start") return at === 0;
  if (place === "end") return at === text.length;
  const isEdge = isWord(text, at - 1) !== isWord(text, at);
  return isEdge === (place === "edge");
}

const WORD = /^\w$/;

function isWord(text: string, at: number): boolean {
  return at >= 0 && at < text.length && WORD.test(text.charAt(at));
}

function codeBefore(text: string, at: number): number {
  const last = text.charCodeAt(at - 1);
  if (last < 0xdc00 || last > 0xdfff || at < 2) return last;
  const code = text.codePointAt(at - 2) ?? last;
  return code > 0xffff ? code : last;
}
