/**
 * IANA's special-purpose IPv4 addresses: this network, private, shared by carriers, loopback, link-local, protocol
 * assignments, documentation, AS112 and AMT, 6to4 relays, benchmarks, multicast, reserved.
 */
const SPECIAL_IPV4 = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"],
  ...["192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24"],
  ...["198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"],
].map(readIpv4Block);

/** All that IANA gives out as global unicast. What lies outside is loopback, mapped, unique local, link-local, multicast … */
const GLOBAL_IPV6 = readIpv6Block("2000::/3");

/** Inside of it: protocol assignments with Teredo and ORCHID, documentation (twice), 6to4, AS112. */
const SPECIAL_IPV6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "2620:4f:8000::/48"].map(readIpv6Block);

/** As public as the IPv4 address in the last 32 bits: mapped, and translated by the well-known prefix of NAT64. */
const PUBLIC_AS_IPV4 = ["::ffff:0:0/96", "64:ff9b::/96"].map(readIpv6Block);

/** All that some network may take to the IPv4 address in the last 32 bits: compatible ones, SIIT and local NAT64 too. */
const LEADS_TO_IPV4 = ["::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/32"].map(readIpv6Block);

/** 6to4: the IPv4 address stands behind the prefix. */
const SIX_TO_FOUR = readIpv6Block("2002::/16");
const SIX_TO_FOUR_SHIFT = 80n;

/** Link-local, and the metadata services outside of it: Azure's host agent, Alibaba's, Oracle's. */
const METADATA_IPV4 = ["169.254.0.0/16", "168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32"].map(readIpv4Block);

/** Link-local, AWS's and Google's. */
const METADATA_IPV6 = ["fe80::/10", "fd00:ec2::254/128", "fd20:ce::254/128"].map(readIpv6Block);

interface Ipv4Block {
  readonly first: number;
  readonly last: number;
}

interface Ipv6Block {
  readonly prefix: bigint;
  readonly shift: bigint;
}

/** True for an address, false for a name. `hostname` is as `URL` writes it. */
export function isAddress(hostname: string): boolean {
  return hostname.startsWith("[") || /^\d+\.\d+\.\d+\.\d+$/.test(hostname);
}

/**
 * True where the address belongs to the public internet. `hostname` is as `URL` writes it: IPv4 as four decimals, IPv6
 * in brackets. False for what is no address.
 */
export function isPublicAddress(hostname: string): boolean {
  if (!isAddress(hostname) || isMetadataAddress(hostname)) return false;
  const { ipv4, ipv6 } = readAddress(hostname);
  if (ipv4 !== null) return !isWithin(SPECIAL_IPV4, ipv4);
  return contains(GLOBAL_IPV6, ipv6) && !SPECIAL_IPV6.some((block) => contains(block, ipv6));
}

/**
 * True for link-local addresses and for metadata services, which hand out a machine's own credentials; also for what may
 * be translated into such an address on the way.
 */
export function isMetadataAddress(hostname: string): boolean {
  if (!isAddress(hostname)) return false;
  if (!hostname.startsWith("[")) return isWithin(METADATA_IPV4, ipv4Number(hostname));
  const ipv6 = ipv6Number(hostname.slice(1, -1));
  const isOwn = METADATA_IPV6.some((block) => contains(block, ipv6));
  return isOwn || ipv4AddressesIn(ipv6).some((address) => isWithin(METADATA_IPV4, address));
}

/** An address in any spelling as `URL` writes it, IPv6 in brackets; null for what is none. */
export function normalizeAddress(text: string): string | null {
  const isIpv6 = text.includes(":");
  if (!(isIpv6 ? /^[0-9a-f:.]+$/i : /^[0-9.]+$/).test(text)) return null;
  return URL.parse(isIpv6 ? `http://[${text}]/` : `http://${text}/`)?.hostname ?? null;
}

/** The IPv4 address that it is or stands for; null where it is IPv6 alone. */
function readAddress(hostname: string): { readonly ipv4: number | null; readonly ipv6: bigint } {
  if (!hostname.startsWith("[")) return { ipv4: ipv4Number(hostname), ipv6: 0n };
  const ipv6 = ipv6Number(hostname.slice(1, -1));
  const isIpv4 = PUBLIC_AS_IPV4.some((block) => contains(block, ipv6));
  return { ipv4: isIpv4 ? last32Bits(ipv6) : null, ipv6 };
}

function ipv4AddressesIn(ipv6: bigint): readonly number[] {
  if (contains(SIX_TO_FOUR, ipv6)) return [last32Bits(ipv6 >> SIX_TO_FOUR_SHIFT)];
  return LEADS_TO_IPV4.some((block) => contains(block, ipv6)) ? [last32Bits(ipv6)] : [];
}

function last32Bits(ipv6: bigint): number {
  return Number(BigInt.asUintN(32, ipv6));
}

function isWithin(blocks: readonly Ipv4Block[], address: number): boolean {
  return blocks.some(({ first, last }) => address >= first && address <= last);
}

function contains({ prefix, shift }: Ipv6Block, address: bigint): boolean {
  return address >> shift === prefix;
}

function readIpv4Block(text: string): Ipv4Block {
  const [address = "", bits = ""] = text.split("/");
  const first = ipv4Number(address);
  return { first, last: first + 2 ** (32 - Number(bits)) - 1 };
}

function readIpv6Block(text: string): Ipv6Block {
  const [address = "", bits = ""] = text.split("/");
  const shift = 128n - BigInt(bits);
  return { prefix: ipv6Number(address) >> shift, shift };
}

function ipv4Number(text: string): number {
  return text.split(".").reduce((number, part) => number * 256 + Number(part), 0);
}

/** `text` is of hexadecimal groups, `::` in it at most once: what `URL` makes of every spelling. */
function ipv6Number(text: string): bigint {
  const [head = [], tail = []] = text.split("::").map((half) => half.split(":").filter((group) => group !== ""));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  return [...head, ...zeros, ...tail].reduce((number, group) => (number << 16n) | BigInt(`0x${group}`), 0n);
}
