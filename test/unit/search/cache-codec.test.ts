import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { pack, unpack } from "../../../src/search/cache/cache-codec.ts";

describe("a packed text", () => {
  test.each([
    ["empty", ""],
    ["short", '{"a":1}'],
    ["of any characters", "é\u{1f600}\u2028\0 p z"],
    ["long", "What is known about tides. ".repeat(1_000)],
    ["long, of any characters", "é\u{1f600}".repeat(5_000)],
  ])("that is %s comes back unchanged", async (_name, text) => {
    expect(await unpack(await pack(text))).toBe(text);
  });

  test("is shorter than the text where that repeats itself, and one sign longer at most", async () => {
    const repetitive = "What is known about tides. ".repeat(1_000);
    expect((await pack(repetitive)).length).toBeLessThan(repetitive.length / 10);
    const noise = Array.from(crypto.getRandomValues(new Uint8Array(20_000)), (n) =>
      String.fromCharCode(33 + (n % 90)),
    ).join("");
    expect((await pack(noise)).length).toBeLessThanOrEqual(noise.length + 1);
  });

  test.each([
    ["nothing", ""],
    ["another mark", "x{}"],
    ["compressed text that is no base64", "z***"],
    ["compressed text that is no gzip", `z${btoa("hello")}`],
    ["compressed text cut short", `z${gzipSync("a".repeat(10_000)).subarray(0, 20).toString("base64")}`],
    ["compressed bytes that are no text", `z${gzipSync(Buffer.from([0xff, 0xfe, 0x80])).toString("base64")}`],
    ["what unfolds to a hundred times what is allowed", `z${gzipSync(Buffer.alloc(200_000_000)).toString("base64")}`],
  ])("that is %s is none", async (_name, packed) => {
    expect(await unpack(packed)).toBeNull();
  });
});
