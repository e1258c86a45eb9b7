import { JSON_MAX_DEPTH } from "../config/limits.ts";
import { decodeUtf8, readBodyBounded } from "../core/bounded-body.ts";
import { validationFailed } from "../core/errors.ts";
import { type Json, type JsonFault, parseUntrustedJson } from "../core/json.ts";
import { err, ok, type Result } from "../core/result.ts";

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;.*)?$/i;

const FAULTS: Readonly<Record<JsonFault, string>> = {
  malformed: "the body is not valid JSON",
  too_deep: `the body nests deeper than ${JSON_MAX_DEPTH} levels`,
  prototype_key: "the body has a property named __proto__",
  infinite_number: "the body has a number beyond 1.8e308",
};

/**
 * The request's body as JSON, counted while it streams: a body over `maxBytes` is given up at that byte, whatever its
 * Content-Length says. An empty body is `undefined`, whatever its type.
 */
export async function readJsonBody(request: Request, maxBytes: number): Promise<Result<Json | undefined>> {
  const text = await readJsonText(request, maxBytes);
  if (!text.ok || text.value === "") return text.ok ? ok(undefined) : text;
  return parseJsonText(text.value);
}

/** The same as text, not parsed yet; empty where there is no body. */
export async function readJsonText(request: Request, maxBytes: number): Promise<Result<string>> {
  const { headers } = request;
  const read = await readBodyBytes(request, maxBytes);
  if (!read.ok) return read;
  const bytes = read.value;
  if (bytes.length === 0) return ok("");
  const encoding = headers.get("content-encoding");
  if (encoding !== null && encoding.toLowerCase() !== "identity") {
    return unsupported("send the body without Content-Encoding");
  }
  const type = headers.get("content-type");
  if (type !== "application/json" && !JSON_TYPE.test(type ?? "")) {
    return unsupported("send the body as JSON, with 'Content-Type: application/json'");
  }
  const text = decodeUtf8(bytes);
  return text === null ? validationFailed([{ path: "", message: "the body is not valid UTF-8" }]) : ok(text);
}

/**
 * The bytes as they came, counted while they stream. A body that breaks off is its sender's failure, who has hung up or
 * framed it wrongly; one that was read before is a bug, and throws.
 */
export async function readBodyBytes(request: Request, maxBytes: number): Promise<Result<Uint8Array>> {
  if (request.bodyUsed) throw new Error("the request's body was read before");
  let bytes: Uint8Array | null;
  try {
    bytes = await readBodyBounded(request, maxBytes);
  } catch {
    return validationFailed([{ path: "", message: "the connection ended before the body did" }]);
  }
  return bytes === null ? tooLarge(maxBytes) : ok(bytes);
}

export function parseJsonText(text: string): Result<Json> {
  const parsed = parseUntrustedJson(text, JSON_MAX_DEPTH);
  return parsed.ok ? ok(parsed.value) : validationFailed([{ path: "", message: FAULTS[parsed.fault] }]);
}

function tooLarge(maxBytes: number): Result<never> {
  return err({ code: "PAYLOAD_TOO_LARGE", detail: `the body is larger than ${maxBytes} bytes` });
}

function unsupported(detail: string): Result<never> {
  return err({ code: "UNSUPPORTED_MEDIA_TYPE", detail });
}
