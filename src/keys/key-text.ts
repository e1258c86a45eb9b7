import { sha256, toBase64Url, toHex } from "../core/crypto.ts";
import type { RandomBytes } from "../core/ids.ts";

/** 256 bits: never guessed, so a plain hash of it is safe to store. */
const SECRET_BYTES = 32;

const KEY_TEXT = /^orx_([0-9a-f]{2})_[A-Za-z0-9_-]{43}$/;
const KEY_ID = /^key_([0-9a-f]{2})_/;

/** `orx_<shard>_<secret>`. The shard says in which part of the store the key lies, so that a look-up is one read. */
export function createKeyText(shard: string, random: RandomBytes): string {
  return `orx_${shard}_${toBase64Url(random(SECRET_BYTES))}`;
}

/** The shard of anything that has the form of a key, else null: what cannot be a key is never looked up. */
export function shardOfKey(text: string): string | null {
  return KEY_TEXT.exec(text)?.[1] ?? null;
}

export function shardOfKeyId(id: string): string | null {
  return KEY_ID.exec(id)?.[1] ?? null;
}

/** All keys of an owner lie in one shard. */
export async function shardOfOwner(ownerId: string): Promise<string> {
  return toHex((await sha256(ownerId)).slice(0, 1));
}
