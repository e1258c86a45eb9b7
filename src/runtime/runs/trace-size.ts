import type { StepTrace } from "../contract.ts";
import { TRACE_CUT_ERROR_CHARS, TRACE_CUT_VALUE_CHARS, TRACE_STEPS_MAX_BYTES } from "./limits.ts";

const encoder = new TextEncoder();
/** No character takes more in UTF-8. */
const UTF8_BYTES_PER_UNIT_MAX = 3;

/**
 * The steps as JSON of at most `maxBytes`. Where they are longer, the longest inputs and outputs are cut first, then
 * errors; what is cut says so. Only a trace that is too long without any of them loses its last steps.
 */
export function writeSteps(steps: readonly StepTrace[], maxBytes = TRACE_STEPS_MAX_BYTES): string {
  const text = JSON.stringify(steps);
  if (fits(text, maxBytes)) return text;
  const withoutLongValues = JSON.stringify(cutValues(steps, sizeOf(text) - maxBytes));
  if (fits(withoutLongValues, maxBytes)) return withoutLongValues;
  const bare = steps.map((step) => ({
    ...step,
    input: null,
    output: null,
    error: step.error === null ? null : cutText(step.error, TRACE_CUT_ERROR_CHARS),
  }));
  return takeFitting(bare, maxBytes);
}

/** Cuts the longest values until `surplus` bytes are gone, or there is nothing left to cut. */
function cutValues(steps: readonly StepTrace[], surplus: number): readonly StepTrace[] {
  const cut = steps.map((step) => ({ ...step }));
  const values = cut
    .flatMap((step) => (["input", "output"] as const).map((field) => ({ step, field, text: textOf(step[field]) })))
    .map((value) => ({ ...value, bytes: sizeOf(value.text) }))
    .sort((a, b) => b.bytes - a.bytes);
  let left = surplus;
  for (const { step, field, text, bytes } of values) {
    if (left <= 0 || text.length <= TRACE_CUT_VALUE_CHARS) break;
    step[field] = `${cutText(text, TRACE_CUT_VALUE_CHARS)} [${bytes} bytes]`;
    left -= bytes - sizeOf(textOf(step[field]));
  }
  return cut;
}

function takeFitting(steps: readonly StepTrace[], maxBytes: number): string {
  const taken: string[] = [];
  let left = maxBytes - "[]".length;
  for (const step of steps) {
    const text = JSON.stringify(step);
    left -= sizeOf(text) + ",".length;
    if (left < 0) break;
    taken.push(text);
  }
  return `[${taken.join(",")}]`;
}

function cutText(text: string, chars: number): string {
  return text.length <= chars ? text : `${text.slice(0, chars).toWellFormed()}…`;
}

function textOf(value: unknown): string {
  return JSON.stringify(value) ?? "null";
}

function fits(text: string, maxBytes: number): boolean {
  return text.length * UTF8_BYTES_PER_UNIT_MAX <= maxBytes || sizeOf(text) <= maxBytes;
}

function sizeOf(text: string): number {
  return encoder.encode(text).length;
}
