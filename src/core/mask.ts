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

/** A copy that may be written: values under secret names and texts that look like secrets are masked, errors unfolded. */
export function maskValue(value: unknown, secrets: readonly string[] = [], depth = 0): unknown {
  if (typeof value === "string") return maskText(value, secrets);
  if (typeof value !== "object" || value === null) return value;
  if (depth >= MAX_DEPTH) return "[deep]";
  if (value instanceof Error) return maskValue(unfoldError(value), secrets, depth);
  if (Array.isArray(value)) return value.map((item) => maskValue(item, secrets, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      isMaskedName(name) && inner !== null ? MASK : maskValue(inner, secrets, depth + 1),
    ]),
  );
}

function unfoldError(error: Error): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  return { name, message, stack, ...(cause === undefined ? {} : { cause }) };
}
