import { deriveSecret } from "../../core/crypto.ts";

/** The key with which an agent signs its tokens; see `deriveSecret`. Also what a service verifies them with. */
export function deriveSigningKey(encryptionKey: string, agentId: string): Promise<Uint8Array> {
  return deriveSecret(encryptionKey, `agent-signing-key:v1:${agentId}`);
}
