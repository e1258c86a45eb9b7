import { deriveSecret, fromBase64, toBase64Url } from "./crypto.ts";
import type { RandomBytes } from "./ids.ts";

/**
 * Secrets at rest. A sealed text opens only under the same ENCRYPTION_KEY and with the context that it was sealed for:
 * put beside another record, it is worth nothing.
 */
export interface Sealing {
  /** `context` says what the secret belongs to, in a form that no other record has. It is not secret itself. */
  seal(text: string, context: string): Promise<string>;
  /** Null where the text was changed, belongs to another context or was sealed under another key. */
  open(sealed: string, context: string): Promise<string | null>;
}

const VERSION = 1;
/** What AES-GCM is made for; a random one may be used for 2^32 texts under one key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const encoder = new TextEncoder();

/** `encryptionKey` is base64 of 32 bytes. Sealed: base64url of version byte, nonce, then AES-256-GCM's output. */
export function createSealing(encryptionKey: string, random: RandomBytes): Sealing {
  let key: CryptoKey | null = null;

  // Kept once it is there, not while it is made: a request that ends would take the others' promise with it.
  async function sealingKey(): Promise<CryptoKey> {
    if (key !== null) return key;
    const secret = await deriveSecret(encryptionKey, "sealing:v1");
    const made = await crypto.subtle.importKey("raw", secret, "AES-GCM", false, ["encrypt", "decrypt"]);
    key = made;
    return made;
  }

  return {
    async seal(text, context) {
      const nonce = random(NONCE_BYTES);
      const data = encoder.encode(text);
      const closed = new Uint8Array(await crypto.subtle.encrypt(gcm(nonce, context), await sealingKey(), data));
      const bytes = new Uint8Array(1 + NONCE_BYTES + closed.length);
      bytes.set([VERSION]);
      bytes.set(nonce, 1);
      bytes.set(closed, 1 + NONCE_BYTES);
      return toBase64Url(bytes);
    },

    async open(sealed, context) {
      const bytes = decode(sealed);
      if (bytes === null || bytes[0] !== VERSION || bytes.length < 1 + NONCE_BYTES + TAG_BYTES) return null;
      const nonce = bytes.subarray(1, 1 + NONCE_BYTES);
      const closed = bytes.subarray(1 + NONCE_BYTES);
      const usable = await sealingKey();
      try {
        const opened = await crypto.subtle.decrypt(gcm(nonce, context), usable, closed);
        return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(opened);
      } catch {
        return null;
      }
    },
  };
}

function gcm(nonce: Uint8Array, context: string) {
  return { name: "AES-GCM", iv: nonce, additionalData: encoder.encode(`v${VERSION}:${context}`) };
}

function decode(text: string): Uint8Array | null {
  try {
    return fromBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return null;
  }
}
