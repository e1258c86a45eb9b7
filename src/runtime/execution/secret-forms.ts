/** One way to write a secret: its pieces in their order, each with the texts that it may be. No piece is empty. */
export type WrittenForm = readonly Piece[];
export type Piece = readonly string[];

/** Of a shorter one base64 leaves so few characters that they would be found in other texts. */
const BASE64_MIN_BYTES = 6;

/**
 * How others may write a secret: plain; as JSON, also inside a text that is JSON again; as URLs, forms and HTML, with
 * whichever characters escaped; hexadecimal; base64. All but base64 are as rare as the secret itself, or longer.
 */
export function writtenForms(secret: string): readonly WrittenForm[] {
  const bytes = encoder.encode(secret);
  const hex = Array.from(bytes, hexOf).join("");
  const units = secret.split("");
  const points = [...secret.toWellFormed()];
  const whole = [secret, hex, hex.toUpperCase()];
  if (bytes.length >= BASE64_MIN_BYTES) for (const before of [0, 1, 2]) whole.push(...base64Forms(bytes, before));
  const escaped = [
    join(units, inJson),
    join(units, inJsonTwice),
    join(points, inUrl),
    ...(secret.includes("%") ? [join(points, inWrittenUrl)] : []),
    join(points, inHtml),
    units.map(asUnicode),
    Array.from(bytes, (byte) => PERCENTS[byte] ?? []),
  ].filter((form) => form.some((piece) => piece.length > 1 || piece[0] !== secret));
  return [...Array.from(new Set(whole), (text) => [[text]]), ...escaped];
}

/** The commonest of these: plain, as JSON and as URLs. */
export function commonForms(text: string): readonly WrittenForm[] {
  const escaped = [join(text.split(""), inJson), join([...text.toWellFormed()], inUrl)];
  return [[[text]], ...escaped.filter((form) => form.some((piece) => piece.length > 1))];
}

const encoder = new TextEncoder();

type Write = (char: string) => Piece;

/** Characters that can be written in one way alone become one piece with those beside them. */
function join(chars: readonly string[], write: Write): WrittenForm {
  const pieces: Piece[] = [];
  let same = "";
  for (const char of chars) {
    const piece = write(char);
    if (piece.length === 1) {
      same += piece[0];
      continue;
    }
    if (same !== "") pieces.push([same]);
    same = "";
    pieces.push(piece);
  }
  if (same !== "") pieces.push([same]);
  return pieces;
}

/** Of each character that ASCII has the texts are made once. */
function remembering(write: Write): Write {
  const known: (Piece | undefined)[] = [];
  return (char) => {
    const code = char.charCodeAt(0);
    if (code >= ASCII_END) return write(char);
    known[code] ??= write(char);
    return known[code];
  };
}

const ASCII_END = 128;

const inJson = remembering((char) => {
  if (isPlain(char)) return [char];
  const short = SHORT_ESCAPES[char];
  const escapes = unicodeEscapes(char, "\\");
  if (short === undefined) return [...escapes, char];
  return char === "/" ? [...escapes, short, char] : [...escapes, short];
});

/** The inner writer's backslashes are doubled; what it left alone the outer one may have escaped. */
const inJsonTwice = remembering((char) => {
  if (isPlain(char)) return [char];
  const twice = inJson(char).map((text) => text.replaceAll(/["\\]/g, "\\$&"));
  const slashes = char === "/" ? twice.map((text) => text.replace("/", "\\/")) : [];
  return [...new Set([...asUnicode(char), ...twice, ...slashes])];
});

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "/": "\\/",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/** By either writer of a text that is JSON twice. */
const asUnicode = remembering((unit) => [...unicodeEscapes(unit, "\\"), ...unicodeEscapes(unit, "\\\\")]);

const inUrl = remembering((char) => {
  if (isPlain(char)) return [char];
  const percents = Array.from(encoder.encode(char), (byte) => `%${hexOf(byte)}`).join("");
  const escapes = [...new Set([percents, percents.toUpperCase()])];
  if (char === "%") return escapes;
  return [...escapes, char === " " ? "+" : char];
});

/** As a parser of URLs does: what is escaped already stays as it is. */
const inWrittenUrl = remembering((char) => (char === "%" ? [char] : inUrl(char)));

const inHtml = remembering((char) => {
  const name = HTML_NAMES[char];
  if (name === undefined) return [char];
  const code = char.charCodeAt(0);
  const hex = hexOf(code);
  const inner = [
    name,
    `#${code}`,
    `#0${code}`,
    `#x${hex}`,
    `#X${hex}`,
    `#x${hex.toUpperCase()}`,
    `#X${hex.toUpperCase()}`,
  ];
  const escapes = inner.map((text) => `&${text};`);
  return char === "&" ? escapes : [...escapes, char];
});

const PERCENTS: readonly Piece[] = Array.from({ length: 256 }, (_, byte) => {
  const hex = hexOf(byte);
  return [...new Set([`%${hex}`, `%${hex.toUpperCase()}`])];
});

/** What writers of HTML escape. */
const HTML_NAMES: Readonly<Record<string, string>> = {
  "&": "amp",
  "<": "lt",
  ">": "gt",
  '"': "quot",
  "'": "apos",
  "/": "sol",
  "`": "grave",
  "=": "equals",
};

function unicodeEscapes(unit: string, backslash: string): Piece {
  const hex = unit.charCodeAt(0).toString(16).padStart(4, "0");
  return [...new Set([`${backslash}u${hex}`, `${backslash}u${hex.toUpperCase()}`])];
}

/**
 * What base64 makes of a secret wherever it stands inside a longer text, as in basic credentials or a token's claims:
 * three bytes are four characters, so that there are three ways to be cut. The characters that it shares are left out.
 */
function base64Forms(secret: Uint8Array, before: number): readonly string[] {
  const text = "\0".repeat(before) + Array.from(secret, (byte) => String.fromCharCode(byte)).join("");
  const first = Math.ceil((before * 8) / 6);
  const own = btoa(text).slice(first, Math.floor((text.length * 8) / 6));
  return [own, own.replaceAll("+", "-").replaceAll("/", "_")];
}

/** What nobody escapes who does not escape all. */
function isPlain(char: string): boolean {
  return /^[\w.-]/.test(char);
}

function hexOf(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
