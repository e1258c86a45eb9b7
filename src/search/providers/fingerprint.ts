const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * Tells one setting from the next in 32 bits (FNV-1a), as a provider's `identity`. Not secret-proof by itself: a key of
 * 100 random bits and more stays unknown, whatever is told of 32.
 */
export function fingerprint(...parts: readonly string[]): string {
  let hash = FNV_OFFSET;
  for (const byte of new TextEncoder().encode(JSON.stringify(parts))) hash = Math.imul(hash ^ byte, FNV_PRIME);
  return (hash >>> 0).toString(36);
}
