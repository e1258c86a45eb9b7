import { expect, test } from "vitest";
import { systemRandom } from "../../../src/core/ids.ts";
import { createSealing } from "../../../src/core/sealing.ts";

const KEY = btoa("0123456789abcdef0123456789abcdef");
const OTHER_KEY = btoa("fedcba9876543210fedcba9876543210");
const SECRET = "päss 🔑 word";

const sealing = createSealing(KEY, systemRandom);

const bytesOf = (sealed: string) =>
  Uint8Array.from(atob(sealed.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
const textOf = (bytes: Uint8Array) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

test.each(["", SECRET, "x".repeat(50_000), "\ufeffwith a mark at its start"])(
  "what was sealed opens again",
  async (text) => {
    expect(await sealing.open(await sealing.seal(text, "a"), "a")).toBe(text);
  },
);

test("another isolate with the same key opens it", async () => {
  expect(await createSealing(KEY, systemRandom).open(await sealing.seal(SECRET, "a"), "a")).toBe(SECRET);
});

test("a sealed text shows nothing of the secret, and never looks the same twice", async () => {
  const [one, two] = await Promise.all([sealing.seal(SECRET, "a"), sealing.seal(SECRET, "a")]);
  expect(one).toMatch(/^[A-Za-z0-9_-]+$/);
  expect(one).not.toBe(two);
  expect(new TextDecoder().decode(bytesOf(one))).not.toContain("word");
});

test("it does not open in another context", async () => {
  expect(await sealing.open(await sealing.seal(SECRET, "provider:a"), "provider:b")).toBeNull();
});

test("it does not open under another key", async () => {
  expect(await createSealing(OTHER_KEY, systemRandom).open(await sealing.seal(SECRET, "a"), "a")).toBeNull();
});

test("a change of any byte is noticed", async () => {
  const bytes = bytesOf(await sealing.seal("secret", "a"));
  const opened = await Promise.all(
    Array.from(bytes, (_, i) => {
      const changed = Uint8Array.from(bytes, (byte, j) => (i === j ? byte ^ 1 : byte));
      return sealing.open(textOf(changed), "a");
    }),
  );
  expect(opened).toEqual(Array.from(bytes, () => null));
});

test("what is cut off or lengthened does not open", async () => {
  const bytes = bytesOf(await sealing.seal("secret", "a"));
  for (const length of [0, 1, 12, 13, 28, bytes.length - 1]) {
    expect(await sealing.open(textOf(bytes.slice(0, length)), "a")).toBeNull();
  }
  expect(await sealing.open(textOf(new Uint8Array([...bytes, 0])), "a")).toBeNull();
});

test.each(["", "no base64!", "AQ", "é", "A".repeat(10)])("%j is no sealed text", async (text) => {
  expect(await sealing.open(text, "a")).toBeNull();
});

test("the first uses of a key may come at once", async () => {
  const fresh = createSealing(KEY, systemRandom);
  const sealed = await Promise.all(["a", "b", "c"].map((context) => fresh.seal(SECRET, context)));
  expect(await Promise.all(sealed.map((text, i) => fresh.open(text, "abc"[i] ?? "")))).toEqual([
    SECRET,
    SECRET,
    SECRET,
  ]);
});
