import { JSON_MAX_DEPTH } from "../config/limits.ts";
import { validationFailed } from "../core/errors.ts";
import { type Json, type JsonFault, parseUntrustedJson } from "../core/json.ts";
import { err, ok, type Result } from "../core/result.ts";

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;.*)?$/i;

const FAULTS: Readonly<Record<JsonFault, string>> = {
  malformed: "the body is not valid JSON",
  too_deep: `the body nests deeper than ${JSON_MAX_DEPTH} levels`,
  prototype_key: "the body has a property named __proto__",
};

/**
 * The request's body as JSON, counted while it streams: a body over `maxBytes` is given up at that byte, whatever its
 * Content-Length says. An empty body is `undefined`, whatever its type.
 */
export async function readJsonBody(request: Request, maxBytes: number): Promise<Result<Json | undefined>> {
  const bytes = await readBounded(request, maxBytes);
  if (!bytes.ok) return bytes;
  if (bytes.value.length === 0) return ok(undefined);
  if (!JSON_TYPE.test(request.headers.get("content-type") ?? "")) {
    return err({
      code: "UNSUPPORTED_MEDIA_TYPE",
      detail: "send the body as JSON, with 'Content-Type: application/json'",
    });
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes.value);
  } catch {
    return validationFailed([{ path: "", message: "the body is not valid UTF-8" }]);
  }
  const parsed = parseUntrustedJson(text, JSON_MAX_DEPTH);
  return parsed.ok ? ok(parsed.value) : validationFailed([{ path: "", message: FAULTS[parsed.fault] }]);
}

async function readBounded(request: Request, maxBytes: number): Promise<Result<Uint8Array>> {
  const encoding = request.headers.get("content-encoding") ?? "identity";
  if (encoding.toLowerCase() !== "identity") {
    return err({ code: "UNSUPPORTED_MEDIA_TYPE", detail: "send the body without Content-Encoding" });
  }
  const tooLarge = err({ code: "PAYLOAD_TOO_LARGE", detail: `the body is larger than ${maxBytes} bytes` });
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) return tooLarge;
  if (request.body === null) return ok(new Uint8Array());
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return ok(join(chunks, size));
    size += value.length;
    if (size > maxBytes) {
      await reader.cancel().catch(() => {});
      return tooLarge;
    }
    chunks.push(value);
  }
}

function join(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const [first] = chunks;
  if (first !== undefined && chunks.length === 1) return first;
  const all = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return all;
}
