import { RUN_OUTPUT_MAX_BYTES } from "../../config/limits.ts";
import { parseUntrustedJson } from "../../core/json.ts";
import { jsonSize } from "../json-size.ts";
import { VALUE_MAX_DEPTH } from "../limits.ts";
import { Exhausted, Fault, type Frame, spend, spendText } from "./faults.ts";
import type { CelFunction } from "./function.ts";
import {
  ENCODED_KEY_STEPS,
  ENCODED_PART_STEPS,
  MADE_CHARS_PER_STEP,
  PARSED_CHARS_PER_STEP,
  SLOW_CALL_STEPS,
} from "./limits.ts";
import { base64, toJson } from "./to-json.ts";
import { isDict, isList, type Kind, type Value } from "./values.ts";

const TEXT: readonly Kind[] = ["string"];
/** Of a character that `encodeURIComponent` does not leave alone, at least. */
const ESCAPED_CHARS = 3;
const encoder = new TextEncoder();

/** Named as in cel-go's extension libraries: `base64.encode` is one function, and nothing of a value's. */
export const ENCODING_FUNCTIONS: Readonly<Record<string, CelFunction>> = {
  "url.encode": {
    takes: [TEXT],
    gives: "string",
    steps: SLOW_CALL_STEPS,
    form: "url.encode(text)",
    does: "The text as one segment of a URL's path or one value of its query: all but letters, digits and -_.!~*'() as %XX.",
    run([text = ""], frame) {
      spendText(frame, String(text).length * ESCAPED_CHARS);
      const encoded = encodeURIComponent(String(text).toWellFormed());
      spendText(frame, encoded.length);
      return encoded;
    },
  },
  "url.decode": {
    takes: [TEXT],
    gives: "string",
    steps: SLOW_CALL_STEPS,
    form: "url.decode(text)",
    does: "The text with every %XX read; a + stays one.",
    run([text = ""], frame) {
      spendText(frame, String(text).length);
      try {
        return decodeURIComponent(String(text));
      } catch {
        throw new Fault("url.decode() takes a text whose %XX are UTF-8");
      }
    },
  },
  "base64.encode": {
    takes: [["string", "bytes"]],
    steps: SLOW_CALL_STEPS,
    gives: "string",
    form: "base64.encode(x)",
    does: "Bytes, or a text's bytes in UTF-8, in base64.",
    run: ([value = ""], frame) => toBase64(value, frame),
  },
  "base64.decode": {
    takes: [TEXT],
    steps: SLOW_CALL_STEPS,
    gives: "bytes",
    form: "base64.decode(text)",
    does: "The bytes of base64, of the alphabet of URLs too, with or without = at its end; string() makes a text of them.",
    run([text = ""], frame) {
      spendText(frame, String(text).length * 2);
      return fromBase64(String(text));
    },
  },
  base64: {
    takes: [["string", "bytes"]],
    steps: SLOW_CALL_STEPS,
    gives: "string",
    form: "base64(x)",
    does: "The same as base64.encode(x).",
    run: ([value = ""], frame) => toBase64(value, frame),
  },
  "json.encode": {
    takes: [null],
    steps: SLOW_CALL_STEPS,
    gives: "string",
    form: "json.encode(x)",
    does: "Any value as JSON text.",
    run([value = null], frame) {
      spendParts(value, frame);
      const json = toJson(value);
      if (jsonSize(json, RUN_OUTPUT_MAX_BYTES) === null) {
        throw new Exhausted(`makes a text of more than ${RUN_OUTPUT_MAX_BYTES} bytes`);
      }
      return JSON.stringify(json);
    },
  },
  "json.decode": {
    takes: [TEXT],
    steps: SLOW_CALL_STEPS,
    gives: "dyn",
    form: "json.decode(text)",
    does: "The value of a JSON text.",
    run([text = ""], frame) {
      spend(frame, String(text).length / PARSED_CHARS_PER_STEP);
      const parsed = parseUntrustedJson(String(text), VALUE_MAX_DEPTH);
      if (!parsed.ok) throw new Fault("json.decode() takes a text that is JSON, not too deep and without __proto__");
      return parsed.value;
    },
  },
};

function toBase64(value: Value, frame: Frame): string {
  const bytes = value instanceof Uint8Array ? value : encoder.encode(String(value));
  spendText(frame, bytes.length * 2);
  return base64(bytes);
}

function fromBase64(text: string): Uint8Array {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
    return bytes;
  } catch {
    throw new Fault("base64.decode() takes a text in base64");
  }
}

/** Paid on the way: a value that shares its parts is small in memory and endless as text. */
function spendParts(value: Value, frame: Frame): void {
  const chars = typeof value === "string" ? value.length : 0;
  spend(frame, ENCODED_PART_STEPS + chars / MADE_CHARS_PER_STEP);
  if (isList(value)) for (const item of value) spendParts(item, frame);
  else if (value instanceof Uint8Array) spendText(frame, value.length * 2);
  else if (isDict(value)) {
    for (const [key, inner] of Object.entries(value)) {
      spend(frame, ENCODED_KEY_STEPS + key.length / MADE_CHARS_PER_STEP);
      spendParts(inner, frame);
    }
  }
}
