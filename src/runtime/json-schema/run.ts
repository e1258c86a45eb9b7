import type { FieldError } from "../../core/errors.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import { FAULT_PATH_MAX_CHARS, INPUT_FAULTS_MAX } from "../limits.ts";
import { type Budget, Exhausted, spend } from "./budget.ts";
import { SCHEMA_MAX_NESTING } from "./limits.ts";
import type { Marks } from "./marks.ts";
import { bounded } from "./messages.ts";

/** A list or an object of the data. */
export type Container = readonly Json[] | { readonly [key: string]: Json };

/** One evaluation of a schema. */
export interface Run extends Budget {
  /** Schemas that are being applied inside each other. */
  nesting: number;
  /** By the number of a schema: whether values are valid by it. */
  readonly verdicts: Map<Container, boolean>[];
  /** The same, with what it said of properties and items. */
  readonly annotated: Map<Container, Annotated>[];
  /** By path and message, each once. */
  readonly faults: Map<string, FieldError>;
  /** Schema numbers with paths whose faults are told already. */
  readonly explained: Set<string>;
}

interface Annotated {
  readonly isValid: boolean;
  readonly marks: Marks;
}

/** Where a value is in the data, from the value up; null for the whole. */
export interface Place {
  readonly parent: Place | null;
  readonly key: string | number;
}

/** As many faults are told as anybody will read. */
export class EnoughFaults extends Error {
  override readonly name = "EnoughFaults";
}

/** A name of a property that no text can hold. */
export class IllFormedName extends Error {
  override readonly name = "IllFormedName";
}

export function createRun(work: number): Run {
  const known = { verdicts: [], annotated: [], faults: new Map(), explained: new Set<string>() };
  return { left: work, nesting: 0, ...known };
}

/** To be paired with `run.nesting -= 1`, unless the evaluation ends. @throws Exhausted */
export function enter(run: Run, work: number): void {
  run.nesting += 1;
  run.left -= work;
  if (run.left < 0 || run.nesting > SCHEMA_MAX_NESTING) throw new Exhausted("the work is too much");
}

export function pathOf(place: Place | null): string {
  const keys: (string | number)[] = [];
  for (let at = place; at !== null; at = at.parent) keys.push(at.key);
  return keys.reverse().join(".");
}

/** @throws EnoughFaults once there are INPUT_FAULTS_MAX of them. */
export function report(run: Run, place: Place | null, message: string): void {
  const path = bounded(pathOf(place), FAULT_PATH_MAX_CHARS);
  run.faults.set(`${path}\n${message}`, { path, message });
  if (run.faults.size >= INPUT_FAULTS_MAX) throw new EnoughFaults("as many faults as are told");
}

export function isContainer(value: Json): value is Container {
  return typeof value === "object" && value !== null;
}

/** The names of an object's properties. @throws IllFormedName where one is half of a surrogate pair. */
export function keysOf(value: Json, run: Run): readonly string[] {
  const keys = Object.keys(value as JsonObject);
  spend(run, keys.length);
  if (!keys.every((key) => key.isWellFormed())) throw new IllFormedName("a name is not valid Unicode");
  return keys;
}
