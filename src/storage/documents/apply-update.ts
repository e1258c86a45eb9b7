import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";
import type { Update } from "./documents.ts";
import { ARRAY_PADDING_MAX } from "./limits.ts";
import { type CompileFilter, isOneOf } from "./matcher.ts";
import { holdsOperators, type UpdateOperator } from "./operators.ts";
import { arrayIndex, isList } from "./paths.ts";
import { createWork, type Work } from "./work.ts";

/** An update and a document that do not fit each other, such as `$inc` of a text: MongoDB refuses these too. */
export class UpdateMisfit extends Error {
  override readonly name = "UpdateMisfit";
}

interface MutableObject {
  [key: string]: Json | Mutable;
}
type Mutable = MutableObject | (Json | Mutable)[];

interface Operation {
  readonly operator: UpdateOperator;
  readonly path: string;
  readonly operand: Json;
  /** Of `$pull`: whether an element goes. */
  readonly isPulled: (element: Json) => boolean;
}

/**
 * The document as the update leaves it; the given one stays as it was. Takes updates that passed `checkUpdate`.
 * `inserting` lets `$setOnInsert` act.
 * @throws UpdateMisfit, TooMuchWork
 */
export function applyUpdate(
  document: JsonObject,
  update: Update,
  inserting: boolean,
  compile: CompileFilter,
): JsonObject {
  return prepareUpdate(update, compile)(document, inserting);
}

/** An update that is to be applied to many documents: see `applyUpdate`. `work` counts what `$pull` looks at. */
export function prepareUpdate(
  update: Update,
  compile: CompileFilter,
  work: Work = createWork(),
): (document: JsonObject, inserting: boolean) => JsonObject {
  const operations = Object.entries(update).flatMap(([operator, fields]) =>
    Object.entries(isJsonObject(fields) ? fields : {}).map(([path, operand]): Operation => {
      const isPulled = operator === "$pull" ? compilePull(operand, compile, work) : () => false;
      return { operator: operator as UpdateOperator, path, operand, isPulled };
    }),
  );
  return (document, inserting) => {
    const changed = structuredClone(document) as MutableObject;
    for (const operation of operations) {
      if (inserting || operation.operator !== "$setOnInsert") applyOperation(changed, operation);
    }
    return changed as JsonObject;
  };
}

/** Sets a value at a dotted path, making the objects on the way. Changes `document`. */
export function setAtPath(document: JsonObject, path: string, value: Json): void {
  const place = findPlace(document as MutableObject, path, true);
  if (place !== null) write(place, structuredClone(value), path);
}

function applyOperation(document: MutableObject, operation: Operation): void {
  const { operator, path, operand, isPulled } = operation;
  const removes = operator === "$unset" || operator === "$pull";
  const place = findPlace(document, path, !removes);
  if (place === null) return;
  const current = read(place.container, place.key);
  switch (operator) {
    case "$set":
    case "$setOnInsert":
      write(place, structuredClone(operand), path);
      break;
    case "$inc":
      write(place, add(current, operand, path), path);
      break;
    case "$push":
      write(place, [...listAt(current, operator, path), structuredClone(operand)], path);
      break;
    case "$pull":
      if (current !== undefined) {
        const kept = listAt(current, operator, path).filter((element) => !isPulled(element));
        write(place, kept, path);
      }
      break;
    case "$unset":
      if (current !== undefined) unset(place);
  }
}

interface Place {
  readonly container: Mutable;
  readonly key: string;
}

/** The object or list that holds the last part of the path; null where there is none and none is to be made. */
function findPlace(document: MutableObject, path: string, create: boolean): Place | null {
  const segments = path.split(".");
  const last = segments.pop() ?? "";
  let container: Mutable = document;
  for (const key of segments) {
    let next = read(container, key);
    if (next === undefined) {
      if (!create) return null;
      next = {};
      write({ container, key }, next, path);
    }
    if (typeof next !== "object" || next === null) {
      if (create) throw new UpdateMisfit(`${path} leads through ${key}, which is neither an object nor a list`);
      return null;
    }
    container = next as Mutable;
  }
  if (Array.isArray(container) && arrayIndex(last) === null) {
    if (create) throw new UpdateMisfit(`${path} leads into a list, where only an index can follow`);
    return null;
  }
  return { container, key: last };
}

function read(container: Mutable, key: string): Json | Mutable | undefined {
  if (Array.isArray(container)) return container[arrayIndex(key) ?? container.length];
  return Object.hasOwn(container, key) ? container[key] : undefined;
}

function write(place: Place, value: Json | Mutable, path: string): void {
  const { container, key } = place;
  if (!Array.isArray(container)) {
    container[key] = value;
    return;
  }
  const index = arrayIndex(key);
  if (index === null) throw new UpdateMisfit(`${path} leads into a list, where only an index can follow`);
  if (index > container.length + ARRAY_PADDING_MAX) {
    throw new UpdateMisfit(`${path} lies more than ${ARRAY_PADDING_MAX} places behind the end of its list`);
  }
  while (container.length < index) container.push(null);
  container[index] = value;
}

/** In a list null takes the element's place, so that the others keep theirs. */
function unset({ container, key }: Place): void {
  if (Array.isArray(container)) container[arrayIndex(key) ?? 0] = null;
  else delete container[key];
}

function add(current: Json | Mutable | undefined, amount: Json, path: string): number {
  const start = current === undefined ? 0 : current;
  if (typeof start !== "number") throw new UpdateMisfit(`$inc needs a number at ${path}`);
  const sum = start + Number(amount);
  if (!Number.isFinite(sum)) throw new UpdateMisfit(`$inc leaves the range of numbers at ${path}`);
  return sum;
}

function listAt(current: Json | Mutable | undefined, operator: string, path: string): readonly Json[] {
  if (current === undefined) return [];
  if (!isList(current as Json)) throw new UpdateMisfit(`${operator} needs a list at ${path}`);
  return current as readonly Json[];
}

function compilePull(operand: Json, compile: CompileFilter, work: Work): (element: Json) => boolean {
  if (isJsonObject(operand) && !holdsOperators(operand)) {
    const matches = compile(operand, work);
    return (element) => isJsonObject(element) && matches(element);
  }
  if (holdsOperators(operand)) {
    const matches = compile({ element: operand }, work);
    return (element) => matches({ element });
  }
  const isEqual = isOneOf([operand], work);
  return (element) => isEqual(element);
}
