import type { CharacterSet } from "./characters.ts";
import type { Place, Tree } from "./tree.ts";

/** A state of the machine that a pattern becomes; `next` and `other` are indexes of states. */
export type State =
  | { readonly op: "character"; readonly code: number; readonly next: number }
  | { readonly op: "set"; readonly set: CharacterSet; readonly next: number }
  | { readonly op: "split"; readonly next: number; other: number }
  | { readonly op: "place"; readonly place: Place; readonly next: number }
  | { readonly op: "look"; readonly look: number; readonly negated: boolean; readonly next: number }
  | { readonly op: "match" };

/** A look-around: whether its body matches is found for every place of a text at once. */
export interface Look {
  readonly behind: boolean;
  readonly program: Program;
}

export interface Program {
  readonly states: readonly State[];
  readonly start: number;
  readonly looks: readonly Look[];
  /** Matches only from the start of the text on. */
  readonly isAnchored: boolean;
}

interface Building {
  readonly states: State[];
  readonly looks: Look[];
  /** A repeated look-around is the same each time. */
  readonly indexes: Map<Tree, number>;
  /** Reads the text from its end to its start. */
  readonly isBackward: boolean;
}

/** Thompson's construction, from the last state to the first. Repetitions are written out: see `countStates`. */
export function buildProgram(tree: Tree, isBackward = false): Program {
  const building: Building = { states: [{ op: "match" }], looks: [], indexes: new Map(), isBackward };
  const start = build(tree, 0, building);
  const { states, looks } = building;
  return { states, start, looks, isAnchored: isAnchored(tree) };
}

/** Adds the states of the tree that go on to `next`, and tells the first of them. */
function build(tree: Tree, next: number, building: Building): number {
  switch (tree.kind) {
    case "character":
      return add(building, { op: "character", code: tree.code, next });
    case "set":
      return add(building, { op: "set", set: tree.set, next });
    case "place":
      return add(building, { op: "place", place: tree.place, next });
    case "sequence":
      return buildSequence(tree.parts, next, building);
    case "choice":
      return tree.options
        .map((option) => build(option, next, building))
        .reduceRight((other, first) => add(building, { op: "split", next: first, other }));
    case "repeat":
      return buildRepeat(tree, next, building);
    case "look":
      return buildLook(tree, next, building);
  }
}

function buildSequence(parts: readonly Tree[], next: number, building: Building): number {
  const ordered = building.isBackward ? parts : parts.toReversed();
  return ordered.reduce((following, part) => build(part, following, building), next);
}

function buildRepeat(tree: Tree & { readonly kind: "repeat" }, next: number, building: Building): number {
  const { body, min, max } = tree;
  if (max === 0) return next;
  let first = next;
  if (max === Number.POSITIVE_INFINITY) {
    const loop: State & { op: "split" } = { op: "split", next, other: 0 };
    const loopAt = add(building, loop);
    loop.other = build(body, loopAt, building);
    first = min === 0 ? loopAt : loop.other;
    for (let i = 1; i < min; i++) first = build(body, first, building);
    return first;
  }
  for (let i = min; i < max; i++)
    first = add(building, { op: "split", next: build(body, first, building), other: next });
  for (let i = 0; i < min; i++) first = build(body, first, building);
  return first;
}

/** What comes is found by reading backward: a place is good where a match that ends anywhere later begins. */
function buildLook(tree: Tree & { readonly kind: "look" }, next: number, building: Building): number {
  const { behind, negated, body } = tree;
  const index = building.indexes.get(tree) ?? building.looks.length;
  building.indexes.set(tree, index);
  building.looks[index] ??= { behind, program: buildProgram(body, !behind) };
  return add(building, { op: "look", look: index, negated, next });
}

function add({ states }: Building, state: State): number {
  return states.push(state) - 1;
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
