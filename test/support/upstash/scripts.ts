import { createHash } from "node:crypto";

type Command = readonly string[];

const sha1 = (text: string) => createHash("sha1").update(text).digest("hex");

/** The line that only Upstash knows: Redis refuses a script that begins with it. */
const SHEBANG = /^#!lua[^\n]*allow-key-locking[^\n]*\n/;

/**
 * Stands between callers who send scripts as Upstash takes them and a Redis that knows nothing of its first line. The
 * line ends as an empty one, so that Redis's errors name the right line.
 */
export function createScriptTranslation() {
  const known = new Map<string, string>();

  function translate(script: string): string {
    const translated = script.replace(SHEBANG, "\n");
    known.set(sha1(script), sha1(translated));
    return translated;
  }

  return {
    /** The command for Redis, and the answer for the caller where Redis's own would be that of another script. */
    command(command: Command): { readonly command: Command; readonly answer?: string } {
      const [name = "", first = "", second = "", ...rest] = command;
      switch (name.toLowerCase()) {
        case "eval":
        case "eval_ro":
          return { command: [name, translate(first), second, ...rest] };
        case "evalsha":
        case "evalsha_ro":
          return { command: [name, known.get(first.toLowerCase()) ?? first, second, ...rest] };
        case "script":
          return first.toLowerCase() === "load"
            ? { command: [name, first, translate(second), ...rest], answer: sha1(second) }
            : { command };
        default:
          return { command };
      }
    },
  };
}
