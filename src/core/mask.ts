/** Names whose values are never written, whatever they hold. */
const SECRET_NAME =
  /pass(?:word|wd|phrase)?$|secret|token|api[-_]?key|authorization|cookie|credential|private[-_]?key|signature/i;

/** A key or an access token of ours wherever it stands: long enough never to be found in a strange token by chance. */
export const OWN_KEY = /orx_[0-9a-f]{2}_[\w-]{16,}|orxa_[\w-]{32,}/;

/** Secrets known by their look: our keys, JWTs, providers' keys, bearer headers, credentials inside URLs. */
const SECRET_PATTERNS: readonly RegExp[] = [
  new RegExp(OWN_KEY, "g"),
  /\borxa?_[\w-]{8,}/gi,
  /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g,
  /\b(?:tvly|jina|arch|whsec|sk|re)[-_][A-Za-z0-9_\-+/=]{8,}/g,
  /\b(?:Bearer|Basic)\s+[\w.~+/=-]+/gi,
  /(?<=\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+(?=@)/gi,
];

export const MASK = "[masked]";

/** Whether values under this name are never written. */
export function isMaskedName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** The text with everything that looks like a secret replaced. `secrets` are exact values known from configuration. */
export function maskText(text: string, secrets: readonly string[] = []): string {
  let masked = text;
  for (const secret of secrets) masked = masked.replaceAll(secret, MASK);
  for (const pattern of SECRET_PATTERNS) masked = masked.replace(pattern, MASK);
  return masked;
}

/** Deeper than this nothing is written: a log line is for reading. */
const MAX_DEPTH = 8;

/**
 * A copy that may be written: values under secret names and whatever looks like a secret are masked, names of properties
 * included, errors unfolded.
 */
export function maskValue(value: unknown, secrets: readonly string[] = [], depth = 0): unknown {
  if (typeof value === "string") return maskText(value, secrets);
  if (typeof value === "number") return maskNumber(value, secrets);
  if (typeof value !== "object" || value === null) return value;
  if (depth >= MAX_DEPTH) return "[deep]";
  if (value instanceof Error) return maskValue(unfoldError(value), secrets, depth);
  if (Array.isArray(value)) return value.map((item) => maskValue(item, secrets, depth + 1));
  return mapProperties(
    value as Readonly<Record<string, unknown>>,
    (name) => maskName(name, secrets),
    (inner, name) => (isMaskedName(name) && inner !== null ? MASK : maskValue(inner, secrets, depth + 1)),
  );
}

/** Most names cannot look like a secret: that takes a dash, a dot or their like, and eleven characters without a dot. */
const PLAIN_NAME = /^(?:[A-Za-z\d]*|[\w-]{1,10})$/;

function maskName(name: string, secrets: readonly string[]): string {
  const mayHold = !PLAIN_NAME.test(name) || secrets.some((secret) => name.includes(secret));
  return mayHold ? maskText(name, secrets) : name;
}

/** No number looks like a secret, but one from configuration may be of digits. */
function maskNumber(value: number, secrets: readonly string[]): number | string {
  const written = String(value);
  return secrets.some((secret) => written.includes(secret)) ? maskText(written, secrets) : value;
}

/**
 * A copy with other names and values. Names that have become the same are told apart by a number: no value takes
 * another's place. `__proto__` is a name like any other.
 */
export function mapProperties<From, To>(
  object: Readonly<Record<string, From>>,
  toName: (name: string) => string,
  toValue: (value: From, name: string) => To,
): Readonly<Record<string, To>> {
  let free: ((name: string) => string) | null = null;
  const entries = Object.entries(object).map(([name, inner]) => {
    const shown = toName(name);
    if (shown === name) return [name, toValue(inner, name)] as const;
    free ??= createFreeNames(object);
    return [free(shown), toValue(inner, name)] as const;
  });
  return Object.fromEntries(entries);
}

/** Gives each name once, and none that the object has: `a`, `a (2)`, `a (3)`. Counts on, however many there are. */
function createFreeNames(object: object): (name: string) => string {
  const given = new Set<string>();
  const counts = new Map<string, number>();
  return (name) => {
    let count = counts.get(name) ?? 0;
    let free: string;
    do {
      count++;
      free = count === 1 ? name : `${name} (${count})`;
    } while (given.has(free) || Object.hasOwn(object, free));
    given.add(free);
    counts.set(name, count);
    return free;
  };
}

function unfoldError(error: Error): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  return { name, message, stack, ...(cause === undefined ? {} : { cause }) };
}
