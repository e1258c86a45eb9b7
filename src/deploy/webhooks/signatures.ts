import { digestsEqual, fromBase64 } from "../../core/crypto.ts";
import { DELIVERY_ID_MAX_CHARS, SIGNATURE_HEADER_MAX_CHARS, TOLERANCE_SECONDS } from "./limits.ts";

type HeaderReader = Pick<Headers, "get">;
type ImportedKey = Awaited<ReturnType<typeof importHmacKey>>;

/** No full stop: it ends the id in the signed text, which could otherwise be read in two ways. */
const MESSAGE_ID = new RegExp(`^[\\x21-\\x2d\\x2f-\\x7e]{1,${DELIVERY_ID_MAX_CHARS}}$`);
/** Unix seconds as they are signed: no sign, no leading zero. */
const TIMESTAMP = /^(?:0|[1-9]\d{0,11})$/;
/** A header that was sent twice arrives as one, joined by a comma. */
const SIGNATURE_V1 = /^v1,([A-Za-z0-9+/]{43}=),?$/;
const GITHUB_SIGNATURE = /^sha256=([0-9a-f]{64})$/i;

/**
 * Standard Webhooks: the id of a message that one of `secrets` (`whsec_<base64>`) signed and that is neither late nor
 * early; null for any other. What is signed is the body's bytes as they came. Entries of unknown versions are passed over.
 */
export async function verifyStandardWebhook(
  headers: HeaderReader,
  body: Uint8Array,
  secrets: readonly string[],
  nowMs: number,
): Promise<string | null> {
  const id = headers.get("webhook-id") ?? "";
  const timestamp = headers.get("webhook-timestamp") ?? "";
  if (!MESSAGE_ID.test(id) || !TIMESTAMP.test(timestamp)) return null;
  if (Math.abs(Math.floor(nowMs / 1_000) - Number(timestamp)) > TOLERANCE_SECONDS) return null;
  const claimed = readSignatures(headers.get("webhook-signature") ?? "");
  if (claimed.length === 0) return null;
  const signed = concat(new TextEncoder().encode(`${id}.${timestamp}.`), body);
  const genuine = await isSignedByOne(signed, claimed, secrets.map(standardKey));
  return genuine ? id : null;
}

/** GitHub: `X-Hub-Signature-256` is the HMAC-SHA256 of the body's bytes under one of `secrets`. */
export async function verifyGithubWebhook(
  headers: HeaderReader,
  body: Uint8Array,
  secrets: readonly string[],
): Promise<boolean> {
  const hex = GITHUB_SIGNATURE.exec(headers.get("x-hub-signature-256") ?? "")?.[1];
  if (hex === undefined) return false;
  const claimed = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const keys = secrets.map((secret) => new TextEncoder().encode(secret));
  return isSignedByOne(body, [claimed], keys);
}

function readSignatures(header: string): readonly Uint8Array[] {
  if (header.length > SIGNATURE_HEADER_MAX_CHARS) return [];
  return header
    .split(" ")
    .map((entry) => SIGNATURE_V1.exec(entry)?.[1])
    .filter((base64) => base64 !== undefined)
    .map(fromBase64);
}

/** Compares every claim with every secret's signature, each in constant time. */
async function isSignedByOne(
  signed: Uint8Array,
  claimed: readonly Uint8Array[],
  secrets: readonly Uint8Array[],
): Promise<boolean> {
  let genuine = false;
  for (const secret of secrets) {
    const expected = await sign(await importHmacKey(secret), signed);
    for (const signature of claimed) genuine = digestsEqual(signature, expected) || genuine;
  }
  return genuine;
}

function standardKey(secret: string): Uint8Array {
  return fromBase64(secret.replace(/^whsec_/, ""));
}

function importHmacKey(secret: Uint8Array) {
  return crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

async function sign(key: ImportedKey, signed: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, signed));
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
