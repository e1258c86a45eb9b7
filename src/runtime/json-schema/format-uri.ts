/** Each finds one character that is out of place, without going back. RFC 3986. */
const NOT_IN_PATH = /[^\w\-.~!$&'()*+,;=:@/%]/;
const NOT_IN_QUERY = /[^\w\-.~!$&'()*+,;=:@/?%]/;
const NOT_IN_USER = /[^\w\-.~!$&'()*+,;=:%]/;
const NOT_IN_NAME = /[^\w\-.~!$&'()*+,;=%]/;
const NOT_ESCAPED = /%(?![0-9A-Fa-f]{2})/;
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:/;
const NAMED = /^[A-Za-z][A-Za-z0-9+.-]*:[^?#]/;
const PORT = /^(?::\d*)?$/;
const FUTURE_ADDRESS = /^[vV][0-9A-Fa-f]+\.[\w\-.~!$&'()*+,;=:]+$/;

/** Stricter than the standard in one thing: after the scheme something has to be named. */
export function isUri(text: string): boolean {
  return NAMED.test(text) && isUriReference(text);
}

export function isUriReference(text: string): boolean {
  if (NOT_ESCAPED.test(text)) return false;
  const [scheme = ""] = SCHEME.exec(text) ?? [];
  const [beforeFragment, fragment] = cut(text.slice(scheme.length), "#");
  const [beforeQuery, query] = cut(beforeFragment, "?");
  if (NOT_IN_QUERY.test(fragment) || NOT_IN_QUERY.test(query)) return false;
  if (!beforeQuery.startsWith("//")) return isPath(beforeQuery, scheme !== "");
  const [authority] = cut(beforeQuery.slice(2), "/");
  return isAuthority(authority) && isPath(beforeQuery.slice(2 + authority.length), true);
}

/** Without a scheme, the part before the first slash has no colon: it would be read as one. */
function isPath(text: string, mayHaveColon: boolean): boolean {
  return !NOT_IN_PATH.test(text) && (mayHaveColon || !cut(text, "/")[0].includes(":"));
}

function isAuthority(text: string): boolean {
  const at = text.indexOf("@");
  if (NOT_IN_USER.test(text.slice(0, Math.max(at, 0)))) return false;
  const host = text.slice(at + 1);
  if (!host.startsWith("[")) {
    const [name] = cut(host, ":");
    return !NOT_IN_NAME.test(name) && PORT.test(host.slice(name.length));
  }
  const [address] = cut(host.slice(1), "]");
  const isAddress = isIpv6(address) || FUTURE_ADDRESS.test(address);
  return isAddress && host.charAt(address.length + 1) === "]" && PORT.test(host.slice(address.length + 2));
}

function cut(text: string, separator: string): readonly [before: string, after: string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

const BYTE = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const IPV4 = new RegExp(`^${BYTE}(?:\\.${BYTE}){3}$`);
const IPV6_MAX_CHARS = 45;
const IPV6_GROUPS = 8;

/** Without zeros at the front of its numbers, which some read as octal. */
export function isIpv4(text: string): boolean {
  return IPV4.test(text);
}

/** RFC 4291, without a zone. */
export function isIpv6(text: string): boolean {
  if (text.length > IPV6_MAX_CHARS) return false;
  const halves = text.split("::");
  const [front = "", back] = halves;
  if (halves.length > 2) return false;
  const groups = countGroups(front, back === undefined) + countGroups(back ?? "", true);
  return back === undefined ? groups === IPV6_GROUPS : groups < IPV6_GROUPS;
}

/** NaN where one of them is none. An IPv4 address at the end stands for two. */
function countGroups(text: string, isLast: boolean): number {
  if (text === "") return 0;
  const groups = text.split(":");
  const isMixed = isLast && isIpv4(groups.at(-1) ?? "");
  const plain = isMixed ? groups.slice(0, -1) : groups;
  return plain.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group)) ? groups.length + (isMixed ? 1 : 0) : Number.NaN;
}
