import { isPrototypeKey } from "../../core/json.ts";
import { Fault, type Frame, spend, spendText } from "./faults.ts";
import { COMPARED_PART_STEPS, KEY_STEPS, READ_CHARS_PER_STEP } from "./limits.ts";
import { durationOf, timestampOf } from "./time.ts";
import {
  type Dict,
  isDict,
  isDuration,
  isList,
  isNumber,
  isOptional,
  isTimestamp,
  kindOf,
  type StaticKind,
  type Value,
} from "./values.ts";

const INT_MAX = 2n ** 63n - 1n;
export const INT_MIN = -(2n ** 63n);

export function intOf(value: bigint): bigint {
  if (value > INT_MAX || value < INT_MIN) throw new Fault("the int is beyond 64 bits");
  return value;
}

export type Arithmetic = "+" | "-" | "*" | "/" | "%";

/** int with int stays int; with a double in it, as every number of JSON is, the result is a double. */
export function calculate(op: Arithmetic, a: Value, b: Value, frame: Frame): Value {
  if (isNumber(a) && isNumber(b)) {
    return typeof a === "bigint" && typeof b === "bigint" ? ofInts(op, a, b) : ofDoubles(op, Number(a), Number(b));
  }
  const result = op === "+" ? join(a, b, frame) : undefined;
  const found = result ?? (op === "+" || op === "-" ? ofTimes(op, a, b) : undefined);
  if (found === undefined) throw new Fault(`${op} does not take ${kindOf(a)} and ${kindOf(b)}`);
  return found;
}

function ofInts(op: Arithmetic, a: bigint, b: bigint): bigint {
  if (b === 0n && (op === "/" || op === "%")) throw new Fault("division by zero");
  switch (op) {
    case "+":
      return intOf(a + b);
    case "-":
      return intOf(a - b);
    case "*":
      return intOf(a * b);
    case "/":
      return intOf(a / b);
    case "%":
      return a % b;
  }
}

function ofDoubles(op: Arithmetic, a: number, b: number): number {
  if (b === 0 && (op === "/" || op === "%")) throw new Fault("division by zero");
  switch (op) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
    case "%":
      return a % b;
  }
}

function join(a: Value, b: Value, frame: Frame): Value | undefined {
  if (typeof a === "string" && typeof b === "string") {
    spendText(frame, a.length + b.length);
    return a + b;
  }
  if (isList(a) && isList(b)) {
    spend(frame, a.length + b.length);
    return [...a, ...b];
  }
  if (!(a instanceof Uint8Array && b instanceof Uint8Array)) return undefined;
  spendText(frame, a.length + b.length);
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

const NANOS_PER_MS = 1_000_000n;

function ofTimes(op: "+" | "-", a: Value, b: Value): Value | undefined {
  const sign = op === "+" ? 1n : -1n;
  if (isDuration(a) && isDuration(b)) return durationOf(a.nanos + sign * b.nanos);
  if (isTimestamp(a) && isDuration(b)) return timestampOf(a.ms + Number((sign * b.nanos) / NANOS_PER_MS));
  if (op === "+" && isDuration(a) && isTimestamp(b)) return timestampOf(b.ms + Number(a.nanos / NANOS_PER_MS));
  if (op === "-" && isTimestamp(a) && isTimestamp(b)) return durationOf(BigInt(a.ms - b.ms) * NANOS_PER_MS);
  return undefined;
}

export type Order = "<" | "<=" | ">" | ">=";

export function compare(op: Order, a: Value, b: Value, frame: Frame): boolean {
  if (isNumber(a) && isNumber(b)) return holds(op, a, b);
  if (typeof a === "string" && typeof b === "string") {
    spend(frame, Math.min(a.length, b.length) / READ_CHARS_PER_STEP);
    return holds(op, a, b);
  }
  if (typeof a === "boolean" && typeof b === "boolean") return holds(op, Number(a), Number(b));
  if (isTimestamp(a) && isTimestamp(b)) return holds(op, a.ms, b.ms);
  if (isDuration(a) && isDuration(b)) return holds(op, a.nanos, b.nanos);
  throw new Fault(`${op} does not take ${kindOf(a)} and ${kindOf(b)}`);
}

function holds<T extends number | bigint | string>(op: Order, a: T, b: T): boolean {
  switch (op) {
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
  }
}

/** Numbers by their value, whatever their kind; values of different kinds are never equal. */
export function equals(a: Value, b: Value, frame: Frame): boolean {
  spend(frame, 1);
  // An int and a double are compared exactly by these operators.
  if (isNumber(a) && isNumber(b)) return a <= b && a >= b;
  if (typeof a === "string" && typeof b === "string") {
    if (a.length === b.length) spend(frame, a.length / READ_CHARS_PER_STEP);
    return a === b;
  }
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  spend(frame, COMPARED_PART_STEPS);
  if (isList(a)) {
    return isList(b) && a.length === b.length && a.every((item, i) => equalsDefined(item, b[i], frame));
  }
  if (kindOf(a) !== kindOf(b)) return false;
  if (isDict(a)) return isDict(b) && dictsEqual(a, b, frame);
  return scalarsEqual(a, b, frame);
}

function equalsDefined(a: Value | undefined, b: Value | undefined, frame: Frame): boolean {
  return a === undefined || b === undefined ? a === b : equals(a, b, frame);
}

function dictsEqual(a: Dict, b: Dict, frame: Frame): boolean {
  const keys = Object.keys(a);
  spend(frame, keys.length * KEY_STEPS);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && equalsDefined(a[key], b[key], frame));
}

