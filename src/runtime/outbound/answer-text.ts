import { readBodyBounded } from "../../core/bounded-body.ts";

/** RFC 9110: answers without a body, whatever their headers say of its length. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * The body of an answer as text, counted after unpacking; null once it is longer than `maxBytes`. The charset is the one
 * that the answer names, UTF-8 otherwise; bytes that are none of it become U+FFFD. Rejects when the stream breaks.
 */
export async function readText(response: Response, method: string, maxBytes: number): Promise<string | null> {
  if (method === "HEAD" || WITHOUT_BODY.has(response.status)) {
    await response.body?.cancel().catch(() => {});
    return "";
  }
  const bytes = await readBodyBounded(response, maxBytes);
  return bytes === null ? null : decoderFor(response.headers.get("content-type")).decode(bytes);
}

function decoderFor(contentType: string | null): TextDecoder {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType ?? "")?.[1];
  try {
    return new TextDecoder(charset);
  } catch {
    // A charset that nobody knows.
    return new TextDecoder();
  }
}
