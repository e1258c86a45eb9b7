import { digestsEqual } from "./crypto.ts";
import type { RandomBytes } from "./ids.ts";
import { OWN_KEY } from "./mask.ts";

/** Whether a text holds a credential of this Worker, as it is or as URLs and base64 write it. */
export type HoldsCredential = (text: string) => boolean;

/** Where a word begins, a few characters are enough to mean a key or an access token of ours, mistyped ones included. */
const MEANS_OWN_KEY = /(?<![\w.+/-])orxa?_/i;

/** What base64 makes of the shortest secret that configuration takes. */
const BASE64_RUN = /[\w+/-]{22,}/g;

/** `secrets` are the exact values known from configuration, in ASCII; keys and access tokens are known by their look. */
export function createCredentialCheck(secrets: readonly string[], random: RandomBytes): HoldsCredential {
  const holdsSecret = createFinder(secrets, random);
  const holds: HoldsCredential = (text) => MEANS_OWN_KEY.test(text) || OWN_KEY.test(text) || holdsSecret(text);
  return (text) => {
    const plain = percentDecoded(text);
    return holds(text) || (plain !== text && holds(plain)) || base64Decoded(plain).some(holds);
  };
}

function percentDecoded(text: string): string {
  if (!text.includes("%")) return text;
  // Byte by byte: what we look for is ASCII, and what is no UTF-8 is no fault here.
  return text.replaceAll(/%([0-9a-f]{2})/gi, (_match, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** As in basic credentials, or in the parts of a token. */
function base64Decoded(text: string): string[] {
  const runs = text.match(BASE64_RUN) ?? [];
  return runs.map((run) => {
    // Four characters are three bytes; one that is left over is none.
    const whole = run.length % 4 === 1 ? run.slice(0, -1) : run;
    return atob(whole.replaceAll("-", "+").replaceAll("_", "/"));
  });
}

const HASH_BASE_BYTES = 4;

/**
 * Finds secrets in a text that a stranger wrote. The platform's own search takes longer the more of a secret a text
 * repeats, which a long header makes measurable: here every character costs the same. A hash of the last characters
 * rolls over the text, to a base that nobody knows, and only where it agrees is a secret itself compared.
 */
function createFinder(secrets: readonly string[], random: RandomBytes): HoldsCredential {
  if (secrets.length === 0) return () => false;
  const window = Math.min(...secrets.map(({ length }) => length));
  const base = random(HASH_BASE_BYTES).reduce((made, byte) => (made << 8) | byte, 0) | 1;
  let leaving = 1;
  for (let i = 0; i < window; i++) leaving = Math.imul(leaving, base);
  const ends = new Set(secrets.map((secret) => hashOf(secret.slice(-window), base)));
  return (text) => {
    if (text.length < window) return false;
    let hash = hashOf(text.slice(0, window), base);
    for (let end = window; ; end++) {
      if (ends.has(hash) && secrets.some((secret) => endsWith(text, end, secret))) return true;
      if (end >= text.length) return false;
      const left = Math.imul(leaving, text.charCodeAt(end - window));
      hash = (Math.imul(hash, base) + text.charCodeAt(end) - left) | 0;
    }
  };
}

function hashOf(text: string, base: number): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, base) + text.charCodeAt(i)) | 0;
  return hash;
}

/** In a time that does not tell how much of it agrees. */
function endsWith(text: string, end: number, secret: string): boolean {
  const begin = end - secret.length;
  return begin >= 0 && digestsEqual(encoder.encode(text.slice(begin, end)), encoder.encode(secret));
}

const encoder = new TextEncoder();
