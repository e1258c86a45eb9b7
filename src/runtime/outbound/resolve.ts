/**
 * The addresses of a host in any spelling, IPv4 and IPv6 together; empty where it has none, null where nobody could
 * tell. Does not reject.
 */
export type Resolve = (host: string, signal: AbortSignal) => Promise<readonly string[] | null>;
