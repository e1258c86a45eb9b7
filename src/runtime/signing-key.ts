const encoder = new TextEncoder();

/** 256 bits: as long as the output of HS256's hash, as RFC 7518 demands. */
const SIGNING_KEY_BITS = 256;

/**
 * The key with which an agent signs its tokens: HKDF-SHA256 of ENCRYPTION_KEY (base64, 32 bytes), told apart by the
 * agent's id. Whoever has ENCRYPTION_KEY can verify every agent's tokens; one agent's key says nothing of another's.
 */
export async function deriveSigningKey(encryptionKey: string, agentId: string): Promise<Uint8Array> {
  const secret = Uint8Array.from(atob(encryptionKey), (char) => char.charCodeAt(0));
  const material = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const bits = await crypto.subtle.deriveBits(
    {
      name: "HKDF",
      hash: "SHA-256",
      salt: encoder.encode("orchestrix"),
      info: encoder.encode(`agent-signing-key:v1:${agentId}`),
    },
    material,
    SIGNING_KEY_BITS,
  );
  return new Uint8Array(bits);
}
