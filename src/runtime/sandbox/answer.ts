import { RUN_OUTPUT_MAX_BYTES } from "../../config/limits.ts";
import { decodeUtf8, readBounded } from "../../core/bounded-body.ts";
import { type Json, ownProperty, parseUntrustedJson } from "../../core/json.ts";
import { VALUE_MAX_DEPTH } from "../limits.ts";
import { SANDBOX_ERROR_MAX_BYTES, SANDBOX_ERROR_MAX_CHARS } from "./limits.ts";
import { CODE_MODULE, THREW_STATUS } from "./wrapper.ts";

export type SandboxAnswer = { readonly kind: "output"; readonly value: Json } | SandboxFailure;

interface SandboxFailure {
  readonly kind: "failed";
  readonly message: string;
  readonly isPassing?: boolean;
}

export function failed(message: string): SandboxFailure {
  return { kind: "failed", message };
}

/**
 * Reads what came out of a sandbox, all of it as the author's own word: bounded while it streams, parsed as a stranger's
 * JSON. Rejects when the stream breaks.
 */
export async function readAnswer(response: Response): Promise<SandboxAnswer> {
  const isOutput = response.status !== THREW_STATUS;
  const bytes = await readBounded(response.body, isOutput ? RUN_OUTPUT_MAX_BYTES : SANDBOX_ERROR_MAX_BYTES);
  if (bytes === null) return failed(`the code's result is larger than ${RUN_OUTPUT_MAX_BYTES} bytes`);
  const text = decodeUtf8(bytes);
  if (text === null) return failed(FAULTS.malformed);
  const parsed = parseUntrustedJson(text, VALUE_MAX_DEPTH);
  if (!parsed.ok) return failed(FAULTS[parsed.fault]);
  return isOutput ? { kind: "output", value: parsed.value } : failed(describeThrown(parsed.value));
}

const FAULTS = {
  malformed: "the code's result is not JSON",
  too_deep: `the code's result nests deeper than ${VALUE_MAX_DEPTH} levels`,
  prototype_key: "the code's result has a property __proto__",
  infinite_number: "the code's result has a number beyond 1.8e308",
} as const;

function describeThrown(thrown: Json): string {
  const parts = ["name", "message"].map((key) => ownProperty(thrown, key)).filter((part) => typeof part === "string");
  const text = parts.filter((part) => part !== "").join(": ");
  return sentence(`the code threw ${text === "" ? "something that says nothing of itself" : text}`);
}

/**
 * What the runtime says of a sandbox that it could not start or had to stop. It speaks of the author's code alone; the
 * lines that name files of ours are left out.
 */
export function describeFault(fault: unknown): string {
  const message = fault instanceof Error ? fault.message : "";
  const [first = "", ...rest] = message.replace(/^Failed to start Worker:\s*/, "").split("\n");
  const [, line] = new RegExp(`${CODE_MODULE}:(\\d+)`).exec(rest.join("\n")) ?? [];
  const where = line === undefined ? "" : ` (line ${line})`;
  return sentence(first === "" ? "the code could not be run" : `the code could not be run: ${first}${where}`);
}

/** One line, and not a long one: an author's text is shown in lists and logs. */
function sentence(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\u0000-\u001f\u007f\u2028\u2029]+/g, " ").slice(0, SANDBOX_ERROR_MAX_CHARS);
}
