import { isMetadataAddress } from "./addresses.ts";
import { isMetadataName } from "./names.ts";

/**
 * True for link-local addresses and the metadata services of clouds: no setting and no admin opens them. `hostname` is as
 * `URL` writes it, dots at its end or not. A name that only resolves to such an address is not seen here.
 */
export function isNeverAsked(hostname: string): boolean {
  return isMetadataAddress(hostname) || isMetadataName(hostname.replace(/\.+$/, ""));
}
