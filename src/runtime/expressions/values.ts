const TAG: unique symbol = Symbol("kind");

export interface Timestamp {
  readonly [TAG]: "timestamp";
  /** Since the epoch. */
  readonly ms: number;
}

export interface Duration {
  readonly [TAG]: "duration";
  readonly nanos: bigint;
}

/** What `a.?b` gives. Absent where `value` is undefined. */
export interface Optional {
  readonly [TAG]: "optional";
  readonly value: Value | undefined;
}

export interface Dict {
  readonly [key: string]: Value;
}

/**
 * What an expression computes with. JSON comes in as it is, never copied: its numbers are CEL's double. Numbers that the
 * author writes without a point, sizes and indexes are CEL's int, here a bigint.
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Value[]
  | Dict
  | Timestamp
  | Duration
  | Optional;

export type Kind =
  | "null"
  | "bool"
  | "double"
  | "int"
  | "string"
  | "bytes"
  | "list"
  | "map"
  | "timestamp"
  | "duration"
  | "optional";

/** What is known of a value before there is one. */
export type StaticKind = Kind | "dyn";

/** Kinds by the names that `type(x)` is compared with. */
export const TYPE_NAMES: Readonly<Record<string, Kind>> = {
  null_type: "null",
  ...{ bool: "bool", int: "int", double: "double", string: "string", bytes: "bytes", list: "list", map: "map" },
};

const PRIMITIVES: Readonly<Record<string, Kind>> = {
  boolean: "bool",
  number: "double",
  bigint: "int",
  string: "string",
};

export function kindOf(value: Value): Kind {
  if (typeof value !== "object") return PRIMITIVES[typeof value] ?? "null";
  if (value === null) return "null";
  if (Array.isArray(value)) return "list";
  if (value instanceof Uint8Array) return "bytes";
  // JSON has no symbols for keys, so that data is never taken for one of ours.
  return TAG in value ? (value as Timestamp | Duration | Optional)[TAG] : "map";
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function isDict(value: Value): value is Dict {
  return kindOf(value) === "map";
}

export function isOptional(value: Value): value is Optional {
  return typeof value === "object" && value !== null && TAG in value && value[TAG] === "optional";
}

export function isTimestamp(value: Value): value is Timestamp {
  return typeof value === "object" && value !== null && TAG in value && value[TAG] === "timestamp";
}

export function isDuration(value: Value): value is Duration {
  return typeof value === "object" && value !== null && TAG in value && value[TAG] === "duration";
}

export function isNumber(value: Value): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

export function timestamp(ms: number): Timestamp {
  return { [TAG]: "timestamp", ms };
}

export function duration(nanos: bigint): Duration {
  return { [TAG]: "duration", nanos };
}

export function optional(value: Value | undefined): Optional {
  return { [TAG]: "optional", value };
}
