import { deriveSecret, digestsEqual, sha256, toBase64Url } from "../../core/crypto.ts";

const encoder = new TextEncoder();

const TOKEN_TEXT = /^orxa_[A-Za-z0-9_-]{43}$/;

/** Tokens that let a platform reach one agent, and nothing else. */
export interface AccessTokens {
  /** Null where the operator set no ENCRYPTION_KEY. */
  mint(agentId: string): Promise<string | null>;
  verify(agentId: string, token: string): Promise<boolean>;
}

/**
 * `orxa_` and an HMAC-SHA256 of the agent's id under a key of its own, derived from ENCRYPTION_KEY (base64, 32 bytes):
 * nothing is stored, every isolate mints and knows the same token. It lives as long as the agent, whose id is never
 * given again, and as ENCRYPTION_KEY.
 */
export function createAccessTokens(encryptionKey: string | undefined): AccessTokens {
  let derived: CryptoKey | undefined;

  async function mint(agentId: string): Promise<string | null> {
    if (encryptionKey === undefined) return null;
    derived ??= await deriveKey(encryptionKey);
    const signature = await crypto.subtle.sign("HMAC", derived, encoder.encode(agentId));
    return `orxa_${toBase64Url(new Uint8Array(signature))}`;
  }

  return {
    mint,
    async verify(agentId, token) {
      if (!TOKEN_TEXT.test(token)) return false;
      const expected = await mint(agentId);
      return expected !== null && digestsEqual(await sha256(token), await sha256(expected));
    },
  };
}

async function deriveKey(encryptionKey: string): Promise<CryptoKey> {
  const secret = await deriveSecret(encryptionKey, "agent-access-token:v1");
  return crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}
