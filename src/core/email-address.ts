/** RFC 3696: 64 for the mailbox, 255 for its domain, the @ between; and a name before it. */
export const EMAIL_ADDRESS_MAX_CHARS = 320;

/** One @, and nothing that would end the address or begin another one. */
const MAILBOX = /^[^\s@<>,;:"()[\]\\\p{Cc}]+@[^\s@<>,;:"()[\]\\\p{Cc}]+$/u;
const NAMED = /^[^@<>,;"\\\p{Cc}\p{Zl}\p{Zp}]*<([^<>]+)>$/u;

/** True for `ada@example.com` and `Ada <ada@example.com>`. Whether anybody reads it, only a message tells. */
export function isEmailAddress(text: string): boolean {
  return text.length <= EMAIL_ADDRESS_MAX_CHARS && MAILBOX.test(NAMED.exec(text)?.[1] ?? text);
}

/** True for a text without control characters and line ends: one that cannot begin another header. */
export function isOneLine(text: string): boolean {
  return !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text);
}
