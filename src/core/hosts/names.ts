/** RFC 1035, without the dot at its end. */
export const HOST_MAX_CHARS = 253;

/** Names of one machine or one network (RFC 6761, 6762 appendix G, 8375, ICANN's .internal), and what clusters use. */
const LOCAL_DOMAINS = [
  ...["localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan", "home.arpa"],
  ...["svc", "consul"],
];

/** Metadata services: AWS's, Google's, Azure's, Tencent's. */
const METADATA_NAMES = [
  ...["metadata", "metadata.google.internal", "metadata.goog", "metadata.azure.internal", "metadata.tencentyun.com"],
  ...["instance-data", "instance-data.ec2.internal"],
];

/** Domains whose names answer with whatever address is written into them, with loopback, or with two in turn. */
const LITERAL_DOMAINS = [
  ...["nip.io", "sslip.io", "xip.io", "xip.name", "ip6.name", "backname.io", "traefik.me", "plex.direct"],
  ...["local-ip.co", "local-ip.sh", "localtest.me", "lvh.me", "vcap.me", "fuf.me", "lacolhost.com", "localho.st"],
  ...["local.gd", "localdev.me", "1u.ms", "rbndr.us", "rebind.it", "rebind.network"],
];

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** True for a name that DNS could hold, in lower case and without a dot at its end. */
export function isHostName(name: string): boolean {
  return name.length <= HOST_MAX_CHARS && name.split(".").every((label) => LABEL.test(label));
}

/** True for the names of metadata services, which hand out a machine's own credentials. */
export function isMetadataName(name: string): boolean {
  return METADATA_NAMES.includes(name);
}

/** True where the name alone says that it is no public host. What others resolve to, only a look-up tells. */
export function isLocalName(name: string): boolean {
  if (!name.includes(".") || isMetadataName(name)) return true;
  return isBelowAny(LOCAL_DOMAINS, name) || isLiteralName(name);
}

/** True where whoever wrote the name chose its address too, so that the name hides which one it is. */
export function isLiteralName(name: string): boolean {
  return isBelowAny(LITERAL_DOMAINS, name);
}

function isBelowAny(domains: readonly string[], name: string): boolean {
  return domains.some((domain) => name === domain || name.endsWith(`.${domain}`));
}
