const encoder = new TextEncoder();

export async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
}

export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX[byte];
  return text;
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/**
 * Constant time for digests of secrets: comparing what a hash made of them shows neither content nor length.
 * Both must come from the same hash.
 */
export function digestsEqual(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

/** @throws where the text is no base64. */
export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

/** 256 bits: as long as the output of HMAC-SHA256's hash, as RFC 7518 demands of its keys. */
const DERIVED_BITS = 256;

/**
 * A key of 32 bytes for one purpose: HKDF-SHA256 of ENCRYPTION_KEY (base64, 32 bytes), told apart by `info`. Whoever has
 * ENCRYPTION_KEY can make them all; one says nothing of another.
 */
export async function deriveSecret(encryptionKey: string, info: string): Promise<Uint8Array> {
  const material = await crypto.subtle.importKey("raw", fromBase64(encryptionKey), "HKDF", false, ["deriveBits"]);
  const salt = encoder.encode("orchestrix");
  const algorithm = { name: "HKDF", hash: "SHA-256", salt, info: encoder.encode(info) };
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, material, DERIVED_BITS));
}
