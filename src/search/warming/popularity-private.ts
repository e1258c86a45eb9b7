import { maskText } from "../../core/mask.ts";

/** What tells of one person, or opens something. Wide on purpose: what is taken for one by mistake is only not kept. */
const PRIVATE_PATTERNS: readonly RegExp[] = [
  // An e-mail address, with whatever stands before and after its @.
  /[^\s@]@[^\s@]/,
  // Telephone, card, account and identity numbers.
  /\d(?:[ ().\-/]{0,2}\d){8}/,
  // `password: x`, `api key = x`.
  /(?:pass(?:word|wd|phrase|code)|secret|token|api[-_ ]?key|credentials?)\s*[:=]\s*\S/i,
];

/** A word so long and of letters and digits is a token of some make. */
const LONG_RUNS = /[A-Za-z0-9+/=_-]{20,}/g;

/** Whether a text holds something that looks like a secret, an e-mail address or a person's number. */
export function looksPrivate(text: string): boolean {
  // Wide forms of characters are those characters to whoever reads them.
  const plain = text.normalize("NFKC");
  return (
    PRIVATE_PATTERNS.some((pattern) => pattern.test(plain)) ||
    (plain.match(LONG_RUNS) ?? []).some((run) => /\d/.test(run) && /[A-Za-z]/.test(run)) ||
    maskText(plain) !== plain
  );
}