function scalarsEqual(a: Value, b: Value, frame: Frame): boolean {
  if (isTimestamp(a) && isTimestamp(b)) return a.ms === b.ms;
  if (isDuration(a) && isDuration(b)) return a.nanos === b.nanos;
  if (isOptional(a) && isOptional(b)) return equalsDefined(a.value, b.value, frame);
  if (!(a instanceof Uint8Array && b instanceof Uint8Array) || a.length !== b.length) return false;
  spend(frame, a.length);
  return a.every((byte, i) => byte === b[i]);
}

export function isIn(item: Value, within: Value, frame: Frame): boolean {
  if (isList(within)) return within.some((other) => equals(item, other, frame));
  if (!isDict(within)) throw new Fault(`in needs a list or a map, not ${kindOf(within)}`);
  return typeof item === "string" && memberOf(within, item) !== undefined;
}

/** A map's own value; undefined where it has none, or is no map. */
export function memberOf(value: Value, key: string): Value | undefined {
  return isDict(value) && !isPrototypeKey(key) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** An item of a list or map; undefined where there is none. Faults where such a key is of no use. */
export function itemOf(value: Value, key: Value): Value | undefined {
  if (isList(value)) return value[indexOf(key)];
  if (!isDict(value)) return undefined;
  if (typeof key !== "string") throw new Fault(`a map's key is a string, not ${kindOf(key)}`);
  if (isPrototypeKey(key)) throw new Fault("this key is never readable");
  return memberOf(value, key);
}

function indexOf(key: Value): number {
  if (!isNumber(key)) throw new Fault(`a list's index is a whole number, not ${kindOf(key)}`);
  return wholeOf(key);
}

/** Arguments that count: an int, or a double such as JSON's 3. */
export function wholeOf(value: Value): number {
  const number = isNumber(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw new Fault("a whole number is needed");
  return number;
}

const NUMBERS: ReadonlySet<StaticKind> = new Set(["int", "double"]);
const TIMES: ReadonlySet<StaticKind> = new Set(["timestamp", "duration"]);

/** The kind of a result, where the operands' are known; null where the operator never takes them. */
export function arithmeticKind(op: Arithmetic, a: StaticKind, b: StaticKind): StaticKind | null {
  if (a === "dyn" || b === "dyn") return "dyn";
  if (NUMBERS.has(a) && NUMBERS.has(b)) return a === "int" && b === "int" ? "int" : "double";
  if (TIMES.has(a) && TIMES.has(b) && (op === "+" || op === "-")) return "dyn";
  const joins = op === "+" && a === b && (a === "string" || a === "list" || a === "bytes");
  return joins ? a : null;
}

/** Whether values of these kinds can be compared at all. */
export function comparableKinds(a: StaticKind, b: StaticKind): boolean {
  if (a === "dyn" || b === "dyn" || a === b) return true;
  return NUMBERS.has(a) && NUMBERS.has(b);
}
