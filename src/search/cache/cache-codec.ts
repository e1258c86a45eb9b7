import { decodeUtf8, readBounded } from "../../core/bounded-body.ts";
import { fromBase64 } from "../../core/crypto.ts";
import { CACHE_ENTRY_MAX_CHARS, COMPRESS_FROM_CHARS } from "../limits.ts";

/** What a packed text begins with. */
const PLAIN = "p";
const GZIP = "z";

/** UTF-8 takes at most this many bytes for a UTF-16 unit. */
const MAX_BYTES_PER_CHAR = 3;

/** The text as it is kept: compressed where that makes it shorter, although a text store wants base64. */
export async function pack(text: string): Promise<string> {
  if (text.length < COMPRESS_FROM_CHARS) return PLAIN + text;
  const zipped = new Response(text).body?.pipeThrough(new CompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(zipped).arrayBuffer());
  const packed = GZIP + toBase64(bytes);
  return packed.length < text.length ? packed : PLAIN + text;
}

/** Null for what `pack` did not make, and for what would unfold to more than an entry may have. */
export async function unpack(packed: string): Promise<string | null> {
  if (packed.startsWith(PLAIN)) return packed.slice(1);
  if (!packed.startsWith(GZIP)) return null;
  try {
    const zipped = new Response(fromBase64(packed.slice(1))).body;
    const text = zipped?.pipeThrough<Uint8Array>(new DecompressionStream("gzip")) ?? null;
    const bytes = await readBounded(text, CACHE_ENTRY_MAX_CHARS * MAX_BYTES_PER_CHAR);
    return bytes === null ? null : decodeUtf8(bytes);
  } catch {
    return null;
  }
}

/** In pieces: one call takes only so many arguments. */
function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let i = 0; i < bytes.length; i += PIECE_BYTES) {
    binary += String.fromCharCode(...bytes.subarray(i, i + PIECE_BYTES));
  }
  return btoa(binary);
}

const PIECE_BYTES = 8_192;
