import { isJsonObject, isPrototypeKey, type Json, type JsonObject } from "../../core/json.ts";
import { DOCUMENT_MAX_DEPTH } from "./limits.ts";
import type { Work } from "./work.ts";

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

/** Takes what stands at the end of a path; true ends the walk. `whole`: reached by its index, a list there is one value. */
type Visit = (value: Json | undefined, whole: boolean) => boolean;

/**
 * Whether a value at the path passes: the value itself or, where it is a list, one of its elements. A list on the way
 * is entered, by index and through each of its objects; `undefined` stands for a missing field, as MongoDB reads it.
 * @throws TooMuchWork
 */
export function someValueAt(
  document: JsonObject,
  path: string,
  test: (value: Json | undefined) => boolean,
  work: Work,
): boolean {
  const counted = (value: Json | undefined) => {
    work.spend(1);
    return test(value);
  };
  const visit: Visit = (value, whole) => counted(value) || (!whole && isList(value) && value.some(counted));
  return path.includes(".") ? visitLeaves(document, path, visit, work) : visit(own(document, path), false);
}

/**
 * Hands over the values under which an index holds the document, some of them twice: a list that is not empty counts
 * as its elements.
 * @throws TooMuchWork
 */
export function eachIndexedValue(
  document: JsonObject,
  path: string,
  use: (value: Json | undefined) => void,
  work: Work,
): void {
  let isEmpty = true;
  const take = (value: Json | undefined) => {
    work.spend(1);
    isEmpty = false;
    use(value);
  };
  const visit: Visit = (value, whole) => {
    if (isList(value) && value.length > 0 && !whole) value.forEach(take);
    else take(value);
    return false;
  };
  visitLeaves(document, path, visit, work);
  if (isEmpty) use(undefined);
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

interface Walk {
  readonly segments: readonly string[];
  readonly visit: Visit;
  readonly work: Work;
  /**
   * The lists that were entered at each segment. An element may be entered both by name and by index, so that lists in
   * lists are reached in many ways: without this the work would double at each level.
   */
  readonly entered: Set<readonly Json[]>[];
}

/** Whether a visit ended the walk. */
function visitLeaves(document: JsonObject, path: string, visit: Visit, work: Work): boolean {
  return enterObject(document, 0, { segments: path.split("."), visit, work, entered: [] });
}

function enterObject(object: JsonObject, at: number, walk: Walk): boolean {
  const { segments, visit } = walk;
  const value = own(object, segments[at] ?? "");
  if (at === segments.length - 1) return visit(value, false);
  if (isList(value)) return enterList(value, at + 1, walk);
  return isJsonObject(value) ? enterObject(value, at + 1, walk) : visit(undefined, false);
}

function enterList(list: readonly Json[], at: number, walk: Walk): boolean {
  const { segments, visit, work } = walk;
  if (wasEntered(list, at, walk)) return false;
  work.spend(list.length);
  for (const element of list) {
    if (isJsonObject(element) && enterObject(element, at, walk)) return true;
  }
  const element = list[arrayIndex(segments[at] ?? "") ?? list.length];
  if (element === undefined) return false;
  if (at === segments.length - 1) return visit(element, true);
  if (isList(element)) return enterList(element, at + 1, walk);
  return isJsonObject(element) && enterObject(element, at + 1, walk);
}

function wasEntered(list: readonly Json[], at: number, { entered }: Walk): boolean {
  let lists = entered[at];
  if (lists === undefined) {
    lists = new Set();
    entered[at] = lists;
  }
  if (lists.has(list)) return true;
  lists.add(list);
  return false;
}
