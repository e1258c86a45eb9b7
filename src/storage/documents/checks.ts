import type { FieldError } from "../../core/errors.ts";
import { pathFault } from "./paths.ts";

/** @throws TypeError naming the first fault: a caller's bug, see `Documents`. */
export function refuse(what: string, faults: readonly FieldError[]): void {
  const [first] = faults;
  if (first === undefined) return;
  throw new TypeError(`${[what, first.path].filter((part) => part !== "").join(" ")}: ${first.message}`);
}

/** @throws TypeError for what is no path of a unique field. */
export function refuseUniqueFields(fields: readonly string[]): void {
  for (const path of fields) {
    const message = pathFault(path) ?? (path.isWellFormed() ? null : "not valid Unicode");
    if (message !== null) refuse("unique", [{ path, message }]);
  }
}

/** @throws TypeError for what is no name of a top-level field. */
export function refuseFields(fields: readonly string[]): void {
  for (const name of fields) {
    const message = name.includes(".") ? "names a field at the top, without dots" : pathFault(name);
    if (message !== null) refuse("fields", [{ path: name, message }]);
  }
}

/** @throws TypeError */
export function refuseLimit(limit: number): void {
  if (!Number.isSafeInteger(limit) || limit < 1) throw new TypeError("limit: a whole number from 1 is needed");
}
