import { deriveSecret, toHex } from "../core/crypto.ts";
import type { RandomBytes } from "../core/ids.ts";
import { createSealing } from "../core/sealing.ts";
import { KEY_ID_BYTES } from "./limits.ts";

/** A value at rest. `keyId` tells which ENCRYPTION_KEY sealed it, and nothing more of that key. */
export interface SealedSecret {
  readonly sealed: string;
  readonly keyId: string;
}

/** Whose secret, and which. */
export interface SecretKey {
  readonly ownerId: string;
  readonly name: string;
}

export type OpenedSecret =
  | { readonly kind: "opened"; readonly value: string }
  | { readonly kind: "other_key" }
  | { readonly kind: "damaged" };

/** A value opens for the owner and the name that it was sealed for alone: copied to another row it is damaged. */
export interface Vault {
  seal(key: SecretKey, value: string): Promise<SealedSecret>;
  open(key: SecretKey, stored: SealedSecret): Promise<OpenedSecret>;
}

/** `encryptionKey` is base64 of 32 bytes. */
export function createVault(encryptionKey: string, random: RandomBytes): Vault {
  const sealing = createSealing(encryptionKey, random);
  let knownKeyId: string | undefined;

  // Kept once it is there, not while it is made: a request that ends would take the others' promise with it.
  async function ownKeyId(): Promise<string> {
    knownKeyId ??= toHex((await deriveSecret(encryptionKey, "key-id:v1")).subarray(0, KEY_ID_BYTES));
    return knownKeyId;
  }

  return {
    async seal(key, value) {
      return { sealed: await sealing.seal(value, contextOf(key)), keyId: await ownKeyId() };
    },
    async open(key, { sealed, keyId }) {
      if (keyId !== (await ownKeyId())) return { kind: "other_key" };
      const value = await sealing.open(sealed, contextOf(key));
      return value === null ? { kind: "damaged" } : { kind: "opened", value };
    },
  };
}

/** A name holds no colon, so no two secrets share a context. */
function contextOf({ ownerId, name }: SecretKey): string {
  return `secret:${name}:${ownerId}`;
}
