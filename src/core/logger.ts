import type { Json } from "./json.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Values may also be errors; they are written as name, message, cause and stack, masked like the rest. */
export type LogFields = Readonly<Record<string, Json | Error | undefined>>;

/** Structured logs: one JSON object a line, secrets masked by name and by pattern before they are written. */
export type Logger = Readonly<Record<LogLevel, (event: string, fields?: LogFields) => void>>;

/**
 * Hands over work that may finish after the answer has left (`waitUntil` in a Worker). A rejection is logged, never
 * thrown. Must be called while the request that it belongs to is still running.
 */
export type Defer = (what: string, work: Promise<unknown>) => void;
