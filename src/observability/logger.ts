import { type Clock, isoTime } from "../core/clock.ts";
import { toError } from "../core/errors.ts";
import type { Defer, LogFields, Logger, LogLevel } from "../core/logger.ts";
import { maskValue } from "../core/mask.ts";

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** One JSON object a line. `secrets` are values that must never appear, whatever they look like. */
export function createLogger(deps: {
  readonly level: LogLevel;
  readonly clock: Clock;
  readonly secrets: readonly string[];
  readonly write: (line: string) => void;
}): Logger {
  const threshold = LEVELS.indexOf(deps.level);
  const at =
    (level: LogLevel) =>
    (event: string, fields: LogFields = {}) => {
      if (LEVELS.indexOf(level) < threshold) return;
      const masked = maskValue(fields, deps.secrets) as object;
      deps.write(JSON.stringify({ time: isoTime(deps.clock.now()), level, event, ...masked }));
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** `waitUntil` that never loses a failure silently. */
export function createDefer(waitUntil: (work: Promise<unknown>, what: string) => void, log: Logger): Defer {
  return function defer(what, work) {
    const guarded = work.catch((cause: unknown) => {
      log.error("deferred_work_failed", { what, error: toError(cause) });
    });
    waitUntil(guarded, what);
  };
}
