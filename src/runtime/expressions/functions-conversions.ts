import { Fault, spendText } from "./faults.ts";
import type { CelFunction } from "./function.ts";
import { ROUND_MAX_DIGITS, SLOW_CALL_STEPS } from "./limits.ts";
import { intOf, wholeOf } from "./operators.ts";
import { durationText, timestampText } from "./time.ts";
import { isDuration, isNumber, isTimestamp, type Kind, type Value } from "./values.ts";

const NUMBER: readonly Kind[] = ["int", "double"];
const BOOLS: Readonly<Record<string, boolean>> = { true: true, false: false };
const INT = /^[+-]?\d{1,19}$/;
const DOUBLE = /^[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})([eE][+-]?\d{1,4})?$/;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

export const CONVERSIONS: Readonly<Record<string, CelFunction>> = {
  dyn: { takes: [null], gives: "dyn", form: "dyn(x)", does: "The same value.", run: ([value = null]) => value },
  bool: {
    takes: [["bool", "string"]],
    gives: "bool",
    form: "bool(x)",
    does: '"true" or "false" as a bool.',
    run([value = null]) {
      const known = typeof value === "string" && Object.hasOwn(BOOLS, value) ? BOOLS[value] : value;
      if (typeof known !== "boolean") throw new Fault('bool() takes "true" or "false"');
      return known;
    },
  },
  int: {
    takes: [[...NUMBER, "string", "timestamp"]],
    steps: SLOW_CALL_STEPS,
    gives: "int",
    form: "int(x)",
    does: "A whole number: a double without its fraction, a text of digits, a timestamp's seconds.",
    run: ([value = null]) => toInt(value),
  },
  double: {
    takes: [[...NUMBER, "string"]],
    steps: SLOW_CALL_STEPS,
    gives: "double",
    form: "double(x)",
    does: "A number with a fraction.",
    run([value = null]) {
      if (typeof value !== "string") return Number(value);
      if (!DOUBLE.test(value)) throw new Fault("double() takes a text that is a number");
      return Number(value);
    },
  },
  string: {
    takes: [["string", "bool", ...NUMBER, "bytes", "timestamp", "duration"]],
    steps: SLOW_CALL_STEPS,
    gives: "string",
    form: "string(x)",
    does: "A number, bool, timestamp, duration or UTF-8 bytes as text.",
    run([value = null], frame) {
      if (isTimestamp(value)) return timestampText(value);
      if (isDuration(value)) return durationText(value);
      if (!(value instanceof Uint8Array)) return String(value);
      spendText(frame, value.length);
      try {
        return decoder.decode(value);
      } catch {
        throw new Fault("string() takes bytes that are UTF-8");
      }
    },
  },
  bytes: {
    takes: [["string", "bytes"]],
    steps: SLOW_CALL_STEPS,
    gives: "bytes",
    form: "bytes(text)",
    does: "The text's bytes in UTF-8.",
    run([value = null], frame) {
      if (typeof value !== "string") return value;
      spendText(frame, value.length);
      return encoder.encode(value);
    },
  },
  abs: {
    takes: [NUMBER],
    gives: "dyn",
    form: "abs(n)",
    does: "Without its sign.",
    run: ([n = 0]) => (typeof n === "bigint" ? intOf(n < 0n ? -n : n) : Math.abs(Number(n))),
  },
  floor: {
    takes: [NUMBER],
    gives: "dyn",
    form: "floor(n)",
    does: "Rounded down.",
    run: ([n = 0]) => rounded(n, Math.floor),
  },
  ceil: {
    takes: [NUMBER],
    gives: "dyn",
    form: "ceil(n)",
    does: "Rounded up.",
    run: ([n = 0]) => rounded(n, Math.ceil),
  },
  round: {
    takes: [NUMBER, NUMBER],
    mayLack: 1,
    steps: SLOW_CALL_STEPS,
    gives: "dyn",
    form: "round(n), round(n, digits)",
    does: "To the nearest, halves away from zero; to so many digits after the point.",
    run([n = 0, digits = 0n]) {
      const places = wholeOf(digits);
      if (places < 0 || places > ROUND_MAX_DIGITS) throw new Fault(`round() takes 0 to ${ROUND_MAX_DIGITS} digits`);
      return rounded(n, (double) => roundTo(double, places));
    },
  },
};

function toInt(value: Value): bigint {
  if (typeof value === "bigint") return value;
  if (isTimestamp(value)) return BigInt(Math.floor(value.ms / 1_000));
  if (typeof value === "string") {
    if (!INT.test(value)) throw new Fault("int() takes a text of digits");
    return intOf(BigInt(value.replace("+", "")));
  }
  const double = Number(value);
  if (!Number.isFinite(double)) throw new Fault("int() takes a finite number");
  return intOf(BigInt(Math.trunc(double)));
}

function rounded(value: Value, round: (double: number) => number): Value {
  return isNumber(value) && typeof value === "number" ? round(value) : value;
}

/** By its decimal text, so that 1.005 to two digits is 1.01, as a person expects. */
function roundTo(value: number, digits: number): number {
  const [mantissa = "0", exponent = "0"] = String(Math.abs(value)).split("e");
  const shifted = Math.round(Number(`${mantissa}e${Number(exponent) + digits}`));
  const [back = "0", backExponent = "0"] = String(shifted).split("e");
  const result = Number(`${back}e${Number(backExponent) - digits}`);
  return Number.isFinite(result) ? Math.sign(value) * result : value;
}
