import type { ScryptOptions } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import { fromBase64 } from "../../core/crypto.ts";
import type { RandomBytes } from "../../core/ids.ts";
import { ok, type Result } from "../../core/result.ts";
import {
  PASSWORD_LOST_MS,
  PASSWORD_MAX_WAITING,
  PASSWORD_POLL_MS,
  PASSWORD_TURN_MS,
  PASSWORD_TURNS,
  SCRYPT_HASH_BYTES,
  SCRYPT_LOG2_N,
  SCRYPT_MAX_FIELD_BYTES,
  SCRYPT_MAX_MEMORY_BYTES,
  SCRYPT_MAX_WORK,
  SCRYPT_P,
  SCRYPT_R,
  SCRYPT_SALT_BYTES,
} from "../limits.ts";
import { createGate } from "./gate.ts";

/**
 * Passwords as PHC strings, `$scrypt$ln=14,r=8,p=5$salt$hash`. One at a time in an isolate; the others wait, and `full`
 * is where too many do.
 */
export interface Passwords {
  hash(password: string, signal?: AbortSignal): Promise<Result<string, "full">>;
  /**
   * Without a hash, or with one that is none of scrypt's or asks for too much, the same work is done and the answer is
   * false: the time it takes does not tell whether a user exists.
   */
  verify(password: string, hash: string | null, signal?: AbortSignal): Promise<Result<boolean, "full">>;
}

interface ScryptHash {
  readonly log2N: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

export function createPasswords(deps: { readonly random: RandomBytes; readonly clock: Clock }): Passwords {
  const { random, clock } = deps;
  const gate = createGate(clock, {
    maxWaiting: PASSWORD_MAX_WAITING,
    turns: PASSWORD_TURNS,
    turnMs: PASSWORD_TURN_MS,
    pollMs: PASSWORD_POLL_MS,
    lostMs: PASSWORD_LOST_MS,
  });
  const ours = { log2N: SCRYPT_LOG2_N, r: SCRYPT_R, p: SCRYPT_P };
  return {
    async hash(password, signal) {
      const salt = random(SCRYPT_SALT_BYTES);
      const hash = await gate(() => derive(password, { ...ours, salt }, SCRYPT_HASH_BYTES), signal);
      if (!hash.ok) return hash;
      return ok(`$scrypt$ln=${ours.log2N},r=${ours.r},p=${ours.p}$${toBase64(salt)}$${toBase64(hash.value)}`);
    },
    async verify(password, stored, signal) {
      const known = stored === null ? null : parseHash(stored);
      const params = known ?? {
        ...ours,
        salt: new Uint8Array(SCRYPT_SALT_BYTES),
        hash: new Uint8Array(SCRYPT_HASH_BYTES),
      };
      const derived = await gate(() => derive(password, params, params.hash.length), signal);
      if (!derived.ok) return derived;
      const { timingSafeEqual } = await import("node:crypto");
      return ok(timingSafeEqual(derived.value, params.hash) && known !== null);
    },
  };
}

async function derive(password: string, params: Omit<ScryptHash, "hash">, length: number): Promise<Uint8Array> {
  const { scrypt } = await import("node:crypto");
  const options: ScryptOptions = {
    N: 2 ** params.log2N,
    r: params.r,
    p: params.p,
    // OpenSSL counts its working buffers too, and refuses at the exact size of the table.
    maxmem: 2 * SCRYPT_MAX_MEMORY_BYTES,
  };
  // One form for what different keyboards send for the same letters (RFC 8265).
  const text = password.normalize("NFC");
  return new Promise((resolve, reject) => {
    scrypt(text, params.salt, length, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

const PHC =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{1,200})={0,2}\$([A-Za-z0-9+/]{1,200})={0,2}$/;

/** Null for what is no hash of ours to check: a stored hash may have come from the caller. */
function parseHash(text: string): ScryptHash | null {
  const [, ln, r, p, salt, hash] = PHC.exec(text) ?? [];
  if (salt === undefined || hash === undefined) return null;
  const parsed = { log2N: Number(ln), r: Number(r), p: Number(p), salt: readBase64(salt), hash: readBase64(hash) };
  const table = 128 * 2 ** parsed.log2N * parsed.r;
  const inBounds =
    Math.min(parsed.log2N, parsed.r, parsed.p) >= 1 &&
    table <= SCRYPT_MAX_MEMORY_BYTES &&
    2 ** parsed.log2N * parsed.r * parsed.p <= SCRYPT_MAX_WORK &&
    parsed.salt.length <= SCRYPT_MAX_FIELD_BYTES &&
    parsed.hash.length >= SCRYPT_SALT_BYTES &&
    parsed.hash.length <= SCRYPT_MAX_FIELD_BYTES;
  return inBounds ? parsed : null;
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/=+$/, "");
}

/** Of text that is base64 by its form. A length that no bytes have gives none. */
function readBase64(text: string): Uint8Array {
  return text.length % 4 === 1 ? new Uint8Array() : fromBase64(text);
}
