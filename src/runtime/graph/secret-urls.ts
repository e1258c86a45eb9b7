import type { PlacedReference } from "./references.ts";

/** What stands for a reference whose value is not known yet. */
const UNKNOWN = "\0";

/** The host is complete: what begins with a reference may hold it, anything else has to write it out. */
const HOST_IS_OVER = /^(?:\0[^/?#]*|[a-z][a-z0-9+.-]*:[/\\]*[^/?#\\]+)[/?#]/i;

/** What may follow a secret that begins a URL: nothing that its host could go on with. */
const BEHIND_HOST = /^[/?#]/;

/** Whether the reference brings in the host of the URL that it stands in, or a part of it. */
export function suppliesHost({ reference, parts }: PlacedReference): boolean {
  const before = parts.slice(0, parts.indexOf(reference));
  return !HOST_IS_OVER.test(before.map((part) => (typeof part === "string" ? part : UNKNOWN)).join(""));
}

/**
 * Why a secret may not stand where it does in a URL, or null. A host is looked up and named where all can hear it, in
 * lower case or as IDNA writes it. A secret that begins the URL is one itself, such as a webhook's.
 */
export function urlFault(placed: PlacedReference): string | null {
  if (!suppliesHost(placed)) return null;
  const [first, next] = placed.parts;
  const isBeginning = first === placed.reference && (next === undefined || isBehindHost(next));
  return isBeginning ? null : FAULT;
}

function isBehindHost(part: PlacedReference["parts"][number]): boolean {
  return typeof part === "string" && BEHIND_HOST.test(part);
}

const FAULT =
  "secrets are not available in a URL's host, which others see: write the host out, or keep the whole beginning of the " +
  "URL in the secret, as in {{secrets.WEBHOOK_URL}}?wait=true";
