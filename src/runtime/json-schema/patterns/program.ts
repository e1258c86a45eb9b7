import type { CharacterSet } from "./characters.ts";
import type { Place, Tree } from "./tree.ts";

/** What a state of the machine does. */
export const CHARACTER = 0;
export const SET = 1;
export const SPLIT = 2;
export const PLACE = 3;
export const LOOK = 4;
export const MATCH = 5;
type Op = typeof CHARACTER | typeof SET | typeof SPLIT | typeof PLACE | typeof LOOK | typeof MATCH;

/** What `PLACE` asks for. */
export const PLACES: readonly Place[] = ["start", "end", "edge", "inside"];

/** A look-around: whether its body matches is found for every place of a text at once. */
export interface Look {
  readonly behind: boolean;
  readonly negated: boolean;
  readonly program: Program;
}

/** The machine that a pattern becomes: `ops[i]`, `args[i]` and `nexts[i]` are of state i. */
export interface Program {
  readonly ops: Uint8Array;
  /** The code point, the index of a set, a place or a look-around, or the other state of a split. */
  readonly args: Int32Array;
  readonly nexts: Int32Array;
  readonly sets: readonly CharacterSet[];
  readonly looks: readonly Look[];
  readonly start: number;
  /** Matches only from the start of the text on. */
  readonly isAnchored: boolean;
}

interface Building {
  readonly ops: Op[];
  readonly args: number[];
  readonly nexts: number[];
  readonly sets: CharacterSet[];
  readonly looks: Look[];
  /** What is repeated is the same each time. */
  readonly setIndexes: Map<CharacterSet, number>;
  readonly lookIndexes: Map<Tree, number>;
  /** Reads the text from its end to its start. */
  readonly isBackward: boolean;
}

/** Thompson's construction, from the last state to the first. Repetitions are written out: see `countStates`. */
export function buildProgram(tree: Tree, isBackward = false): Program {
  const indexes = { setIndexes: new Map(), lookIndexes: new Map() };
  const building: Building = { ops: [], args: [], nexts: [], sets: [], looks: [], ...indexes, isBackward };
  const start = build(tree, add(building, MATCH, 0, 0), building);
  const { ops, args, nexts, sets, looks } = building;
  const states = { ops: Uint8Array.from(ops), args: Int32Array.from(args), nexts: Int32Array.from(nexts) };
  return { ...states, sets, looks, start, isAnchored: isAnchored(tree) };
}

/** Adds the states of the tree that go on to `next`, and tells the first of them. */
function build(tree: Tree, next: number, building: Building): number {
  switch (tree.kind) {
    case "character":
      return add(building, CHARACTER, tree.code, next);
    case "set":
      return add(building, SET, indexOf(tree.set, building.setIndexes, building.sets), next);
    case "place":
      return add(building, PLACE, PLACES.indexOf(tree.place), next);
    case "sequence":
      return buildSequence(tree.parts, next, building);
    case "choice":
      return tree.options
        .map((option) => build(option, next, building))
        .reduceRight((other, first) => add(building, SPLIT, other, first));
    case "repeat":
      return buildRepeat(tree, next, building);
    case "look":
      return buildLook(tree, next, building);
  }
}

function indexOf(set: CharacterSet, indexes: Map<CharacterSet, number>, sets: CharacterSet[]): number {
  const index = indexes.get(set) ?? sets.push(set) - 1;
  indexes.set(set, index);
  return index;
}

function buildSequence(parts: readonly Tree[], next: number, building: Building): number {
  const ordered = building.isBackward ? parts : parts.toReversed();
  return ordered.reduce((following, part) => build(part, following, building), next);
}

function buildRepeat(tree: Tree & { readonly kind: "repeat" }, next: number, building: Building): number {
  const { body, min, max } = tree;
  if (max === 0) return next;
  if (max === Number.POSITIVE_INFINITY) {
    const loop = add(building, SPLIT, next, next);
    const bodyAt = build(body, loop, building);
    building.args[loop] = bodyAt;
    return buildTimes(body, min - 1, min === 0 ? loop : bodyAt, building);
  }
  let first = next;
  for (let i = min; i < max; i++) first = add(building, SPLIT, next, build(body, first, building));
  return buildTimes(body, min, first, building);
}

function buildTimes(body: Tree, times: number, next: number, building: Building): number {
  let first = next;
  for (let i = 0; i < times; i++) first = build(body, first, building);
  return first;
}

/** What comes is found by reading backward: a place is good where a match that ends anywhere later begins. */
function buildLook(tree: Tree & { readonly kind: "look" }, next: number, building: Building): number {
  const { behind, negated, body } = tree;
  const index = building.lookIndexes.get(tree) ?? building.looks.length;
  building.lookIndexes.set(tree, index);
  building.looks[index] ??= { behind, negated, program: buildProgram(body, !behind) };
  return add(building, LOOK, index, next);
}

function add({ ops, args, nexts }: Building, op: Op, arg: number, next: number): number {
  args.push(arg);
  nexts.push(next);
  return ops.push(op) - 1;
}

function isAnchored(tree: Tree): boolean {
  switch (tree.kind) {
    case "place":
      return tree.place === "start";
    case "sequence":
      return tree.parts[0] !== undefined && isAnchored(tree.parts[0]);
    case "choice":
      return tree.options.every(isAnchored);
    default:
      return false;
  }
}
