import { isJsonObject, isPrototypeKey, type Json, type JsonObject } from "../../core/json.ts";
import { DOCUMENT_MAX_DEPTH } from "./limits.ts";

/** Why a dotted path is refused, or null. */
export function pathFault(path: string): string | null {
  const segments = path.split(".");
  if (segments.length > DOCUMENT_MAX_DEPTH) return `a path has at most ${DOCUMENT_MAX_DEPTH} parts`;
  for (const segment of segments) {
    if (segment === "") return "a path has no empty part";
    if (segment.startsWith("$")) return "a path has no part that starts with $";
    if (segment.includes("\0")) return "a path has no NUL";
    if (isPrototypeKey(segment)) return `${segment} is never a path`;
  }
  return null;
}

/** What stands at the end of a path. `whole`: reached by its array index, so a list there is not looked into. */
interface Leaf {
  readonly value: Json | undefined;
  readonly whole: boolean;
}

/**
 * Whether a value at the path passes: the value itself or, where it is a list, one of its elements. A list on the way
 * is entered, by index and through each of its objects; `undefined` stands for a missing field, as MongoDB reads it.
 */
export function someValueAt(document: JsonObject, path: string, test: (value: Json | undefined) => boolean): boolean {
  if (!path.includes(".")) return testLeaf({ value: own(document, path), whole: false }, test);
  return leavesAt(document, path).some((leaf) => testLeaf(leaf, test));
}

/** The values under which an index holds the document: a list that is not empty counts as its elements. */
export function indexedValuesAt(document: JsonObject, path: string): readonly (Json | undefined)[] {
  const values: (Json | undefined)[] = [];
  for (const { value, whole } of leavesAt(document, path)) {
    if (isList(value) && value.length > 0 && !whole) values.push(...value);
    else values.push(value);
  }
  return values.length === 0 ? [undefined] : values;
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** The array index that a segment names, or null. */
export function arrayIndex(segment: string): number | null {
  return /^(0|[1-9]\d{0,8})$/.test(segment) ? Number(segment) : null;
}

export function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function testLeaf(leaf: Leaf, test: (value: Json | undefined) => boolean): boolean {
  return test(leaf.value) || (!leaf.whole && isList(leaf.value) && leaf.value.some((element) => test(element)));
}

function leavesAt(document: JsonObject, path: string): readonly Leaf[] {
  const leaves: Leaf[] = [];
  collectFromObject(document, path.split("."), 0, leaves);
  return leaves;
}

function collectFromObject(object: JsonObject, segments: readonly string[], at: number, leaves: Leaf[]): void {
  const value = own(object, segments[at] ?? "");
  if (at === segments.length - 1) leaves.push({ value, whole: false });
  else if (isList(value)) collectFromList(value, segments, at + 1, leaves);
  else if (isJsonObject(value)) collectFromObject(value, segments, at + 1, leaves);
  else leaves.push({ value: undefined, whole: false });
}

function collectFromList(list: readonly Json[], segments: readonly string[], at: number, leaves: Leaf[]): void {
  for (const element of list) {
    if (isJsonObject(element)) collectFromObject(element, segments, at, leaves);
  }
  const element = list[arrayIndex(segments[at] ?? "") ?? list.length];
  if (element === undefined) return;
  if (at === segments.length - 1) leaves.push({ value: element, whole: true });
  else if (isList(element)) collectFromList(element, segments, at + 1, leaves);
  else if (isJsonObject(element)) collectFromObject(element, segments, at + 1, leaves);
}
