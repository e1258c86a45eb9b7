import type { FieldError } from "../core/errors.ts";
import { TEXT_FAULTS_MAX } from "./limits.ts";

/**
 * Text that a JSON text can spell with `\u` and no store takes: half a surrogate pair anywhere, and NUL in a name. The
 * first TEXT_FAULTS_MAX, each with the path that leads to it.
 */
export function textFaults(value: unknown): readonly FieldError[] {
  const faults: FieldError[] = [];
  collectFaults(value, [], faults);
  return faults;
}

function collectFaults(value: unknown, at: readonly string[], faults: FieldError[]): void {
  if (faults.length >= TEXT_FAULTS_MAX) return;
  if (typeof value === "string" && !value.isWellFormed()) faults.push(faultAt(at, NOT_UNICODE));
  if (typeof value !== "object" || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    const here = [...at, name];
    const wrong = nameFault(name);
    if (wrong !== null) faults.push(faultAt(here, wrong));
    collectFaults(inner, here, faults);
  }
}

const NOT_UNICODE = "not valid Unicode";

function nameFault(name: string): string | null {
  if (name.includes("\0")) return "a field's name has no NUL";
  return name.isWellFormed() ? null : NOT_UNICODE;
}

/** The answer is JSON of its own, which strict readers refuse where it spells half a pair. */
function faultAt(path: readonly string[], message: string): FieldError {
  return { path: path.join(".").toWellFormed(), message };
}
