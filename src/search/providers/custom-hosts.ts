/**
 * Hosts that no registered provider may have: link-local addresses and the metadata services of clouds, which hand out
 * the machine's own credentials. Loopback and private addresses are the operator's network and stay allowed. A name
 * that only resolves to such an address is not seen here: a Worker asks no resolver.
 */

const METADATA_NAMES: readonly string[] = [
  "metadata.google.internal",
  "metadata.goog",
  "metadata.azure.internal",
  "metadata",
  "instance-data",
  "instance-data.ec2.internal",
];

/** Metadata services outside of 169.254.0.0/16: Azure's host agent, Alibaba's, Oracle's. */
const METADATA_ADDRESSES: readonly string[] = ["168.63.129.16", "100.100.100.200", "192.0.0.192"];

/** AWS's over IPv6: fd00:ec2::254. */
const METADATA_GROUPS = "fd00:ec2:0:0:0:0:0:254";

/** `hostname` as `URL` writes it: lower case, numbers in any spelling as four decimals, IPv6 in brackets and shortened. */
export function isForbiddenHost(hostname: string): boolean {
  const host = hostname.replace(/\.+$/, "");
  if (METADATA_NAMES.includes(host)) return true;
  if (!host.startsWith("[")) return isForbiddenIpv4(host);
  const groups = ipv6Groups(host.slice(1, -1));
  if (groups === null) return true;
  const isLinkLocal = ((groups[0] ?? 0) & 0xffc0) === 0xfe80;
  const written = groups.map((group) => group.toString(16)).join(":");
  return isLinkLocal || written === METADATA_GROUPS || embeddedIpv4(groups).some(isForbiddenIpv4);
}

function isForbiddenIpv4(host: string): boolean {
  return /^169\.254\.\d+\.\d+$/.test(host) || METADATA_ADDRESSES.includes(host);
}

/** The eight groups; null for what is no IPv6 address. */
function ipv6Groups(text: string): readonly number[] | null {
  const [left = "", right, ...more] = text.split("::");
  if (more.length > 0) return null;
  const read = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const head = read(left);
  const tail = right === undefined ? [] : read(right);
  const missing = 8 - head.length - tail.length;
  if (missing < 0 || (right === undefined && missing > 0)) return null;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  return groups.every((group) => group >= 0 && group <= 0xffff) ? groups : null;
}

/** IPv4 addresses that an IPv6 one stands for: mapped, compatible, translated (NAT64), 6to4. */
function embeddedIpv4(groups: readonly number[]): string[] {
  const [first = 0, second = 0, third = 0] = groups;
  const startsWithZeros = groups.slice(0, 5).every((group) => group === 0);
  const isMapped = startsWithZeros && (groups[5] === 0 || groups[5] === 0xffff);
  const isTranslated = first === 0x64 && second === 0xff9b;
  const last = isMapped || isTranslated ? [dotted(groups[6] ?? 0, groups[7] ?? 0)] : [];
  return first === 0x2002 ? [...last, dotted(second, third)] : last;
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
}
